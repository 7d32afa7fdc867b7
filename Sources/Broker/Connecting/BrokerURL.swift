// Reads amqp:// and amqps:// URLs. librabbitmq's own parser fills in guest, stops at %00 and refuses query strings.

/// Where a broker is and how to log in, as a URL says it. What the URL leaves out is nil.
package struct BrokerURL: Equatable {
    package var usesTLS: Bool
    package var username: String?
    package var password: Secret?
    package var host: String
    package var port: UInt16
    package var vhost: String?
    package var heartbeatSeconds: Int?
    package var connectionTimeoutMilliseconds: Int?
    package var caCertificateFile: String?
    package var certificateFile: String?
    package var keyFile: String?
    /// false for `verify=verify_none`.
    package var verifiesPeer: Bool?
    /// true for `auth_mechanism=external`: the client's certificate is the login.
    package var usesExternalLogin = false

    /// Why a text is no broker URL. Never quotes the part that may hold a password.
    package struct Invalid: Error, Equatable {
        package var reason: String

        package init(reason: String) {
            self.reason = reason
        }
    }

    /// The URL without its password and query, to be shown.
    package var redacted: String {
        let scheme = usesTLS ? "amqps" : "amqp"
        let user = username.map { "\($0)@" } ?? ""
        let path = vhost == nil || vhost == "/" ? "" : "/\(vhost ?? "")"
        return "\(scheme)://\(user)\(URLParts.hostText(host)):\(port)\(path)"
    }

    /// Reads `scheme://[user[:password]@]host[:port][/vhost][?parameters]`.
    ///
    /// Everything special is percent-encoded. An empty path and `/` both mean no vhost of the URL's own; a vhost that
    /// holds a slash writes it `%2F`. Celery writes the vhost `/` as it is.
    package init(_ text: String) throws(Invalid) {
        let parts = try URLParts(text, schemes: ["amqp", "amqps"])
        usesTLS = parts.scheme == "amqps"
        username = parts.username
        password = parts.password
        host = parts.host
        port = parts.port ?? (usesTLS ? 5671 : 5672)
        let isSlash = Array(parts.path) == [UInt8(ascii: "/")]
        guard isSlash || !parts.path.contains(UInt8(ascii: "/")) else {
            throw Invalid(reason: "a / in the vhost must be written %2F")
        }
        let decodedVhost = isSlash ? "/" : try URLParts.decode(parts.path, "the vhost")
        guard decodedVhost.utf8.count <= ShortString.maximumCount else {
            throw Invalid(reason: "the vhost is longer than 255 bytes")
        }
        vhost = decodedVhost.isEmpty ? nil : decodedVhost
        for parameter in parts.query.split(separator: UInt8(ascii: "&")) {
            try apply(parameter)
        }
    }

    /// A broker without a login or a vhost of its own, on the usual port.
    package init(host: String, usesTLS: Bool) {
        self.usesTLS = usesTLS
        self.host = host
        port = usesTLS ? 5671 : 5672
    }

    private mutating func apply(_ parameter: ArraySlice<UInt8>) throws(Invalid) {
        let equals = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.endIndex
        let name = try URLParts.decode(parameter[..<equals], "the query")
        let value = try URLParts.decode(parameter[equals...].dropFirst(), "the query")
        switch name {
        case "heartbeat": heartbeatSeconds = try Self.number(name, value, 0...65_535)
        case "connection_timeout": connectionTimeoutMilliseconds = try Self.number(name, value, 1...86_400_000)
        case "cacertfile": caCertificateFile = value
        case "certfile": certificateFile = value
        case "keyfile": keyFile = value
        case "verify":
            guard value == "verify_peer" || value == "verify_none" else {
                throw Invalid(reason: "the query parameter verify must be verify_peer or verify_none")
            }
            verifiesPeer = value == "verify_peer"
        case "auth_mechanism":
            guard value.lowercased() == "plain" || value.lowercased() == "external" else {
                throw Invalid(reason: "the query parameter auth_mechanism must be plain or external")
            }
            usesExternalLogin = value.lowercased() == "external"
        case "channel_max", "frame_max", "fail_if_no_peer_cert", "depth":
            // Other clients' settings that change nothing about what workq does.
            break
        default:
            // Part of a password, it would hold other characters.
            let isName = name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") }
            let what = isName ? "the query parameter \(name)" : "a query parameter"
            throw Invalid(
                reason: "\(what) is unknown; known are heartbeat, connection_timeout, cacertfile, certfile, "
                    + "keyfile, verify and auth_mechanism")
        }
    }

    private static func number(_ name: String, _ text: String, _ range: ClosedRange<Int>) throws(Invalid) -> Int {
        guard let number = Int(text), range.contains(number) else {
            throw Invalid(
                reason: "the query parameter \(name) must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

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
    }

    /// The URL without its password and query, to be shown.
    package var redacted: String {
        let scheme = usesTLS ? "amqps" : "amqp"
        let user = username.map { "\($0)@" } ?? ""
        let hostText = host.contains(":") ? "[\(host)]" : host
        let path = vhost == nil || vhost == "/" ? "" : "/\(vhost ?? "")"
        return "\(scheme)://\(user)\(hostText):\(port)\(path)"
    }

    /// Reads `scheme://[user[:password]@]host[:port][/vhost][?parameters]`.
    ///
    /// Everything special is percent-encoded. An empty path and `/` both mean no vhost of the URL's own; a vhost that
    /// holds a slash writes it `%2F`.
    package init(_ text: String) throws(Invalid) {
        // Bytes, not characters: a combining mark behind a colon must not hide the colon.
        var rest = Array(text.utf8)[...]
        switch Self.removePrefix(of: &rest, through: "://").map({ String(decoding: $0, as: UTF8.self).lowercased() }) {
        case "amqp": usesTLS = false
        case "amqps": usesTLS = true
        default: throw Invalid(reason: "it must start with amqp:// or amqps://")
        }
        guard !rest.contains(UInt8(ascii: "#")) else { throw Invalid(reason: "a # must be written %23") }
        let query = Self.removeSuffix(of: &rest, after: "?") ?? []
        let path = Self.removeSuffix(of: &rest, after: "/") ?? []
        // A password with a raw / or ? in it ends up here: nothing of it may be shown.
        guard !query.contains(UInt8(ascii: "@")), !path.contains(UInt8(ascii: "@")) else {
            throw Invalid(reason: "an @ behind the host must be written %40, and a / or ? in the password %2F or %3F")
        }
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            var login = rest[..<at]
            rest = rest[(at + 1)...]
            if let password = Self.removeSuffix(of: &login, after: ":") {
                self.password = Secret(try Self.decode(password, "the password"))
            }
            username = try Self.decode(login, "the user name")
        }
        (host, port) = try Self.hostAndPort(rest, defaultPort: usesTLS ? 5671 : 5672)
        guard !path.contains(UInt8(ascii: "/")) else { throw Invalid(reason: "a / in the vhost must be written %2F") }
        let decodedVhost = try Self.decode(path, "the vhost")
        guard decodedVhost.utf8.count <= ShortString.maximumCount else {
            throw Invalid(reason: "the vhost is longer than 255 bytes")
        }
        vhost = decodedVhost.isEmpty ? nil : decodedVhost
        for parameter in query.split(separator: UInt8(ascii: "&")) {
            try apply(parameter)
        }
    }

    /// Takes what stands before `mark` from the front, and the mark itself; nil when there is no mark.
    private static func removePrefix(of text: inout ArraySlice<UInt8>, through mark: String) -> ArraySlice<UInt8>? {
        guard let range = text.firstRange(of: mark.utf8) else { return nil }
        defer { text = text[range.upperBound...] }
        return text[..<range.lowerBound]
    }

    /// Takes what stands behind the first `mark` from the end, and the mark itself; nil when there is no mark.
    private static func removeSuffix(of text: inout ArraySlice<UInt8>, after mark: Unicode.Scalar) -> ArraySlice<UInt8>?
    {
        guard let index = text.firstIndex(of: UInt8(ascii: mark)) else { return nil }
        defer { text = text[..<index] }
        return text[(index + 1)...]
    }

    private static func hostAndPort(_ text: ArraySlice<UInt8>, defaultPort: UInt16) throws(Invalid) -> (String, UInt16)
    {
        var hostText = text
        var portText: ArraySlice<UInt8>?
        if text.first == UInt8(ascii: "[") {
            guard let bracket = text.firstIndex(of: UInt8(ascii: "]")) else {
                throw Invalid(reason: "an IPv6 address must stand in brackets: [::1]")
            }
            hostText = text[(text.startIndex + 1)..<bracket]
            let after = text[(bracket + 1)...]
            guard after.isEmpty || after.first == UInt8(ascii: ":") else {
                throw Invalid(reason: "the port must follow a colon")
            }
            portText = after.dropFirst()
        } else {
            portText = removeSuffix(of: &hostText, after: ":")
        }
        if let portText, portText.contains(UInt8(ascii: ":")) {
            throw Invalid(reason: "an IPv6 address must stand in brackets: [::1]")
        }
        let host = try decode(hostText, "the host")
        guard !host.isEmpty else { throw Invalid(reason: "the host is missing") }
        guard let portText, !portText.isEmpty else { return (host, defaultPort) }
        guard portText.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(String(decoding: portText, as: UTF8.self)), port > 0
        else { throw Invalid(reason: "the port must be a number from 1 to 65535") }
        return (host, port)
    }

    private mutating func apply(_ parameter: ArraySlice<UInt8>) throws(Invalid) {
        var nameText = parameter
        let value = try Self.decode(Self.removeSuffix(of: &nameText, after: "=") ?? [], "the query")
        let name = try Self.decode(nameText, "the query")
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
            throw Invalid(
                reason: "a query parameter is unknown; known are heartbeat, connection_timeout, cacertfile, certfile, "
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

    /// Decodes `%XX`; `what` names the part in an error.
    private static func decode(_ text: ArraySlice<UInt8>, _ what: String) throws(Invalid) -> String {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                throw Invalid(reason: "\(what) holds a % that two hexadecimal digits don't follow; a % is written %25")
            }
            bytes.append(high << 4 | low)
        }
        guard !bytes.contains(0) else { throw Invalid(reason: "\(what) holds a NUL") }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw Invalid(reason: "\(what) is not UTF-8")
        }
        return decoded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}

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
        let schemeEnd = text.range(ofASCII: "://")
        switch schemeEnd.map({ text[..<$0.lowerBound].lowercased() }) {
        case "amqp": usesTLS = false
        case "amqps": usesTLS = true
        default: throw Invalid(reason: "it must start with amqp:// or amqps://")
        }
        var rest = text[(schemeEnd?.upperBound ?? text.startIndex)...]
        guard !rest.contains("#") else { throw Invalid(reason: "a # must be written %23") }
        var query: Substring = ""
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        var path: Substring = ""
        if let slash = rest.firstIndex(of: "/") {
            path = rest[rest.index(after: slash)...]
            rest = rest[..<slash]
        }
        if let at = rest.lastIndex(of: "@") {
            let login = rest[..<at]
            rest = rest[rest.index(after: at)...]
            let colon = login.firstIndex(of: ":")
            username = try Self.decode(login[..<(colon ?? login.endIndex)], "the user name")
            if let colon {
                password = Secret(try Self.decode(login[login.index(after: colon)...], "the password"))
            }
        }
        (host, port) = try Self.hostAndPort(rest, defaultPort: usesTLS ? 5671 : 5672)
        guard !path.contains("/") else { throw Invalid(reason: "a / in the vhost must be written %2F") }
        let decodedVhost = try Self.decode(path, "the vhost")
        guard decodedVhost.utf8.count <= ShortString.maximumCount else {
            throw Invalid(reason: "the vhost is longer than 255 bytes")
        }
        vhost = decodedVhost.isEmpty ? nil : decodedVhost
        for parameter in query.split(separator: "&") {
            try apply(parameter)
        }
    }

    private static func hostAndPort(_ text: Substring, defaultPort: UInt16) throws(Invalid) -> (String, UInt16) {
        var hostText = text
        var portText: Substring?
        if text.first == "[" {
            guard let bracket = text.firstIndex(of: "]") else {
                throw Invalid(reason: "an IPv6 address must stand in brackets: [::1]")
            }
            hostText = text[text.index(after: text.startIndex)..<bracket]
            let after = text[text.index(after: bracket)...]
            guard after.isEmpty || after.first == ":" else { throw Invalid(reason: "the port must follow a colon") }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            hostText = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        let host = try decode(hostText, "the host")
        guard !host.isEmpty else { throw Invalid(reason: "the host is missing") }
        guard let portText, !portText.isEmpty else { return (host, defaultPort) }
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(portText), port > 0 else {
            throw Invalid(reason: "the port must be a number from 1 to 65535; an IPv6 address stands in brackets")
        }
        return (host, port)
    }

    private mutating func apply(_ parameter: Substring) throws(Invalid) {
        let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try Self.decode(parts[0], "the query")
        let value = parts.count == 2 ? try Self.decode(parts[1], "the query") : ""
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
                reason: "the query parameter \(name) is unknown; known are heartbeat, connection_timeout, cacertfile, "
                    + "certfile, keyfile, verify and auth_mechanism")
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
    private static func decode(_ text: Substring, _ what: String) throws(Invalid) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
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

extension String {
    /// Where `text`, all ASCII, first occurs.
    fileprivate func range(ofASCII text: String) -> Range<Index>? {
        var start = utf8.startIndex
        while start < utf8.endIndex {
            if utf8[start...].starts(with: text.utf8) {
                return start..<utf8.index(start, offsetBy: text.utf8.count)
            }
            start = utf8.index(after: start)
        }
        return nil
    }
}

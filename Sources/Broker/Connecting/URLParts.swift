// What URLs of brokers and of their management API have in common.

/// A URL taken apart: decoded where that is the same for all schemes, raw where it isn't.
package struct URLParts {
    /// In lower case.
    package var scheme: String
    package var username: String?
    package var password: Secret?
    package var host: String
    package var port: UInt16?
    /// Behind the first slash after the host, still percent-encoded.
    package var path: ArraySlice<UInt8>
    /// Behind the question mark, still percent-encoded.
    package var query: ArraySlice<UInt8>

    package typealias Invalid = BrokerURL.Invalid

    /// Reads `scheme://[user[:password]@]host[:port][/path][?query]`, everything special percent-encoded.
    package init(_ text: String, schemes: [String]) throws(Invalid) {
        // Bytes, not characters: a combining mark behind a colon must not hide the colon.
        var rest = Array(text.utf8)[...]
        let start = Self.removePrefix(of: &rest, through: "://") ?? []
        scheme = String(decoding: start, as: UTF8.self).lowercased()
        guard schemes.contains(scheme) else {
            // Nothing of a text that may hold a password is shown.
            let isAddress =
                !text.isEmpty
                && text.utf8.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20) || ".-:[]".utf8.contains(byte)
                }
            let hint = isAddress ? ": \(schemes[0])://\(text)" : ""
            throw Invalid(reason: "it must start with \(schemes.map { "\($0)://" }.joined(separator: " or "))\(hint)")
        }
        guard !rest.contains(UInt8(ascii: "#")) else { throw Invalid(reason: "a # must be written %23") }
        query = Self.removeSuffix(of: &rest, after: "?") ?? []
        path = Self.removeSuffix(of: &rest, after: "/") ?? []
        // A password with a raw / or ? in it ends up here: nothing of it may be shown.
        guard !query.contains(UInt8(ascii: "@")), !path.contains(UInt8(ascii: "@")) else {
            throw Invalid(
                reason: "an @ behind the host must be written %40, and a / or ? in the password %2F or %3F")
        }
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            var login = rest[..<at]
            rest = rest[(at + 1)...]
            if let password = Self.removeSuffix(of: &login, after: ":") {
                self.password = Secret(try Self.decode(password, "the password"))
            }
            username = try Self.decode(login, "the user name")
        }
        (host, port) = try Self.hostAndPort(rest)
    }

    /// A host as it stands in URLs: IPv6 addresses in brackets.
    package static func hostText(_ host: String) -> String {
        host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host
    }

    /// Takes what stands before `mark` from the front, and the mark itself; nil when there is no mark.
    private static func removePrefix(of text: inout ArraySlice<UInt8>, through mark: String) -> ArraySlice<UInt8>? {
        guard let start = text.indices.first(where: { text[$0...].starts(with: mark.utf8) }) else { return nil }
        defer { text = text[(start + mark.utf8.count)...] }
        return text[..<start]
    }

    /// Takes what stands behind the first `mark` from the end, and the mark itself; nil when there is no mark.
    private static func removeSuffix(of text: inout ArraySlice<UInt8>, after mark: Unicode.Scalar) -> ArraySlice<UInt8>?
    {
        guard let index = text.firstIndex(of: UInt8(ascii: mark)) else { return nil }
        defer { text = text[..<index] }
        return text[(index + 1)...]
    }

    private static func hostAndPort(_ text: ArraySlice<UInt8>) throws(Invalid) -> (String, UInt16?) {
        guard !text.contains(UInt8(ascii: ",")) else {
            throw Invalid(reason: "it names several hosts; give each node a URL of its own, with --url again")
        }
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
        guard let portText, !portText.isEmpty else { return (host, nil) }
        guard portText.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(String(decoding: portText, as: UTF8.self)), port > 0
        else { throw Invalid(reason: "the port must be a number from 1 to 65535") }
        return (host, port)
    }

    /// Decodes `%XX`; `what` names the part in an error.
    package static func decode(_ text: ArraySlice<UInt8>, _ what: String) throws(Invalid) -> String {
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

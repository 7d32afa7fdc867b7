// All that is needed to ask the management API, resolved from options, environment and URLs.

import Broker

/// Where the management API is and how to log in.
package struct ManagementParameters {
    /// One address of the API.
    package struct Endpoint: Equatable {
        package var usesTLS: Bool
        package var host: String
        package var port: UInt16
        /// Before `/api`, percent-encoded, without a slash at its end: empty, or `/rabbit` behind a reverse proxy.
        package var prefix = ""

        package init(usesTLS: Bool, host: String, port: UInt16? = nil, prefix: String = "") {
            self.usesTLS = usesTLS
            self.host = host
            self.port = port ?? (usesTLS ? 15671 : 15672)
            self.prefix = prefix
        }

        /// As it stands in messages: `http://host:15672`. Never holds a login.
        package var description: String {
            "\(usesTLS ? "https" : "http")://\(URLParts.hostText(host)):\(port)\(prefix)"
        }
    }

    /// Tried in turn.
    package var endpoints: [Endpoint]
    package var username: String
    package var password: Secret
    package var tls = ConnectionParameters.TLS()
    /// For connecting to one endpoint, TLS included.
    package var connectTimeout = Duration.seconds(5)
    /// For one question and the whole of its answer, on all endpoints together.
    package var timeout = Duration.seconds(60)

    package init(endpoints: [Endpoint], username: String, password: Secret) {
        self.endpoints = endpoints
        self.username = username
        self.password = password
    }
}

/// The management API's URL, as people write it.
package struct ManagementURL: Equatable {
    package var endpoint: ManagementParameters.Endpoint
    package var username: String?
    package var password: Secret?

    /// Reads `http[s]://[user[:password]@]host[:port][/prefix]`. A prefix may end in `/api`, which is dropped.
    package init(_ text: String) throws(BrokerURL.Invalid) {
        let parts = try URLParts(text, schemes: ["http", "https"])
        guard parts.query.isEmpty else { throw BrokerURL.Invalid(reason: "it must have no ? and nothing behind it") }
        var segments = parts.path.split(separator: UInt8(ascii: "/"))
        if segments.last.map({ $0.elementsEqual("api".utf8) }) ?? false { segments.removeLast() }
        var prefix = ""
        for segment in segments {
            guard let encoded = PathSegment(try URLParts.decode(segment, "the path"))?.encoded else {
                throw BrokerURL.Invalid(reason: "its path must not hold . or .. as a part")
            }
            prefix += "/" + encoded
        }
        endpoint = ManagementParameters.Endpoint(
            usesTLS: parts.scheme == "https", host: parts.host, port: parts.port, prefix: prefix)
        username = parts.username
        password = parts.password
    }
}

/// A name as a part of a URL's path.
struct PathSegment {
    /// Every byte that isn't a letter, a digit, `-`, `_`, `.` or `~` is written `%XX`, a slash in a name too.
    let encoded: String

    /// nil for the names that no path can carry: the empty one, and `.` and `..`, which servers, proxies and clients
    /// resolve to another path even when they are percent-encoded.
    init?(_ name: String) {
        guard !name.isEmpty, name != ".", name != ".." else { return nil }
        var encoded = ""
        for byte in name.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                encoded.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                encoded += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        self.encoded = encoded
    }
}

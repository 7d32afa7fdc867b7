// How far a connection has come, for whoever watches it being made.

import COpenSSL
import Posix

/// A step on the way to a broker that is done.
package enum ConnectionStage: Equatable {
    /// The host's name led to these addresses.
    case resolved([String])
    /// This address took a TCP connection.
    case connected(String)
    /// The broker has shown a certificate, which may be none that can be trusted: the next step says so.
    case identified(Certificate)
    /// There is a TLS session of this protocol.
    case secured(String)
    /// The broker has taken user and vhost.
    case loggedIn
}

/// What a broker's certificate says of itself.
package struct Certificate: Equatable {
    /// Host names and IP addresses. They come from elsewhere: escape before showing.
    package var names: [String]
    /// The end of its time, in seconds since 1970; nil where it can't be told.
    package var expiry: Int64?
}

extension ConnectionStage {
    /// Is told of each step as it is done, and at which instant that was.
    package typealias Observer = (_ stage: ConnectionStage, _ instant: Instant) -> Void
}

extension Certificate {
    /// No certificate names more that anybody wants to read.
    private static let nameLimit = 100
    /// As long as a host's name can be.
    private static let nameSize = 256

    /// `certificate` is read and not kept.
    init(_ certificate: OpaquePointer) {
        let end = workq_tls_expiry(certificate)
        expiry = end < 0 ? nil : end
        names = []
        var buffer: [CChar] = Array(repeating: 0, count: Self.nameSize)
        for index in 0..<Int32(Self.nameLimit) {
            let length = workq_tls_name(certificate, index, &buffer, Int32(buffer.count))
            guard length >= 0 else { return }
            names.append(String(decoding: buffer.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self))
        }
    }
}

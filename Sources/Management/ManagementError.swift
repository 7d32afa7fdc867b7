// What goes wrong between workq and the management API, as one type.

/// A failed question to the management API.
package struct ManagementError: Error, Equatable {
    /// Why it failed.
    package enum Code: Equatable, Sendable {
        /// No TCP connection could be made: most often the management plugin is off.
        case unreachable
        case hostNotFound
        /// Connected, but no whole answer in time.
        case timedOut
        /// The connection ended before the answer did.
        case connectionLost
        /// No TLS session that can be trusted.
        case tlsFailed
        /// The same, since the certificate's authority isn't known here.
        case unknownAuthority
        /// A certificate or key file that can't be used.
        case badCertificateFile
        /// 401 with `not_authorized`: user or password are wrong.
        case wrongLogin
        /// 401 with `not_authorised`: the user lacks a tag or a right on the vhost.
        case missingRight
        /// 404 from the API itself: no such vhost.
        case notFound
        /// Something answers that isn't RabbitMQ's management API.
        case notManagementAPI
        /// The answer is longer than any that makes sense.
        case tooLarge
        /// The API says that it failed: status 500 and above.
        case serverError
        /// A name that no URL can carry; found before a byte went out.
        case invalidInput
        /// This machine has no libcurl.
        case noLibrary
        /// The system refuses a thread, a pipe or memory.
        case outOfResources
    }

    /// What was tried, as it follows "cannot": `ask http://broker:15672 for queues`.
    package var operation: String
    package var code: Code
    /// The reason. May hold words of the server: escape before showing.
    package var text: String

    package init(_ operation: String, _ code: Code, _ text: String) {
        self.operation = operation
        self.code = code
        self.text = text
    }

    /// Whether another address of the API may do better.
    var isWorthAnotherEndpoint: Bool {
        switch code {
        case .unreachable, .hostNotFound, .connectionLost: true
        default: false
        }
    }

    /// Whether no management API can be asked, so that what AMQP can tell is the best there is.
    package var isWithoutAPI: Bool {
        switch code {
        case .unreachable, .notManagementAPI, .noLibrary: true
        default: false
        }
    }

    /// One line.
    package var message: String { "cannot \(operation): \(text)" }
}

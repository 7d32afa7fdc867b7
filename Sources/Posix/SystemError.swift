// Why the system refused something.

/// An error number of the system's.
package struct SystemError: Error, Equatable {
    /// As in errno.
    package var number: Int32

    package init(_ number: Int32) {
        self.number = number
    }

    /// The error of the system call that has just failed on this thread.
    package static var last: SystemError { SystemError(errno) }

    /// The system's words, fit to stand behind a colon.
    package var text: String { Self.text(number) }

    /// The system's words for an error number, fit to stand behind a colon.
    package static func text(_ number: Int32) -> String {
        let text = String(cString: strerror(number))
        return text.prefix(1).lowercased() + text.dropFirst()
    }
}

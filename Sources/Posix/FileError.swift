// What happened to which file.

/// A deed that the system refused on a file.
package struct FileError: Error, Equatable {
    package enum Deed: String, Sendable {
        case open, create, read, write
    }

    package var path: String
    package var deed: Deed
    package var cause: SystemError

    package init(_ deed: Deed, _ path: String, _ cause: SystemError) {
        self.path = path
        self.deed = deed
        self.cause = cause
    }

    /// As in `cannot write /tmp/x: no space left on device`.
    package var message: String { "cannot \(deed.rawValue) \(path): \(cause.text)" }
}

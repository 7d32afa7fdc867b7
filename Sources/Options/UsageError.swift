// What a mistyped command line is answered with.

/// A command line that can't be run as it stands; the caller's exit status is 64.
package struct UsageError: Error, Equatable {
    /// What is wrong and what would be right, without the program's name and without a full stop.
    package var message: String
    /// The command whose help to point at; nil for workq as a whole.
    package var command: String?

    package init(_ message: String, command: String? = nil) {
        self.message = message
        self.command = command
    }
}

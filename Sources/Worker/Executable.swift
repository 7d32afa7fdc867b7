// Finds the command before a task is taken: a typo must not drain a queue.

import Posix

/// A command's executable, found as execvp(3) finds it, but never handed to a shell.
package struct Executable: Equatable {
    package let path: String

    /// Why a command can't be run.
    package struct Unusable: Error, Equatable {
        package var reason: String
    }

    /// Looks `name` up in `searchPath`, the value of PATH, unless it holds a slash.
    package init(named name: String, searchPath: String?) throws(Unusable) {
        guard !name.isEmpty else { throw Unusable(reason: "the command's name is empty") }
        let candidates =
            name.contains("/")
            ? [name]
            : (searchPath ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":", omittingEmptySubsequences: false)
                .map { $0.isEmpty ? name : "\($0)/\(name)" }
        var unusable: String?
        for candidate in candidates {
            var status = stat()
            guard stat(candidate, &status) == 0 else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                unusable = unusable ?? "\(candidate) is a directory"
            } else if access(candidate, X_OK) != 0 {
                unusable = unusable ?? "\(candidate) is not executable"
            } else {
                path = candidate
                return
            }
        }
        throw Unusable(reason: unusable ?? "\(name): command not found")
    }
}

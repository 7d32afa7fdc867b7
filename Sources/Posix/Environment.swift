// The variables that a process was given.

import CPosix

/// An environment, in bytes as the system has it.
///
/// A variable is looked for when somebody asks for it. A command asks for a handful of the dozens that there are, and
/// reading all takes as long as parsing the command line does.
package struct Environment: Sendable {
    /// `NAME=value`, as children get them.
    package let entries: [[UInt8]]

    package init(_ entries: [[UInt8]] = []) {
        self.entries = entries
    }

    /// This process's.
    package static var own: Environment {
        var entries: [[UInt8]] = []
        var entry = workq_environment()
        while let text = entry.pointee {
            entries.append(Array(UnsafeRawBufferPointer(start: text, count: strlen(text))))
            entry += 1
        }
        return Environment(entries)
    }

    /// The value of a variable, the first one of that name as for getenv(3); nil where there is none, or none in UTF-8.
    package subscript(name: String) -> String? {
        bytes(of: name).flatMap { String(validating: $0, as: UTF8.self) }
    }

    /// Whether a variable is there whose value isn't UTF-8.
    package func isUnreadable(_ name: String) -> Bool { bytes(of: name) != nil && self[name] == nil }

    private func bytes(of name: String) -> ArraySlice<UInt8>? {
        let start = Array("\(name)=".utf8)
        return entries.first { $0.starts(with: start) }?.dropFirst(start.count)
    }
}

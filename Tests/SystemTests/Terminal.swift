// A terminal for a program that behaves differently on one.

import Foundation
import TestSupport
import Testing

/// A pseudo-terminal whose other end is standard input of a workq.
final class Terminal {
    private let master: Int32
    /// Kept open, so that the terminal is there before and after its program is.
    private let end: Int32
    /// The path of the end for the program.
    let path: String

    init() throws {
        var (master, end): (Int32, Int32) = (-1, -1)
        try #require(openpty(&master, &end, nil, nil, nil) == 0)
        (self.master, self.end) = (master, end)
        for descriptor in [master, end] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        path = String(cString: try #require(ttyname(end)))
    }

    deinit {
        close(master)
        close(end)
    }

    var input: WorkqProcess.Input { .file(path) }

    /// Types a line.
    func type(_ text: String) throws {
        let bytes = Array("\(text)\n".utf8)
        try #require(write(master, bytes, bytes.count) == bytes.count)
    }
}

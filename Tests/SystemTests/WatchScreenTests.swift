// list-queues --watch on a terminal: a full screen, and a terminal that is as before afterwards.

import Foundation
import TestSupport
import Testing

/// A pseudo-terminal of a given size, all of whose output is kept.
final class ScreenTerminal {
    private let master: Int32
    private let end: Int32
    let path: String
    private var output: [UInt8] = []

    init(width: UInt16, height: UInt16) throws {
        var (master, end): (Int32, Int32) = (-1, -1)
        var size = winsize(ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0)
        try #require(openpty(&master, &end, nil, nil, &size) == 0)
        (self.master, self.end) = (master, end)
        for descriptor in [master, end] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        path = String(cString: try #require(ttyname(end)))
    }

    deinit {
        close(master)
        close(end)
    }

    /// All that was written to the terminal so far.
    func text() -> String {
        while case (let bytes, let count) = readSome(), count > 0 { output += bytes[..<count] }
        return String(decoding: output, as: UTF8.self)
    }

    private func readSome() -> ([UInt8], Int) {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &bytes, bytes.count)
        return (bytes, count)
    }

    /// The last picture drawn, a line each.
    func picture() -> [String] {
        let last = text().components(separatedBy: "\u{1B}[H").last ?? ""
        // Together with the newline, a carriage return would be one character.
        let lines = String(String.UnicodeScalarView(last.unicodeScalars.filter { $0 != "\r" }))
        return lines.components(separatedBy: "\n").map { line in
            ["\u{1B}[K", "\u{1B}[J", "\u{1B}[1m", "\u{1B}[0m"].reduce(line) {
                $0.replacingOccurrences(of: $1, with: "")
            }
        }
    }

    func type(_ text: String) throws {
        try #require(write(master, text, text.utf8.count) == text.utf8.count)
    }

    func resize(width: UInt16, height: UInt16) throws {
        var size = winsize(ws_row: height, ws_col: width, ws_xpixel: 0, ws_ypixel: 0)
        try #require(ioctl(master, UInt(TIOCSWINSZ), &size) == 0)
    }

    /// Whether typed lines are edited and echoed, as a shell expects it.
    var isCooked: Bool {
        var settings = termios()
        tcgetattr(end, &settings)
        return settings.c_lflag & tcflag_t(ICANON) != 0 && settings.c_lflag & tcflag_t(ECHO) != 0
    }

    /// Waits until everything that was written has come here, `end` last, and checks what a shell expects.
    func isGivenBack(_ end: String, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("the screen is given back") { text().hasSuffix(end) }
        #expect(isCooked, sourceLocation: sourceLocation)
    }
}

@Suite("watch screen", .serialized, .timeLimit(.minutes(3)))
struct WatchScreenTests {
    private func start(_ fixture: Fixture, _ terminal: ScreenTerminal) throws -> WorkqProcess {
        try WorkqProcess(
            [
                "-c", "exec \"$0\" list-queues --watch --interval 200ms --match \"$1\" <\"$2\" >\"$2\"",
                WorkqProcess.executable, "^\(fixture.queue)", terminal.path,
            ],
            environment: [
                "WORKQ_URL": fixture.broker.url, "WORKQ_API_URL": fixture.broker.apiURL, "LC_ALL": "C.UTF-8",
            ], executable: "/bin/sh")
    }

    @Test("the screen shows the queues, follows counts and a resize, and q leaves and restores the terminal")
    func screen() async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1", "2"])
        let terminal = try ScreenTerminal(width: 80, height: 24)
        let watch = try start(fixture, terminal)
        // A quorum queue's counts are a few seconds old.
        var picture: [String] = []
        try await eventually("a picture: \(watch.errors)") {
            picture = terminal.picture()
            return picture.count == 24 && picture[23].hasPrefix("q leaves") && picture[1].contains("2 ready")
        }
        #expect(terminal.text().hasPrefix("\u{1B}[?1049h") && !terminal.isCooked)
        #expect(picture[1] == "1 queue, 2 ready, 0 unacknowledged", "\(picture)")
        #expect(picture[3].contains("█") && picture[23].hasPrefix("q leaves  / filter"), "\(picture)")
        try await fixture.publish(["3"])
        try await eventually("the new count") { terminal.picture().contains("1 queue, 3 ready, 0 unacknowledged") }
        try terminal.resize(width: 40, height: 10)
        watch.signal(SIGWINCH)
        try await eventually("a smaller picture") {
            picture = terminal.picture()
            return picture.count == 10 && picture[9].hasPrefix("q leaves")
        }
        #expect(picture.allSatisfy { $0.count <= 40 }, "\(picture)")
        try terminal.type("q")
        let result = try await watch.wait()
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        try await terminal.isGivenBack("\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l")
    }

    @Test("Ctrl-C and a termination restore the terminal too", arguments: [SIGINT, SIGTERM])
    func signals(number: Int32) async throws {
        let fixture = try Fixture()
        try await fixture.publish(["1"])
        let terminal = try ScreenTerminal(width: 80, height: 24)
        let watch = try start(fixture, terminal)
        try await eventually("a picture: \(watch.errors)") { terminal.text().contains(fixture.queue) }
        watch.signal(number)
        let result = try await watch.wait()
        #expect(result.status == (number == SIGINT ? 0 : 143), "\(result)")
        try await terminal.isGivenBack("\u{1B}[?1049l")
    }

    @Test("an API that can't be asked is said on the usual screen, with the terminal untouched")
    func unreachable() async throws {
        let terminal = try ScreenTerminal(width: 80, height: 24)
        let watch = try WorkqProcess(
            [
                "-c", "exec \"$0\" list-queues --watch --api-url http://127.0.0.1:1 <\"$1\" >\"$1\"",
                WorkqProcess.executable, terminal.path,
            ], executable: "/bin/sh")
        let result = try await watch.wait(timeout: .seconds(20))
        #expect(result.status == 69 && terminal.text().isEmpty && terminal.isCooked, "\(result)")
    }
}

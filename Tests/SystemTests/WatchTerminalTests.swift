// list-queues --watch in a terminal that wraps, cuts and draws as people's terminals do: tmux.

import Broker
import Foundation
import TestSupport
import Testing

@Suite("watch in tmux", .serialized, .timeLimit(.minutes(5)))
struct WatchTerminalTests {
    @Test("Q6 the screen fits 40, 80 and 200 columns with 3, 50 and 500 queues, the busiest first, and keys work")
    func sizes() async throws {
        let fixture = try Fixture()
        let channel = try fixture.channel()
        let names = (0..<500).map { "\(fixture.queue)-\(String(repeating: "0", count: 3 - "\($0)".count))\($0)" }
        defer { for name in names { _ = try? channel.deleteQueue(ShortString(name)) } }
        var made = 0
        for count in [3, 50, 500] {
            for name in names[made..<count] { try channel.declareQueue(ShortString(name), type: .classic) }
            made = count
            // The last one by name is the only one that holds a task.
            for name in [names[0], names[count - 1]] { _ = try channel.purgeQueue(ShortString(name)) }
            try channel.publish(
                [0x31], exchange: "", routingKey: ShortString(names[count - 1]), mandatory: true,
                properties: MessageProperties())
            for width in [40, 80, 200] {
                let window = try await TerminalWindow(
                    width: width, height: 24, environment: fixture.environment.merging(["LC_ALL": "C.UTF-8"]) { $1 },
                    "\(WorkqProcess.executable) list-queues --watch --interval 300ms --match '^\(fixture.queue)-'")
                let lines = try await window.shows("all queues") { lines in
                    lines.contains { $0.hasPrefix("\(count) queues, ") && $0.contains(" ready") }
                        && lines.contains { $0.hasPrefix("q leaves") }
                }
                #expect(lines[0].hasPrefix("workq  counts "), "\(lines)")
                #expect(lines[2].hasPrefix("QUEUE") && lines[23].hasPrefix("q leaves"), "\(lines)")
                #expect(lines.allSatisfy { $0.count <= width }, "\(lines)")
                let last = String(names[count - 1].suffix(3))
                if width > 40 {
                    #expect(lines[3].contains("-\(last) "), "the one that holds a task is on top: \(lines)")
                }
                if count > 20 { #expect(lines[22] == "\(count - 19) more below", "\(lines)") }
                try await window.type("e")
                _ = try await window.shows("one queue") { $0.contains { $0.hasPrefix("1 queue, 1 ready") } }
                try await window.type("e", "n")
                let byName = try await window.shows("the first name") { width == 40 || $0[3].contains("-000 ") }
                #expect(byName.count >= 24)
                if count > 20 {
                    try await window.type("NPage")
                    _ = try await window.shows("the next page") { $0.contains { $0.contains("more above") } }
                }
                try await window.type("q")
            }
            _ = try channel.purgeQueue(ShortString(names[count - 1]))
        }
    }
}

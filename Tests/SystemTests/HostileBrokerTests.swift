// Brokers, web servers and publishers that send what nobody should: workq may refuse it, but not crash over it.

import Foundation
import TestSupport
import Testing

@Suite("hostile brokers", .serialized, .timeLimit(.minutes(5)))
struct HostileBrokerTests {
    private static let patience = Duration.seconds(30)

    /// Publishes a task to a peer, with eight seconds to connect, and checks that workq neither hangs nor crashes.
    private func publish(
        to peer: ScriptedPeer, _ options: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> WorkqProcess.Result {
        let process = try WorkqProcess(
            ["publish", "queue", "task", "--connect-timeout", "8s", "--confirm-timeout", "8s"] + options,
            environment: peer.environment)
        let (result, time) = try await process.end(within: .seconds(60))
        #expect(!result.isCrash && time < .seconds(30), "\(time) \(result)", sourceLocation: sourceLocation)
        return result
    }

    @Test("N14 a web server, and one that waits for a word, are told apart from a broker in time")
    func webServer() async throws {
        let answer = Array("HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n".utf8)
        for closes in [true, false] {
            let peer = try ScriptedPeer(timeout: Self.patience) { peer in
                try peer.send(raw: answer)
                if !closes { try peer.silence() }
            }
            let result = try await publish(to: peer)
            #expect(result.status == 69 && result.errors.contains("no AMQP broker answers there"), "\(result)")
        }
        let silent = try ScriptedPeer(timeout: Self.patience) { try $0.silence() }
        let result = try await publish(to: silent)
        #expect(result.status == 69 && result.errors.contains("no answer in time"), "\(result)")
    }

    @Test("N14 a server that speaks another version of AMQP is told apart from a broker")
    func otherVersion() async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.expectProtocolHeader()
            try peer.send(raw: Array("AMQP".utf8) + [0, 1, 0, 0])
        }
        let result = try await publish(to: peer)
        #expect(result.status == 69 && result.errors.contains("AMQP"), "\(result)")
    }

    @Test(
        "S13 a frame size that AMQP doesn't allow is refused, or its least is used",
        arguments: [1, 7, 8, 9, 20, 100, 4_095])
    func tinyFrames(size: UInt32) async throws {
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptLogin(frameMax: size)
            try peer.answer(.channelOpen)
            try peer.expect(.confirmSelect)
            try peer.expectTasks(1)
            try peer.ack(1)
            try peer.serveUntilClosed()
        }
        // A long name, which wouldn't fit a buffer of that size.
        let result = try await publish(to: peer, ["--vhost", String(repeating: "v", count: 255)])
        let settled = try #require(peer.logins.first?.frameMax)
        #expect(result.status == (settled < 4_096 ? 69 : 0), "frames of \(settled) bytes: \(result)")
    }

    @Test("S13 bytes that are no frames, at every stage, end in a message and never in a crash")
    func garbage() async throws {
        let rubbish: [[UInt8]] = [
            [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0xFF, count: 64),
            // A frame of 4 GiB, one without its end mark, a method that nobody knows, one cut short.
            [1, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF, 0], [1, 0, 1, 0, 0, 0, 1, 0, 0],
            [1, 0, 1, 0, 0, 0, 4, 0, 99, 0, 99, 0xCE],
            [1, 0, 1, 0, 0, 0, 4, 0, 60, 0, 80, 0xCE], [2, 0, 1, 0, 0, 0, 2, 0, 60, 0xCE],
            // Bodies and headers that belong to nothing.
            AMQPFrame.body(channel: 1, [1, 2, 3]).encoded, AMQPFrame.header(channel: 1, bodySize: .max, .none).encoded,
            AMQPFrame.other(type: 9, channel: 1, payload: [1]).encoded,
            // A header of another class than messages have, with every flag of theirs.
            [2, 0, 1, 0, 0, 0, 14, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF, 0xFE, 0xCE],
        ]
        for (number, bytes) in rubbish.enumerated() {
            for stage in 0...3 {
                let peer = try ScriptedPeer(timeout: Self.patience) { peer in
                    if stage == 0 { try peer.expectProtocolHeader() }
                    if stage == 1 { try peer.beginLogin() }
                    if stage >= 2 { try peer.acceptPublisher() }
                    if stage == 3 { try peer.expectTasks(1) }
                    try peer.send(raw: bytes)
                    try peer.readUntilClosed()
                }
                let result = try await publish(to: peer, ["--connect-timeout", "1s", "--confirm-timeout", "500ms"])
                #expect([69, 75, 76].contains(result.status), "rubbish \(number) at stage \(stage): \(result)")
            }
        }
    }

    @Test("S13 what a broker says of itself may be nested or broken without harm")
    func serverProperties() async throws {
        let nested = AMQPTable.field("deep", "A", AMQPTable.sized(Self.nestedArrays(levels: 20_000)))
        for properties in [nested, [5, 1, 2], AMQPTable.field("unknown", "?", [1, 2, 3])] {
            let peer = try ScriptedPeer(timeout: Self.patience) { peer in
                try peer.acceptLogin(serverProperties: properties)
                try peer.serveUntilClosed()
            }
            let result = try await publish(to: peer)
            #expect([69, 75].contains(result.status), "\(result)")
        }
    }

    @Test("S13 O10 escape sequences in a broker's words are shown, not obeyed")
    func escapes() async throws {
        let text = "\u{1B}[2J\u{1B}]0;owned\u{07}\u{202E}" + String(repeating: "long ", count: 40) + "\r\n\u{9B}31m"
        let peers = try [
            ScriptedPeer(timeout: Self.patience) { peer in
                try peer.acceptPublisher()
                try peer.expectTasks(1)
                try peer.closeChannel(404, text)
                try peer.serveUntilClosed()
            },
            ScriptedPeer(timeout: Self.patience) { peer in
                try peer.acceptLogin()
                try peer.expect(.channelOpen)
                try peer.closeConnection(541, text)
                try peer.serveUntilClosed()
            },
            ScriptedPeer(timeout: Self.patience) { peer in
                try peer.acceptPublisher()
                try peer.expectTasks(1)
                try peer.block(reason: text)
                try peer.readUntilClosed()
            },
            ScriptedPeer(timeout: Self.patience) { peer in
                try peer.acceptPublisher()
                try peer.returnMessage(peer.expectPublish(), text: text)
                try peer.ack(1)
                try peer.serveUntilClosed()
            },
        ]
        for peer in peers {
            let result = try await publish(to: peer, ["--no-create"])
            #expect(result.errors.contains("\\x1b[2J\\x1b]0;owned\\x07\\xe2\\x80\\xae"), "\(result)")
            let unsafe = result.errors.unicodeScalars.filter { $0.properties.generalCategory == .control }
            #expect(unsafe.allSatisfy { $0 == "\n" } && !result.errors.contains("\u{202E}"), "\(result)")
        }
    }

    @Test(
        "W14 a task with 128 KiB of nested headers neither kills the worker nor its command, whatever the stack limit",
        arguments: ["", "ulimit -Ss 1024", "ulimit -s 1024"])
    func nestedHeaders(limit: String) async throws {
        let arrays = AMQPTable.field("deep", "A", AMQPTable.sized(Self.nestedArrays(levels: 26_000)))
        let tables = AMQPTable.table("deep", Self.nestedTables(levels: 18_000))
        let messages = try [arrays, tables].map { try AMQPProperties(["headers": .bytes($0), "message-id": "m"]) }
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptWorker()
            for (index, properties) in messages.enumerated() {
                try peer.deliver(tag: UInt64(index + 1), body: Array("task".utf8), properties: properties)
                try peer.wait(for: .basicAck)
            }
            try peer.serveUntilClosed()
        }
        let worker = try WorkqProcess(
            ["-c", "\(limit)\nexec \"$0\" \"$@\"", WorkqProcess.executable, "work", "-v", "queue", "--", "cat"],
            environment: peer.environment, executable: "/bin/sh")
        try await eventually("both tasks are done", within: Self.patience) { worker.output == "tasktask" }
        try await worker.leave()
        try await peer.finish(within: Self.patience)
        #expect(worker.count(of: "is acknowledged") == 2, "\(worker.errors)")
    }

    @Test("M14 headers of every type are passed on or left out, never fatal")
    func headerTypes() async throws {
        let fields =
            AMQPTable.flag("bool", true) + AMQPTable.field("i8", "b", [0xFE]) + AMQPTable.field("u8", "B", [0xFE])
            + AMQPTable.field("i16", "s", [0xFF, 0xFE]) + AMQPTable.field("u16", "u", [0xFF, 0xFE])
            + AMQPTable.field("i32", "I", [0xFF, 0xFF, 0xFF, 0xFE]) + AMQPTable.field("u32", "i", [0, 0, 1, 0])
            + AMQPTable.number("i64", -5) + AMQPTable.field("f32", "f", [0x3F, 0xC0, 0, 0])
            + AMQPTable.field("f64", "d", [0x3F, 0xF8, 0, 0, 0, 0, 0, 0])
            + AMQPTable.field("decimal", "D", [2, 0, 0, 1, 0]) + AMQPTable.text("text", "a b")
            + AMQPTable.field("bytes", "x", AMQPTable.sized([0x41, 0, 0x42]))
            + AMQPTable.field("time", "T", [0, 0, 0, 0, 0, 0, 1, 0]) + AMQPTable.field("void", "V", [])
            + AMQPTable.field("array", "A", AMQPTable.sized([0x56, 0x74, 1]))
            + AMQPTable.table("table", AMQPTable.text("inner", "x") + AMQPTable.field("none", "V", []))
            + AMQPTable.text("", "no name") + AMQPTable.text("LD_PRELOAD", "/tmp/evil.so")
        let properties = try AMQPProperties(["headers": .bytes(fields)])
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptWorker()
            try peer.deliver(tag: 1, body: Array("task".utf8), properties: properties)
            try peer.serve(until: .basicAck)
            try peer.serveUntilClosed()
        }
        let result = try await WorkqProcess.run(
            ["work", "queue", "--count", "1", "--", "env"], environment: peer.environment)
        try await peer.finish(within: Self.patience)
        #expect(result.status == 0, "\(result)")
        let headers = result.lines.filter { $0.hasPrefix("WORKQ_HEADER_") }.map { String($0.dropFirst(13)) }
        let expected = [
            "BOOL=true", "I8=-2", "U8=254", "I16=-2", "U16=65534", "I32=-2", "U32=256", "I64=-5", "F32=1.5", "F64=1.5",
            "TEXT=a b", "BYTES=AB", "TIME=256", "=no name", "LD_PRELOAD=/tmp/evil.so",
        ]
        #expect(Set(headers) == Set(expected), "\(headers)")
        #expect(!result.lines.contains { $0.hasPrefix("LD_PRELOAD") })
    }

    @Test("M14 a header of a type that nobody knows: the worker says so and comes back, it neither crashes nor hangs")
    func unknownHeaderType() async throws {
        let properties = try AMQPProperties(["headers": .bytes(AMQPTable.field("odd", "?", [1, 2, 3]))])
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            try peer.acceptWorker()
            try peer.deliver(tag: 1, body: Array("bad".utf8), properties: properties)
            try peer.readUntilClosed()
            let second = try peer.accept()
            try second.acceptWorker()
            try second.deliver(tag: 1, body: Array("good".utf8))
            try second.wait(for: .basicAck)
            try second.serveUntilClosed()
        }
        let worker = try WorkqProcess(["work", "-v", "queue", "--", "cat"], environment: peer.environment)
        try await worker.says("doesn't speak AMQP 0-9-1 as it should", within: Self.patience)
        try await worker.says("is acknowledged", within: Self.patience)
        try await worker.leave()
        try await peer.finish(within: Self.patience)
        #expect(worker.output == "good", "\(worker.errors)")
    }

    @Test("M14 N15 a task that breaks every connection it comes on: the worker comes back ever more slowly")
    func poisonousTask() async throws {
        let properties = try AMQPProperties(["headers": .bytes(AMQPTable.field("odd", "?", [1, 2, 3]))])
        let peer = try ScriptedPeer(timeout: Self.patience) { peer in
            var connection = peer
            let start = ContinuousClock.now
            for number in 1...5 {
                if number > 1 { connection = try peer.accept() }
                try connection.acceptWorker()
                try connection.deliver(tag: 1, body: Array("bad".utf8), redelivered: number > 1, properties: properties)
                try connection.readUntilClosed()
            }
            // Four pauses of at least 0.25, 0.5, 1 and 2 seconds.
            let time = ContinuousClock.now - start
            try peer.check(time > .seconds(3), "pauses grow: five connections in \(time)")
        }
        let worker = try WorkqProcess(["work", "queue", "--", "cat"], environment: peer.environment)
        try await peer.finish(within: .seconds(60))
        worker.signal(SIGTERM)
        #expect(try await !worker.wait(timeout: Self.patience).isCrash)
    }

    /// Arrays within arrays, as the content of an array.
    private static func nestedArrays(levels: Int) -> [UInt8] {
        (0..<levels).reversed().flatMap { [UInt8(ascii: "A")] + size(5 * $0) }
    }

    /// Tables within tables, each under an empty name, as the content of a table.
    private static func nestedTables(levels: Int) -> [UInt8] {
        (0..<levels).reversed().flatMap { [0, UInt8(ascii: "F")] + size(6 * $0) }
    }

    private static func size(_ count: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(count).bigEndian) { Array($0) }
    }
}

// Publishers choose headers and properties; none of them may choose a command's environment.

import Broker
import TestSupport
import Testing

@testable import Worker

@Suite("Task environment") struct TaskEnvironmentTests {
    private static func delivery(_ headers: FieldTable? = nil) -> Delivery {
        var properties = MessageProperties()
        properties.headers = headers
        return Delivery(
            consumerTag: "c", deliveryTag: 1, redelivered: false, exchange: "", routingKey: "rk", properties: properties
        )
    }

    private static func entries(_ headers: FieldTable) -> [[UInt8]] {
        TaskEnvironment.variables(for: delivery(headers), queue: "q").strings
    }

    private static func texts(_ entries: [[UInt8]]) -> [String] {
        entries.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The entries that come from headers.
    private static func headerTexts(_ headers: FieldTable) -> [String] {
        texts(entries(headers)).filter { $0.hasPrefix("WORKQ_HEADER_") }
    }

    @Test("a batch is described by what its tasks have in common, and none of these is inherited from a worker around")
    func batch() {
        let entries = Self.texts(TaskEnvironment.variables(forBatchOf: 7, queue: "q", maximumAttempts: 3).strings)
        #expect(entries == ["WORKQ_QUEUE=q", "WORKQ_BATCH_SIZE=7", "WORKQ_MAX_ATTEMPTS=3"])
        #expect(entries.allSatisfy { TaskEnvironment.describes(String($0.prefix { $0 != "=" })) })
    }

    @Test("M18 everything that is known of a task is there")
    func full() {
        var delivery = Self.delivery(["Tenant-ID": .text("acme"), "tries": .int32(-3)])
        delivery.redelivered = true
        delivery.exchange = "x"
        delivery.properties.messageID = "id-1"
        delivery.properties.priority = 9
        delivery.properties.timestamp = 1_700_000_000
        delivery.properties.type = "t"
        delivery.properties.contentType = "text/plain"
        delivery.properties.correlationID = "corr"
        delivery.properties.replyTo = "answers"
        #expect(
            Set(Self.texts(TaskEnvironment.variables(for: delivery, queue: "q").strings))
                .isSuperset(of: [
                    "WORKQ_QUEUE=q", "WORKQ_MESSAGE_ID=id-1", "WORKQ_REDELIVERED=1", "WORKQ_EXCHANGE=x",
                    "WORKQ_ROUTING_KEY=rk",
                    "WORKQ_PRIORITY=9", "WORKQ_TIMESTAMP=1700000000", "WORKQ_TYPE=t", "WORKQ_CONTENT_TYPE=text/plain",
                    "WORKQ_CORRELATION_ID=corr", "WORKQ_REPLY_TO=answers", "WORKQ_HEADER_TENANT_ID=acme",
                    "WORKQ_HEADER_TRIES=-3",
                ]))
    }

    @Test("M15 what a message doesn't have is absent, not empty")
    func bare() {
        let names = Self.texts(TaskEnvironment.variables(for: Self.delivery(), queue: "q").strings)
        for name in [
            "MESSAGE_ID", "PRIORITY", "TIMESTAMP", "TYPE", "CONTENT_TYPE", "CORRELATION_ID", "REPLY_TO", "HEADER_",
        ] {
            #expect(!names.contains { $0.hasPrefix("WORKQ_\(name)") })
        }
        #expect(names.contains("WORKQ_REDELIVERED=0"))
        #expect(names.contains("WORKQ_EXCHANGE="))
    }

    @Test(
        "M16 no header gets its own name into the environment",
        arguments: [
            ("LD_PRELOAD", "LD_PRELOAD"), ("PATH", "PATH"), ("BASH_ENV", "BASH_ENV"), ("ld_preload", "LD_PRELOAD"),
            ("X=/evil/lib.so", "X__EVIL_LIB_SO"), ("A\nPATH=/evil", "A_PATH__EVIL"), ("A\0PATH=/evil", "A_PATH__EVIL"),
            ("BASH_FUNC_ls%%", "BASH_FUNC_LS__"), ("() { :; }", "_________"), ("ü", "__"), ("ﬁ", "___"), ("", ""),
            ("=", "_"),
            ("$(reboot)", "__REBOOT_"), ("\u{1B}[2J", "__2J"), ("QUEUE", "QUEUE"),
        ])
    func hostileNames(header: String, name: String) {
        #expect(Self.headerTexts([ShortString(header): .text("v")]) == ["WORKQ_HEADER_\(name)=v"])
        #expect(TaskEnvironment.variableName(ShortString(header)) == name)
        // Nothing but workq's own names, the header's among them.
        #expect(Self.texts(Self.entries([ShortString(header): .text("v")])).allSatisfy { $0.hasPrefix("WORKQ_") })
    }

    @Test("M16 values keep their bytes, newlines too, but no NUL")
    func values() {
        #expect(Self.headerTexts(["a": .text("x\nPATH=/evil\n")]) == ["WORKQ_HEADER_A=x\nPATH=/evil\n"])
        #expect(Self.headerTexts(["a": .string(Array("x\0y\0".utf8))]) == ["WORKQ_HEADER_A=xy"])
        #expect(Self.entries(["a": .bytes([0xFF, 0, 0xFE])]).last == Array("WORKQ_HEADER_A=".utf8) + [0xFF, 0xFE])
        var delivery = Self.delivery()
        delivery.properties.messageID = ShortString(bytes: Array("a\0b".utf8))
        delivery.routingKey = ShortString(bytes: Array("\0\0rk".utf8))
        let texts = Self.texts(TaskEnvironment.variables(for: delivery, queue: "q").strings)
        #expect(texts.contains("WORKQ_MESSAGE_ID=ab"))
        #expect(texts.contains("WORKQ_ROUTING_KEY=rk"))
    }

    @Test("M14 scalars of every type have a text; tables, arrays and void are left out")
    func types() {
        let headers: FieldTable = [
            "a": .bool(true), "b": .bool(false), "c": .int8(-1), "d": .uint8(255), "e": .int16(-2), "f": .uint16(3),
            "g": .int32(-4),
            "h": .uint32(5), "i": .int64(.min), "j": .uint64(.max), "k": .float(1.5), "l": .double(-0.25),
            "m": .timestamp(7),
            "n": .text("t"), "o": .bytes(Array("b".utf8)), "p": .array([.int8(1)]), "q": .table(["x": .int8(1)]),
            "r": .void,
        ]
        let values = Self.headerTexts(headers).map { String($0.dropFirst("WORKQ_HEADER_X=".count)) }
        #expect(
            values == [
                "true", "false", "-1", "255", "-2", "3", "-4", "5", "\(Int64.min)", "\(UInt64.max)", "1.5", "-0.25",
                "7", "t", "b",
            ])
    }

    @Test("M16 of names that become the same the first one counts")
    func collisions() {
        #expect(
            Self.headerTexts(["a-b": .text("1"), "A_B": .text("2"), "a.b": .text("3"), "c": .text("4")])
                == ["WORKQ_HEADER_A_B=1", "WORKQ_HEADER_C=4"])
    }

    @Test("M16 values are cut before the system would refuse to start the command")
    func longValue() {
        let entries = Self.entries(["a": .bytes(Array(repeating: 0x78, count: 200_000))])
        let prefix = "WORKQ_HEADER_A=".utf8.count
        #expect(entries.last?.count == prefix + TaskEnvironment.maximumValueSize)
        #expect(entries.allSatisfy { $0.count < 131_072 })
    }

    @Test("M16 all headers together stay below their limit; those that don't fit are left out, the rest is there")
    func manyHeaders() {
        let fields = (0..<20).map {
            FieldTable.Field(name: ShortString("h\($0)"), value: .bytes(Array(repeating: 0x78, count: 30_000)))
        }
        let small = FieldTable.Field(name: "small", value: .text("v"))
        let entries = Self.headerTexts(FieldTable(fields + [small]))
        #expect(entries.reduce(0) { $0 + $1.utf8.count } <= TaskEnvironment.maximumHeadersSize)
        #expect(entries.count == 9)
        #expect(entries.last == "WORKQ_HEADER_SMALL=v")
    }

    @Test("M16 random hostile messages: only workq's names, none twice, no NUL, bounded", arguments: seeds(100))
    func randomMessages(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let fields = (0..<Int.random(in: 0...60, using: &generator)).map { _ in
            FieldTable.Field(
                name: ShortString(bytes: generator.bytes(Int.random(in: 0...255, using: &generator))),
                value: .bytes(generator.bytes(Int.random(in: 0...500, using: &generator))))
        }
        var delivery = Self.delivery(FieldTable(fields))
        delivery.properties.messageID = ShortString(bytes: generator.bytes(255))
        delivery.properties.type = ShortString(bytes: generator.bytes(255))
        var names: Set<String> = []
        for entry in TaskEnvironment.variables(for: delivery, queue: "q").strings {
            #expect(!entry.contains(0))
            let equals = try #require(entry.firstIndex(of: UInt8(ascii: "=")))
            let name = String(decoding: entry[..<equals], as: UTF8.self)
            #expect(try /WORKQ_[A-Z0-9_]+/.wholeMatch(in: name) != nil)
            #expect(TaskEnvironment.describes(name))
            #expect(names.insert(name).inserted)
        }
    }

    @Test("only the variables that describe a task are recognised as such")
    func describes() {
        for name in ["WORKQ_QUEUE", "WORKQ_MESSAGE_ID", "WORKQ_HEADER_", "WORKQ_HEADER_X"] {
            #expect(TaskEnvironment.describes(name))
        }
        for name in ["WORKQ_URL", "WORKQ_QUEUES", "WORKQ_HEADER", "PATH", "", "workq_queue", "XWORKQ_QUEUE"] {
            #expect(!TaskEnvironment.describes(name))
        }
    }
}

// A task that was written as JSON is the same task when it is read.

import Broker
import Foundation
import TestSupport
import Testing

@testable import Commands

@Suite("Task record") struct TaskRecordTests {
    private static func line(_ record: TaskRecord) -> [UInt8] {
        var line: [UInt8] = []
        record.appendLine(to: &line)
        return line
    }

    private static func text(_ record: TaskRecord) -> String { String(decoding: line(record), as: UTF8.self) }

    private static func read(_ text: String) throws -> TaskRecord { try TaskRecord(line: Array(text.utf8)) }

    private static func record(_ body: String = "x", headers: FieldTable? = nil) -> TaskRecord {
        var record = TaskRecord(body: Array(body.utf8))
        record.properties.headers = headers
        return record
    }

    /// Why a line isn't a task; nil when it is one.
    private static func reason(_ text: String) -> String? {
        do {
            _ = try read(text)
            return nil
        } catch {
            return (error as? TaskRecord.Malformed)?.reason
        }
    }

    @Test("M2 M14 any task comes back with every bit of its body and properties", arguments: seeds(500))
    func roundTrip(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let record = generator.taskRecord()
        let line = Self.line(record)
        // Not compared as values: two that are not a number are never equal, 0.0 and -0.0 always.
        #expect(String(reflecting: try TaskRecord(line: line)) == String(reflecting: record))
        #expect(Self.line(try TaskRecord(line: line)) == line)
    }

    @Test("a task is one line of JSON that other programs read", arguments: seeds(300))
    func oneLine(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let record = generator.taskRecord()
        let line = Self.line(record)
        #expect(line.firstIndex(of: UInt8(ascii: "\n")) == line.count - 1)
        #expect(!line.dropLast().contains { $0 < 0x20 || $0 == 0x7F })
        let object = try #require(try JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        let body =
            (object["body"] as? String).map { Array($0.utf8) }
            ?? (object["body_base64"] as? String).flatMap { Data(base64Encoded: $0) }.map { Array($0) }
        #expect(body == record.body)
    }

    @Test("the plain case is plain, in both directions")
    func plain() throws {
        let record = Self.record(headers: ["kind": .text("thumb"), "n": .int64(5)])
        #expect(try Self.read(#"{"body":"x","headers":{"kind":"thumb","n":5}}"#) == record)
        #expect(Self.text(record) == #"{"body":"x","headers":{"kind":"thumb","n":5}}"# + "\n")
        #expect(try Self.read(" { \"body\" : \"x\" }\r\n") == Self.record())
        #expect(try Self.read(#"{"body":""}"#) == Self.record(""))
    }

    @Test("every property goes by AMQP's name")
    func properties() throws {
        let text = """
            {"body_base64":"AP8=","headers":{},"delivery_mode":2,"priority":255,"timestamp":18446744073709551615,\
            "content_type":"ct","content_encoding":"ce","correlation_id":"ci","reply_to":"rt","expiration":"60000",\
            "message_id":"mi","type":"t","user_id":"u","app_id":"ai","cluster_id":"cl"}

            """
        let record = try Self.read(text)
        #expect(record.body == [0, 0xFF])
        var expected = MessageProperties()
        expected.headers = [:]
        expected.deliveryMode = 2
        expected.priority = 255
        expected.timestamp = .max
        expected.contentType = "ct"
        expected.contentEncoding = "ce"
        expected.correlationID = "ci"
        expected.replyTo = "rt"
        expected.expiration = "60000"
        expected.messageID = "mi"
        expected.type = "t"
        expected.userID = "u"
        expected.appID = "ai"
        expected.clusterID = "cl"
        #expect(record.properties == expected)
        #expect(Self.text(record) == text)
        #expect(try Self.read(#"{"body":"x","expiration":60000}"#).properties.expiration == "60000")
    }

    /// Values of all types, and how they stand in the headers.
    private static var forms: [(FieldValue, String)] {
        [
            (.int8(-1), #"{"$int8":-1}"#), (.uint8(255), #"{"$uint8":255}"#), (.int16(-2), #"{"$int16":-2}"#),
            (.uint16(9), #"{"$uint16":9}"#), (.int32(7), #"{"$int32":7}"#), (.uint32(7), #"{"$uint32":7}"#),
            (.int64(.min), "-9223372036854775808"), (.uint64(.max), #"{"$uint64":18446744073709551615}"#),
            (.float(0.5), #"{"$float":0.5}"#), (.float(-.infinity), #"{"$float":"-inf"}"#), (.double(1), "1.0"),
            (.double(1e100), "1e+100"), (.double(.infinity), #"{"$double":"inf"}"#),
            (.decimal(scale: 2, value: 314), #"{"$decimal":"3.14"}"#),
            (.decimal(scale: 3, value: 5), #"{"$decimal":"0.005"}"#),
            (.decimal(scale: 0, value: 0), #"{"$decimal":"0"}"#),
            (.timestamp(1_700_000_000), #"{"$timestamp":1700000000}"#), (.void, "null"), (.bool(true), "true"),
            (.bytes([0, 255]), #"{"$bytes_base64":"AP8="}"#), (.string([255]), #"{"$string_base64":"/w=="}"#),
            (.text("$int8"), #""$int8""#), (.array([.int64(1), .text("a")]), #"[1,"a"]"#), (.array([]), "[]"),
            (.table(["a": .table([:])]), #"{"a":{}}"#), (.table(["$int8": .int64(1)]), #"{"$table":[["$int8",1]]}"#),
            (
                .table(FieldTable([.init(name: "a", value: .void), .init(name: "a", value: .bool(false))])),
                #"{"$table":[["a",null],["a",false]]}"#
            ),
            (
                .table([ShortString(bytes: [255]): .int64(1)]), #"{"$table":[[{"$string_base64":"/w=="},1]]}"#
            ),
        ]
    }

    @Test("M14 a type that JSON lacks has a form of its own")
    func typesOfHeaders() throws {
        for (value, json) in Self.forms {
            let record = Self.record(headers: ["v": value])
            #expect(Self.text(record) == #"{"body":"x","headers":{"v":\#(json)}}"# + "\n")
            #expect(try Self.read(#"{"body":"x","headers":{"v":\#(json)}}"#) == record)
        }
    }

    @Test("headers keep their order, and names that look alike stay apart")
    func order() throws {
        let names = ["b", "a", "c", "e\u{301}", "\u{E9}"]
        let record = Self.record(headers: FieldTable(names.map { .init(name: ShortString($0), value: .void) }))
        let fields = try TaskRecord(line: Self.line(record)).properties.headers?.fields
        #expect(fields?.map(\.name) == names.map { ShortString($0) })
        #expect(!Self.text(record).contains("$table"))
    }

    @Test(
        "a line that isn't a task says why",
        arguments: [
            ("", "not JSON: the end instead of a value, at column 1"),
            ("photo.jpg", "not JSON: \"p\" instead of a value, at column 1"),
            (#"{"body":"x""#, "not JSON: the end instead of a comma or }, at column 12"),
            (#"{"body":"x"} {}"#, "not JSON: \"{\" after the end, at column 14"),
            (#"{"body":'x'}"#, "not JSON: \"'\" instead of a value, at column 9"),
            (#"["x"]"#, #"a task is an object such as {"body":"text"}, not an array"#),
            (#""x""#, #"a task is an object such as {"body":"text"}, not text"#),
            ("{}", #"body is missing; an empty task has "body":"""#),
            (#"{"body":"x","body_base64":"eA=="}"#, "body_base64: a task has one body, either body or body_base64"),
            (#"{"body":"x","body":"y"}"#, #""body" stands there twice"#),
            (#"{"body":5}"#, "body: must be text, not a number; put it in quotes"),
            (#"{"body":null}"#, "body: must be text, not null; put it in quotes"),
            (
                #"{"body":{"a":1}}"#,
                "body: must be text, not an object; to send JSON put it in quotes, as jq does with {body: tojson}"
            ),
            (#"{"body_base64":"AP8"}"#, #"body_base64: must be Base64 with padding, such as "AAH/""#),
            (#"{"body_base64":7}"#, #"body_base64: must be Base64 with padding, such as "AAH/""#),
            (#"{"body":"x","prioritty":1}"#, #"unknown key "prioritty"; did you mean priority?"#),
            (#"{"body":"x","priority":256}"#, "priority: must be a whole number from 0 to 255"),
            (#"{"body":"x","priority":"1"}"#, "priority: must be a whole number from 0 to 255"),
            (#"{"body":"x","delivery_mode":3}"#, "delivery_mode: must be a whole number from 1 to 2"),
            (#"{"body":"x","timestamp":-1}"#, "timestamp: must be a whole number from 0 to 18446744073709551615"),
            (#"{"body":"x","timestamp":1.5}"#, "timestamp: must be a whole number from 0 to 18446744073709551615"),
            (
                #"{"body":"x","expiration":"60s"}"#,
                #"expiration: must be milliseconds in digits, from "0" to "4294967295""#
            ),
            (
                #"{"body":"x","expiration":""}"#,
                #"expiration: must be milliseconds in digits, from "0" to "4294967295""#
            ),
            (#"{"body":"x","type":5}"#, "type: must be text, not a number"),
            (#"{"body":"x","headers":[]}"#, #"headers: must be an object such as {"name":"value"}"#),
            (#"{"body":"x","headers":{"a":1,"a":2}}"#, #"headers: "a" stands there twice"#),
            (
                #"{"body":"x","headers":{"a":{"$int8":128}}}"#,
                "headers: a: $int8: must be a whole number from -128 to 127"
            ),
            (
                #"{"body":"x","headers":{"n":18446744073709551615}}"#,
                #"headers: n: must be a number up to 9223372036854775807, a text, or {"$uint64":...}"#
            ),
            (
                #"{"body":"x","headers":{"a":{"$x":1}}}"#,
                #"headers: a: "$x" is no type, and a name may begin with $ only in {"$table":[["name","value"]]}"#
            ),
            (
                #"{"body":"x","headers":{"a":{"$int8":1,"b":2}}}"#,
                #"headers: a: "$int8" is no type, and a name may begin with $ only in {"$table":[["name","value"]]}"#
            ),
        ])
    func malformed(line: String, reason: String) {
        #expect(Self.reason(line) == reason)
    }

    @Test("M11 a property may have 255 bytes, one more is too long")
    func longProperties() {
        func line(_ count: Int) -> String {
            #"{"body":"x","message_id":"\#(String(repeating: "m", count: count))"}"#
        }
        #expect(Self.reason(line(255)) == nil)
        #expect(Self.reason(line(256)) == "message_id: has 256 bytes, the limit is 255")
    }

    @Test("M13 numbers that don't fit their type are refused")
    func ranges() {
        for (tag, number) in [
            ("$uint8", "256"), ("$uint8", "-1"), ("$int32", "2147483648"), ("$float", "1e39"), ("$float", "\"1\""),
            ("$double", "\"x\""), ("$double", "\"1\""), ("$decimal", "3.14"), ("$decimal", "\"4294967296\""),
            ("$decimal", "\".5\""), ("$decimal", "\"-1\""), ("$timestamp", "\"now\""), ("$bytes_base64", "\"?\""),
        ] {
            let reason = Self.reason(#"{"body":"x","headers":{"a":{"\#(tag)":\#(number)}}}"#)
            #expect(reason?.hasPrefix("headers: a: \(tag): must be") == true, "\(tag) \(number): \(reason ?? "read")")
        }
    }

    @Test("altered lines are refused or read, and never crash", arguments: seeds(300))
    func hostile(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var line = Self.line(generator.taskRecord())
        for _ in 0..<3 {
            let index = Int.random(in: line.indices, using: &generator)
            if Bool.random(using: &generator) {
                line[index] = .random(in: 0...255, using: &generator)
            } else {
                line.remove(at: index)
            }
        }
        guard let record = try? TaskRecord(line: line) else { return }
        #expect(String(reflecting: try TaskRecord(line: Self.line(record))) == String(reflecting: record))
    }
}

// Header tables: every type survives librabbitmq's encoder and decoder, and sizes and names are right before sending.

import TestSupport
import Testing

@testable import Broker

@Suite("Field tables") struct FieldTableTests {
    private static var values: [FieldValue] {
        [
            .bool(true), .bool(false), .int8(-128), .uint8(255), .int16(-32_768), .uint16(65_535), .int32(.min),
            .uint32(.max),
            .int64(.min), .uint64(.max), .float(1.5), .double(-.infinity), .decimal(scale: 2, value: 314), .text("ü"),
            .string([]),
            .string([0xFF, 0]), .bytes([0, 1, 2]), .bytes([]), .timestamp(1_700_000_000), .array([]),
            .array([.void, .text("a"), .array([.int8(1)])]), .table([:]),
            .table(["a": .table(["b": .array([.table(["c": .void])])])]),
            .void,
        ]
    }

    @Test("M14 every type goes out and comes back, and takes the bytes that were computed")
    func roundTrip() throws {
        for value in Self.values {
            let table: FieldTable = ["before": .int8(1), "value": value, "after": .int8(2)]
            let encoded = try LibraryCodec.encode(table)
            #expect(encoded.count == table.encodedSize)
            #expect(try LibraryCodec.decodeTable(encoded) == table)
        }
    }

    @Test("M14 random nested tables go out and come back, with the size that was computed", arguments: seeds(200))
    func randomTables(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let table = generator.fieldTable(depth: 4)
        let encoded = try LibraryCodec.encode(table)
        #expect(encoded.count == table.encodedSize)
        #expect(try LibraryCodec.decodeTable(encoded) == table)
    }

    @Test("M14 an empty table has four bytes")
    func empty() throws {
        #expect(FieldTable().encodedSize == 4)
        #expect(try LibraryCodec.encode(FieldTable()) == [0, 0, 0, 0])
    }

    @Test("M14, W14 what is nested deeper than anybody means it is left out, the rest is read")
    func deepNesting() throws {
        var value = FieldValue.text("core")
        for level in 0..<500 { value = level % 2 == 0 ? .array([value]) : .table(["n": value]) }
        let decoded = try LibraryCodec.decodeTable(try LibraryCodec.encode(["deep": value, "flat": .int8(1)]))
        #expect(decoded["flat"] == .int8(1))
        var depth = 0
        var rest = try #require(decoded["deep"])
        while true {
            if case .table(let table) = rest, let next = table["n"] {
                rest = next
            } else if case .array(let values) = rest, let next = values.first {
                rest = next
            } else {
                break
            }
            depth += 1
        }
        #expect(rest == .void)
        #expect((32...128).contains(depth))
    }

    @Test("M14 truncated and altered tables are refused or read, never more", arguments: seeds(100))
    func hostileBytes(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let bytes = try LibraryCodec.encode(generator.fieldTable(depth: 3))
        #expect(throws: LibraryCodec.Failure.self) { try LibraryCodec.decodeTable(Array(bytes.dropLast())) }
        var altered = bytes
        altered[Int.random(in: altered.indices, using: &generator)] = .random(in: 0...255, using: &generator)
        if let table = try? LibraryCodec.decodeTable(altered) { #expect(table.encodedSize <= 8 * altered.count + 4) }
    }

    @Test("M11, M12 a name may have 1 to 128 bytes")
    func nameLengths() {
        #expect(([Self.name(128): .void] as FieldTable).firstInvalidName == nil)
        #expect((["n": .void] as FieldTable).firstInvalidName == nil)
        for length in [129, 255, 256, 300] {
            #expect((["fine": .void, Self.name(length): .void] as FieldTable).firstInvalidName == Self.name(length))
        }
        #expect((["": .void] as FieldTable).firstInvalidName == "")
        // Bytes count, not letters.
        let umlauts = ShortString(String(repeating: "ü", count: 65))
        #expect(([umlauts: .void] as FieldTable).firstInvalidName == umlauts)
    }

    private static func name(_ length: Int) -> ShortString { ShortString(String(repeating: "n", count: length)) }

    @Test(
        "M12 no control character gets into a name, wherever it stands", arguments: Array(0...0x1F) + [0x7F] as [UInt8])
    func controlCharacters(byte: UInt8) {
        for bytes in [[byte], [byte, 0x61], [0x61, byte], [0x61, byte, 0x62]] as [[UInt8]] {
            let name = ShortString(bytes: bytes)
            #expect(([name: .int8(1)] as FieldTable).firstInvalidName == name)
        }
    }

    @Test("M12 everything else is allowed in a name, UTF-8 or not")
    func otherBytes() {
        for byte in (UInt8(0x20)...0xFF) where byte != 0x7F {
            #expect(([ShortString(bytes: [byte]): .void] as FieldTable).firstInvalidName == nil)
        }
    }

    @Test("M12 names in nested tables and arrays are checked too, the first one found")
    func nestedNames() {
        let bad: FieldTable = ["ok": .int8(1), "b\r\n": .void]
        #expect((["t": .table(bad)] as FieldTable).firstInvalidName == "b\r\n")
        #expect(
            (["a": .array([.void, .table(["x": .array([.table(bad)])])])] as FieldTable).firstInvalidName == "b\r\n")
        #expect((["t": .table(bad), "\n": .void] as FieldTable).firstInvalidName == "b\r\n")
        #expect((["t": .table(["ok": .void]), "\n": .void] as FieldTable).firstInvalidName == "\n")
    }

    @Test("setting a name replaces its first field, setting nil removes all of the name")
    func subscripting() {
        var table = FieldTable(["a", "b", "a"].enumerated().map { FieldTable.Field(name: $1, value: .int8(Int8($0))) })
        #expect(table["a"] == .int8(0))
        table["a"] = .text("new")
        #expect(table.fields.map(\.value) == [.text("new"), .int8(1), .int8(2)])
        table["c"] = .void
        #expect(table.fields.last == FieldTable.Field(name: "c", value: .void))
        table["a"] = nil
        #expect(table.fields.map(\.name) == ["b", "c"])
        #expect(table["a"] == nil)
    }
}

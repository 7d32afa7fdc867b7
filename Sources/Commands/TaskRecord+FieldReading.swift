// AMQP's field values from JSON: see TaskRecord+Fields.swift for how they are written.

import Broker
import JSON

extension FieldTable {
    /// Reads an object, or the form with pairs.
    init(json value: JSONValue) throws(TaskRecord.Malformed) {
        guard case .table(let table) = try FieldValue(json: value) else {
            throw TaskRecord.Malformed(reason: "must be an object such as {\"name\":\"value\"}")
        }
        self = table
    }

    fileprivate init(members: [JSONMember]) throws(TaskRecord.Malformed) {
        if let name = members.repeatedKey { throw TaskRecord.Malformed(reason: "\"\(name)\" stands there twice") }
        self.init()
        for member in members {
            do throws(TaskRecord.Malformed) {
                fields.append(Field(name: ShortString(bytes: member.key), value: try FieldValue(json: member.value)))
            } catch {
                throw error.of(member.name)
            }
        }
    }

    fileprivate init(pairs value: JSONValue) throws(TaskRecord.Malformed) {
        let expectation = TaskRecord.Malformed(reason: "must be an array of pairs such as [\"name\",\"value\"]")
        guard case .array(let pairs) = value else { throw expectation }
        self.init()
        for pair in pairs {
            guard case .array(let parts) = pair, parts.count == 2 else { throw expectation }
            fields.append(
                Field(name: try ShortString(json: parts[0]), value: try FieldValue(json: parts[1])))
        }
    }
}

extension ShortString {
    /// Reads a text, or the form for bytes that aren't UTF-8.
    init(json value: JSONValue) throws(TaskRecord.Malformed) {
        let field = try FieldValue(json: value)
        guard case .string(let bytes) = field else {
            throw TaskRecord.Malformed(reason: "must be text, not \(value.kind)")
        }
        guard bytes.count <= Self.maximumCount else {
            throw TaskRecord.Malformed(reason: "has \(bytes.count) bytes, the limit is \(Self.maximumCount)")
        }
        self.init(bytes: bytes)
    }
}

extension FieldValue {
    /// Reads any value; a whole number is AMQP's 64-bit one.
    init(json value: JSONValue) throws(TaskRecord.Malformed) {
        switch value {
        case .null: self = .void
        case .bool(let flag): self = .bool(flag)
        case .integer(let number): self = .int64(number)
        case .unsigned:
            throw TaskRecord.Malformed(
                reason: "must be a number up to \(Int64.max), a text, or {\"\(FieldTag.uint64.rawValue)\":...}")
        case .double(let number): self = .double(number)
        case .text(let bytes): self = .string(bytes)
        case .array(let elements):
            var values: [FieldValue] = []
            for element in elements { values.append(try FieldValue(json: element)) }
            self = .array(values)
        case .object(let members):
            guard let key = members.first(where: { $0.key.first == UInt8(ascii: "$") })?.name else {
                self = .table(try FieldTable(members: members))
                return
            }
            guard let tag = FieldTag(rawValue: key), members.count == 1 else {
                throw TaskRecord.Malformed(
                    reason: "\"\(key)\" is no type, and a name may begin with $ only in "
                        + "{\"\(FieldTag.table.rawValue)\":[[\"name\",\"value\"]]}")
            }
            do throws(TaskRecord.Malformed) {
                try self.init(tag, members[0].value)
            } catch {
                throw error.of(key)
            }
        }
    }

    private init(_ tag: FieldTag, _ value: JSONValue) throws(TaskRecord.Malformed) {
        self =
            switch tag {
            case .int8: .int8(try Self.integer(value))
            case .uint8: .uint8(try Self.integer(value))
            case .int16: .int16(try Self.integer(value))
            case .uint16: .uint16(try Self.integer(value))
            case .int32: .int32(try Self.integer(value))
            case .uint32: .uint32(try Self.integer(value))
            case .uint64: .uint64(try Self.integer(value))
            case .timestamp: .timestamp(try Self.integer(value))
            case .float: .float(try Self.float(value))
            case .double: .double(try Self.double(value))
            case .decimal: try Self.decimal(value)
            case .bytes: .bytes(try Self.base64(value))
            case .text: .string(try Self.base64(value))
            case .table: .table(try FieldTable(pairs: value))
            }
    }

    private static func integer<Number: FixedWidthInteger>(
        _ value: JSONValue
    ) throws(TaskRecord.Malformed) -> Number {
        let number: Number? =
            switch value {
            case .integer(let number): Number(exactly: number)
            case .unsigned(let number): Number(exactly: number)
            default: nil
            }
        guard let number else {
            throw TaskRecord.Malformed(reason: "must be a whole number from \(Number.min) to \(Number.max)")
        }
        return number
    }

    private static func float(_ value: JSONValue) throws(TaskRecord.Malformed) -> Float {
        switch value {
        case .integer(let number): return Float(number)
        case .double(let number) where Float(number).isFinite: return Float(number)
        case .text(let text):
            if let usual = usualNotFinite(text) { return Float(usual) }
            if let bits: UInt32 = bits(text), Float(bitPattern: bits).isNaN { return Float(bitPattern: bits) }
            fallthrough
        default: throw .init(reason: "must be a number that a float can hold, or \"inf\", \"-inf\" or \"nan\"")
        }
    }

    private static func double(_ value: JSONValue) throws(TaskRecord.Malformed) -> Double {
        switch value {
        case .integer(let number): return Double(number)
        case .double(let number): return number
        case .text(let text):
            if let usual = usualNotFinite(text) { return usual }
            if let bits: UInt64 = bits(text), Double(bitPattern: bits).isNaN { return Double(bitPattern: bits) }
            fallthrough
        default: throw .init(reason: "must be a number, or \"inf\", \"-inf\" or \"nan\"")
        }
    }

    private static func usualNotFinite(_ text: [UInt8]) -> Double? {
        switch String(decoding: text, as: UTF8.self) {
        case "inf": .infinity
        case "-inf": -.infinity
        case "nan": .nan
        default: nil
        }
    }

    private static func bits<Bits: FixedWidthInteger>(_ text: [UInt8]) -> Bits? {
        guard text.starts(with: "0x".utf8) else { return nil }
        return Bits(String(decoding: text.dropFirst(2), as: UTF8.self), radix: 16)
    }

    private static func decimal(_ value: JSONValue) throws(TaskRecord.Malformed) -> FieldValue {
        let expectation = TaskRecord.Malformed(
            reason: "must be a text such as \"3.14\", with up to 255 digits behind the point, that is at most "
                + "\(UInt32.max) without it")
        guard case .text(let bytes) = value else { throw expectation }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) } }),
            let number = UInt32(String(decoding: parts.joined(), as: UTF8.self)),
            let scale = UInt8(exactly: parts.count == 2 ? parts[1].count : 0)
        else { throw expectation }
        return .decimal(scale: scale, value: number)
    }

    private static func base64(_ value: JSONValue) throws(TaskRecord.Malformed) -> [UInt8] {
        guard case .text(let text) = value, let bytes = Base64.decode(text) else { throw .notBase64 }
        return bytes
    }
}

// AMQP's field values as JSON and back. JSON has fewer types, so those that it lacks are objects with one key that
// begins with a dollar sign, and no value has two readings.

import Broker
import JSON

/// The types that JSON lacks, by the key that tells them.
private enum FieldTag: String, CaseIterable {
    case int8 = "$int8"
    case uint8 = "$uint8"
    case int16 = "$int16"
    case uint16 = "$uint16"
    case int32 = "$int32"
    case uint32 = "$uint32"
    case uint64 = "$uint64"
    /// A number, or for what isn't finite a text: `"inf"`, `"-inf"`, `"nan"`.
    case float = "$float"
    /// A text: `"inf"`, `"-inf"`, `"nan"`. Finite ones are plain numbers with a fraction or an exponent.
    case double = "$double"
    /// A text with as many digits behind the point as the scale says: `"3.14"`.
    case decimal = "$decimal"
    case timestamp = "$timestamp"
    case bytes = "$bytes_base64"
    /// A text that isn't UTF-8.
    case text = "$string_base64"
    /// An array of pairs of name and value, for names that repeat, begin with a dollar sign or aren't UTF-8.
    case table = "$table"
}

// MARK: - Writing

extension FieldTable {
    /// Whether all names can be keys of an object: UTF-8, each one once, and none taken for a type.
    private var hasPlainNames: Bool {
        fields.allSatisfy { $0.name.bytes.first != UInt8(ascii: "$") && $0.name.bytes.isValidUTF8 }
            && (fields.count < 2 || Set(fields.map(\.name)).count == fields.count)
    }

    func appendJSON(to text: inout [UInt8]) {
        guard hasPlainNames else {
            return FieldTag.table.append(to: &text) { text in
                text.appendJSON(list: fields) { field, text in
                    text.appendJSON("[")
                    field.name.appendJSON(to: &text)
                    text.appendJSON(",")
                    field.value.appendJSON(to: &text)
                    text.appendJSON("]")
                }
            }
        }
        text.appendJSON("{")
        for (index, field) in fields.enumerated() {
            if index > 0 { text.appendJSON(",") }
            text.appendJSON(text: field.name.bytes)
            text.appendJSON(":")
            field.value.appendJSON(to: &text)
        }
        text.appendJSON("}")
    }
}

extension ShortString {
    func appendJSON(to text: inout [UInt8]) { FieldValue.string(bytes).appendJSON(to: &text) }
}

extension FieldValue {
    func appendJSON(to text: inout [UInt8]) {
        switch self {
        case .void: text.appendJSON("null")
        case .bool(true): text.appendJSON("true")
        case .bool(false): text.appendJSON("false")
        case .int64(let number): text.appendJSON(number)
        case .double(let number) where number.isFinite: text.appendJSON(number)
        case .string(let bytes) where bytes.isValidUTF8: text.appendJSON(text: bytes)
        case .array(let values): text.appendJSON(list: values) { $0.appendJSON(to: &$1) }
        case .table(let table): table.appendJSON(to: &text)
        case .int8(let number): FieldTag.int8.append(number, to: &text)
        case .uint8(let number): FieldTag.uint8.append(number, to: &text)
        case .int16(let number): FieldTag.int16.append(number, to: &text)
        case .uint16(let number): FieldTag.uint16.append(number, to: &text)
        case .int32(let number): FieldTag.int32.append(number, to: &text)
        case .uint32(let number): FieldTag.uint32.append(number, to: &text)
        case .uint64(let number): FieldTag.uint64.append(number, to: &text)
        case .timestamp(let seconds): FieldTag.timestamp.append(seconds, to: &text)
        // As a double a float's value is exact, so that it isn't rounded twice on its way back.
        case .float(let number) where number.isFinite:
            FieldTag.float.append(to: &text) { $0.appendJSON(Double(number)) }
        case .float(let number): FieldTag.float.append(Self.text(notFinite: number), to: &text)
        case .double(let number): FieldTag.double.append(Self.text(notFinite: number), to: &text)
        case .decimal(let scale, let value):
            FieldTag.decimal.append(Self.decimalText(scale: Int(scale), value: value), to: &text)
        case .string(let bytes): FieldTag.text.append(base64: bytes, to: &text)
        case .bytes(let bytes): FieldTag.bytes.append(base64: bytes, to: &text)
        }
    }

    /// `inf`, `-inf` or `nan`; there are many of the last, so all but the usual one are told by their bits.
    private static func text(notFinite number: Float) -> String {
        let isUsual = !number.isNaN || number.bitPattern == Float.nan.bitPattern
        return isUsual ? "\(number)" : "0x\(String(number.bitPattern, radix: 16))"
    }

    private static func text(notFinite number: Double) -> String {
        let isUsual = !number.isNaN || number.bitPattern == Double.nan.bitPattern
        return isUsual ? "\(number)" : "0x\(String(number.bitPattern, radix: 16))"
    }

    private static func decimalText(scale: Int, value: UInt32) -> String {
        let digits = String(value)
        guard scale > 0 else { return digits }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return "\(padded.dropLast(scale)).\(padded.suffix(scale))"
    }
}

extension FieldTag {
    fileprivate func append(to text: inout [UInt8], _ appendValue: (inout [UInt8]) -> Void) {
        text.appendJSON("{\"")
        text.append(contentsOf: rawValue.utf8)
        text.appendJSON("\":")
        appendValue(&text)
        text.appendJSON("}")
    }

    fileprivate func append(_ number: some BinaryInteger, to text: inout [UInt8]) {
        append(to: &text) { $0.appendJSON(number) }
    }

    fileprivate func append(_ value: String, to text: inout [UInt8]) {
        append(to: &text) { $0.appendJSON(text: Array(value.utf8)) }
    }

    fileprivate func append(base64 bytes: [UInt8], to text: inout [UInt8]) {
        append(to: &text) { text in
            text.appendJSON("\"")
            Base64.append(bytes, to: &text)
            text.appendJSON("\"")
        }
    }
}

extension [UInt8] {
    fileprivate mutating func appendJSON<Item>(
        list: [Item], _ appendItem: (Item, inout [UInt8]) -> Void
    ) {
        appendJSON("[")
        for (index, item) in list.enumerated() {
            if index > 0 { appendJSON(",") }
            appendItem(item, &self)
        }
        appendJSON("]")
    }
}

// MARK: - Reading

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

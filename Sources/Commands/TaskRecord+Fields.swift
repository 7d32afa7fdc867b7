// AMQP's field values as JSON. JSON has fewer types, so those that it lacks are objects with one key that begins with a
// dollar sign, and no value has two readings. How they are read is in TaskRecord+FieldReading.swift.

import Broker
import JSON

/// The types that JSON lacks, by the key that tells them.
enum FieldTag: String, CaseIterable {
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

extension FieldTable {
    /// Whether all names can be keys of an object: UTF-8, each one once, and none taken for a type.
    private var hasPlainNames: Bool {
        fields.allSatisfy { $0.name.bytes.first != UInt8(ascii: "$") && $0.name.bytes.isValidUTF8 }
            && (fields.count < 2 || Set(fields.map(\.name)).count == fields.count)
    }

    func appendJSON(to text: inout [UInt8]) {
        guard hasPlainNames else {
            return FieldTag.table.append(to: &text) { text in
                text.appendJSONArray(fields) { text, field in
                    text.appendJSON("[")
                    field.name.appendJSON(to: &text)
                    text.appendJSON(",")
                    field.value.appendJSON(to: &text)
                    text.appendJSON("]")
                }
            }
        }
        text.appendJSONObject(fields) { text, field in
            text.appendJSON(text: field.name.bytes)
            text.appendJSON(":")
            field.value.appendJSON(to: &text)
        }
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
        case .array(let values): text.appendJSONArray(values) { $1.appendJSON(to: &$0) }
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

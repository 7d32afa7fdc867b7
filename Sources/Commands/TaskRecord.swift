// A task as a line of JSON: what `publish --ndjson` reads, and what backups and lists of unsent tasks are made of.

import Broker
import JSON
import Options

/// A task with all of its properties, which a line of JSON holds without losing any.
struct TaskRecord: Equatable {
    var body: [UInt8]
    var properties = MessageProperties()

    /// Why a line isn't a task. Where the line stands is for the caller to say.
    struct Malformed: Error, Equatable {
        var reason: String

        /// The same, said of a part of what it was found in.
        func of(_ part: String) -> Malformed { Malformed(reason: "\(part): \(reason)") }
    }

    /// The properties that are short strings, by their keys.
    private static let shortStrings:
        [(key: String, path: any WritableKeyPath<MessageProperties, ShortString?> & Sendable)] = [
            ("content_type", \.contentType), ("content_encoding", \.contentEncoding),
            ("correlation_id", \.correlationID),
            ("reply_to", \.replyTo), ("expiration", \.expiration), ("message_id", \.messageID), ("type", \.type),
            ("user_id", \.userID), ("app_id", \.appID), ("cluster_id", \.clusterID),
        ]
    /// All keys that a task may have.
    private static let keys =
        ["body", "body_base64", "headers", "delivery_mode", "priority", "timestamp"] + shortStrings.map(\.key)
}

// MARK: - Writing

extension TaskRecord {
    /// Appends the task as one line, the newline at its end included.
    func appendLine(to line: inout [UInt8]) {
        line.reserveCapacity(line.count + body.count + 256)
        if body.isValidUTF8 {
            line.appendJSON("{\"body\":")
            line.appendJSON(text: body)
        } else {
            line.appendJSON("{\"body_base64\":\"")
            Base64.append(body, to: &line)
            line.appendJSON("\"")
        }
        if let headers = properties.headers {
            line.appendJSON(",\"headers\":")
            headers.appendJSON(to: &line)
        }
        Self.append("delivery_mode", properties.deliveryMode, to: &line)
        Self.append("priority", properties.priority, to: &line)
        Self.append("timestamp", properties.timestamp, to: &line)
        for (key, path) in Self.shortStrings {
            guard let value = properties[keyPath: path] else { continue }
            Self.append(key: key, to: &line)
            value.appendJSON(to: &line)
        }
        line.appendJSON("}\n")
    }

    private static func append(_ key: String, _ number: (some BinaryInteger)?, to line: inout [UInt8]) {
        guard let number else { return }
        append(key: key, to: &line)
        line.appendJSON(number)
    }

    private static func append(key: String, to line: inout [UInt8]) {
        line.appendJSON(",\"")
        line.append(contentsOf: key.utf8)
        line.appendJSON("\":")
    }
}

// MARK: - Reading

extension TaskRecord {
    /// Reads a line, with or without the newline at its end.
    init(line: [UInt8]) throws(Malformed) {
        let value: JSONValue
        do throws(JSONReader.Malformed) {
            value = try JSONReader.value(of: line)
        } catch {
            throw Malformed(reason: "not JSON: \(error.reason), at column \(error.column)")
        }
        guard case .object(let members) = value else {
            throw Malformed(reason: "a task is an object such as {\"body\":\"text\"}, not \(value.kind)")
        }
        if let key = members.repeatedKey { throw Malformed(reason: "\"\(key)\" stands there twice") }
        var body: [UInt8]?
        for member in members {
            let key = member.name
            guard Self.keys.contains(key) else { throw Self.unknown(key) }
            do throws(Malformed) {
                switch key {
                case "body", "body_base64":
                    guard body == nil else {
                        throw Malformed(reason: "a task has one body, either body or body_base64")
                    }
                    body = try key == "body" ? Self.text(member.value) : Self.bytes(member.value)
                case "headers": properties.headers = try FieldTable(json: member.value)
                case "delivery_mode": properties.deliveryMode = UInt8(try member.value.wholeNumber(1...2))
                case "priority": properties.priority = UInt8(try member.value.wholeNumber(0...255))
                case "timestamp": properties.timestamp = try member.value.wholeNumber(0 ... .max)
                case "expiration": properties.expiration = try Self.expiration(member.value)
                default:
                    guard let path = Self.shortStrings.first(where: { $0.key == key })?.path else { continue }
                    properties[keyPath: path] = try ShortString(json: member.value)
                }
            } catch {
                throw error.of(key)
            }
        }
        guard let body else { throw Malformed(reason: "body is missing; an empty task has \"body\":\"\"") }
        self.body = body
    }

    private static func unknown(_ key: String) -> Malformed {
        let hint =
            Suggestion.nearest(to: key, among: keys).map { "did you mean \($0)?" }
            ?? "there are \(keys.joined(separator: ", ")), and all else goes into headers"
        return Malformed(reason: "unknown key \"\(key)\"; \(hint)")
    }

    private static func text(_ value: JSONValue) throws(Malformed) -> [UInt8] {
        switch value {
        case .text(let text): return text
        case .object, .array:
            throw Malformed(
                reason: "must be text, not \(value.kind); to send JSON put it in quotes, as jq does with {body: tojson}"
            )
        default: throw Malformed(reason: "must be text, not \(value.kind); put it in quotes")
        }
    }

    private static func bytes(_ value: JSONValue) throws(Malformed) -> [UInt8] {
        guard case .text(let text) = value, let bytes = Base64.decode(text) else { throw .notBase64 }
        return bytes
    }

    /// A time to live in milliseconds, which the broker would refuse in any other form.
    private static func expiration(_ value: JSONValue) throws(Malformed) -> ShortString {
        let limit = UInt64(UInt32.max)
        if case .integer = value { return ShortString(String(try value.wholeNumber(0...limit))) }
        let text = try ShortString(json: value)
        guard text.bytes.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(text.description),
            number <= limit
        else { throw Malformed(reason: "must be milliseconds in digits, from \"0\" to \"\(limit)\"") }
        return text
    }
}

extension TaskRecord.Malformed {
    static let notBase64 = Self(reason: "must be Base64 with padding, such as \"AAH/\"")
}

extension JSONValue {
    /// The value as a whole number in a range.
    fileprivate func wholeNumber(_ range: ClosedRange<UInt64>) throws(TaskRecord.Malformed) -> UInt64 {
        let number: UInt64? =
            switch self {
            case .integer(let number): UInt64(exactly: number)
            case .unsigned(let number): number
            default: nil
            }
        guard let number, range.contains(number) else {
            throw TaskRecord.Malformed(
                reason: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}

// A task as a line of JSON: what `publish --ndjson` reads, and what backups and lists of unsent tasks are made of.

import Broker
import JSON
import Options

/// A task with all of its properties, which a line of JSON holds without losing any.
struct TaskRecord: Equatable {
    var body: [UInt8]
    var properties = MessageProperties()
    /// The keys of properties that the task doesn't have and nobody may add: null in JSON.
    private(set) var absent: Set<String> = []

    init(body: [UInt8], properties: MessageProperties = MessageProperties()) {
        self.body = body
        self.properties = properties
    }

    /// A task as it came from a queue, to be put back as it was: publishing adds none of the properties that it usually
    /// adds.
    init(saving delivery: Delivery) {
        self.init(body: delivery.body, properties: delivery.properties)
        if properties.deliveryMode == nil { absent.insert("delivery_mode") }
        if properties.timestamp == nil { absent.insert("timestamp") }
        if properties.messageID == nil { absent.insert("message_id") }
    }

    /// Why a line isn't a task. Where the line stands is for the caller to say.
    struct Malformed: Error, Equatable {
        var reason: String

        /// The same, said of a part of what it was found in.
        func of(_ part: String) -> Malformed { Malformed(reason: "\(part): \(reason)") }
    }

    /// The properties by their keys, which are AMQP's names as JSON has them.
    private static let properties = MessageProperty.all.map { property in
        (key: String(property.name.map { $0 == "-" ? "_" : $0 }), value: property.value)
    }
    /// All keys that a task may have.
    private static let keys = ["body", "body_base64"] + properties.map(\.key)
    /// The properties that a task gets when it is published without them, unless null says that it has none.
    private static let added: Set = ["delivery_mode", "timestamp", "message_id"]
}

// MARK: - Writing

extension TaskRecord {
    /// Appends the task as one line, the newline at its end included.
    func appendLine(to line: inout [UInt8]) {
        line.reserveCapacity(line.count + body.count + 256)
        if body.isShorterAsText, body.isValidUTF8 {
            line.appendJSON("{\"body\":")
            line.appendJSON(text: body)
        } else {
            line.appendJSON("{\"body_base64\":\"")
            Base64.append(body, to: &line)
            line.appendJSON("\"")
        }
        for (key, value) in Self.properties {
            if absent.contains(key) {
                Self.append(key: key, to: &line)
                line.appendJSON("null")
            }
            switch value {
            case .text(let place):
                guard let text = properties[place] else { continue }
                Self.append(key: key, to: &line)
                text.appendJSON(to: &line)
            case .octet(let place): Self.append(key, properties[place], to: &line)
            case .time(let place): Self.append(key, properties[place], to: &line)
            case .headers:
                guard let headers = properties.headers else { continue }
                Self.append(key: key, to: &line)
                headers.appendJSON(to: &line)
            }
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
        self.body = []
        var body: [UInt8]?
        for member in members {
            let key = member.name
            guard Self.keys.contains(key) else { throw Self.unknown(key) }
            do throws(Malformed) {
                if key == "body" || key == "body_base64" {
                    guard body == nil else {
                        throw Malformed(reason: "a task has one body, either body or body_base64")
                    }
                    body = try key == "body" ? Self.text(member.value) : Self.bytes(member.value)
                } else if case .null = member.value, Self.added.contains(key) {
                    absent.insert(key)
                } else {
                    try read(member.value, of: key)
                }
            } catch {
                throw error.of(key)
            }
        }
        guard let body else { throw Malformed(reason: "body is missing; an empty task has \"body\":\"\"") }
        self.body = body
    }

    private mutating func read(_ json: JSONValue, of key: String) throws(Malformed) {
        switch Self.properties.first(where: { $0.key == key })?.value {
        case .text where key == "expiration": properties.expiration = try Self.expiration(json)
        case .text(let place): properties[place] = try ShortString(json: json)
        case .octet(let place):
            // RabbitMQ refuses other delivery modes, with 406 that closes the channel.
            let range: ClosedRange<UInt64> = key == "delivery_mode" ? 1...2 : 0...255
            properties[place] = UInt8(try json.wholeNumber(range))
        case .time(let place): properties[place] = try json.wholeNumber(0 ... .max)
        case .headers: properties.headers = try FieldTable(json: json)
        case nil: break
        }
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

extension [UInt8] {
    /// Whether a JSON text of these bytes is no longer than their Base64: control characters take six bytes each.
    fileprivate var isShorterAsText: Bool {
        var extra = 0
        for byte in self where byte < 0x20 || byte == 0x7F || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
            extra += byte >= 0x20 && byte < 0x7F || (0x08...0x0D).contains(byte) && byte != 0x0B ? 1 : 5
        }
        return extra <= count / 3 + 2
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

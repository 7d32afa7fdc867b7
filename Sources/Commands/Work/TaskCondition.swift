// Conditions on tasks: what of a task has a name.

import Broker
import Posix
import Worker

/// What may or may not hold of a task: `x-workq-reason == "timeout" and age > 1h`.
typealias TaskCondition = Expression<TaskFact>

/// What can be named of a task.
enum TaskFact: Hashable {
    case size, age, attempt, redelivered, body, exchange, routingKey
    /// By the name that AMQP has for it.
    case property(String)
    case header(ShortString)
}

extension TaskCondition {
    init(ofTask text: String) throws(ExpressionFault) {
        try self.init(text, .taskFacts)
    }
}

extension Vocabulary<TaskFact> {
    private static let facts: [(name: String, fact: TaskFact, kind: ExpressionKind)] =
        [
            ("size", .size, .number(.size)), ("age", .age, .number(.time)), ("attempt", .attempt, .number(.plain)),
            ("redelivered", .redelivered, .flag), ("body", .body, .text), ("exchange", .exchange, .text),
            ("routing_key", .routingKey, .text),
        ]
        + MessageProperty.all.compactMap { property in
            let name = property.name.split(separator: "-").joined(separator: "_")
            switch property.value {
            case .text: return (name, .property(property.name), .text)
            case .octet, .time: return (name, .property(property.name), .number(.plain))
            case .headers: return nil
            }
        }

    /// Headers may have any name; a dash tells one from a mistyped property.
    fileprivate static var taskFacts: Self {
        Self(
            noun: "property",
            meaning: { word in
                if let known = facts.first(where: { $0.name == word }) { return .name(known.fact, known.kind) }
                let header = word.hasPrefix("header.") ? String(word.dropFirst(7)) : word.contains("-") ? word : ""
                guard (1...255).contains(header.utf8.count) else { return .nothing }
                return .name(.header(ShortString(header)), .any)
            },
            known: facts.map(\.name) + ["header.NAME"])
    }
}

/// A task as conditions see it.
struct TaskFacts {
    private let delivery: Delivery
    /// Seconds since 1970.
    private let now: Int

    init(_ delivery: Delivery, now: Int) {
        self.delivery = delivery
        self.now = now
    }

    func value(of fact: TaskFact) -> ExpressionValue {
        switch fact {
        case .size: .number(Double(delivery.body.count))
        case .age: delivery.properties.timestamp.map { .number(Double(now) - Double($0)) } ?? .unknown
        case .attempt: .number(Double(TaskCopy.attempt(of: delivery)))
        case .redelivered: .flag(delivery.redelivered)
        case .body: Self.text(delivery.body)
        case .exchange: Self.text(delivery.exchange.bytes)
        case .routingKey: Self.text(delivery.routingKey.bytes)
        case .property(let name): property(name)
        case .header(let name): delivery.properties.headers?[name].map(Self.value) ?? .unknown
        }
    }

    private func property(_ name: String) -> ExpressionValue {
        let properties = delivery.properties
        return switch MessageProperty.all.first(where: { $0.name == name })?.value {
        case .text(let place): properties[place].map { Self.text($0.bytes) } ?? .unknown
        case .octet(let place): properties[place].map { .number(Double($0)) } ?? .unknown
        case .time(let place): properties[place].map { .number(Double($0)) } ?? .unknown
        case .headers, nil: .unknown
        }
    }

    private static func text(_ bytes: [UInt8]) -> ExpressionValue {
        String(validating: bytes, as: UTF8.self).map(ExpressionValue.text) ?? .unknown
    }

    private static func value(_ field: FieldValue) -> ExpressionValue {
        switch field {
        case .bool(let flag): .flag(flag)
        case .int8(let number): .number(Double(number))
        case .uint8(let number): .number(Double(number))
        case .int16(let number): .number(Double(number))
        case .uint16(let number): .number(Double(number))
        case .int32(let number): .number(Double(number))
        case .uint32(let number): .number(Double(number))
        case .int64(let number): .number(Double(number))
        case .uint64(let number): .number(Double(number))
        case .timestamp(let number): .number(Double(number))
        case .float(let number): .number(Double(number))
        case .double(let number): .number(number)
        case .string(let bytes), .bytes(let bytes): text(bytes)
        case .decimal, .array, .table, .void: .unknown
        }
    }
}

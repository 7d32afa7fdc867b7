// What a command learns about its task through its environment.

import Broker

/// The environment variables that describe a task. Pure.
///
/// Whoever may publish may choose these values, so their names are workq's own (`WORKQ_...`), header names are reduced to
/// `[A-Z0-9_]`, and sizes are capped: a task can't set PATH or LD_PRELOAD and can't make the command impossible to start.
package enum TaskEnvironment {
    /// Linux allows 128 KiB for one string; longer values are cut here.
    static let maximumValueSize = 32_768
    /// For all headers together, so that the environment stays far below the system's limit.
    static let maximumHeadersSize = 262_144

    private static let names: Set<String> = [
        "WORKQ_QUEUE", "WORKQ_MESSAGE_ID", "WORKQ_REDELIVERED", "WORKQ_EXCHANGE", "WORKQ_ROUTING_KEY",
        "WORKQ_PRIORITY", "WORKQ_TIMESTAMP", "WORKQ_TYPE", "WORKQ_CONTENT_TYPE", "WORKQ_CORRELATION_ID",
        "WORKQ_REPLY_TO", "WORKQ_ATTEMPT", "WORKQ_MAX_ATTEMPTS", "WORKQ_BATCH_SIZE",
    ]
    private static let headerPrefix = "WORKQ_HEADER_"

    /// Whether the variable `name` describes a task. An inherited one would describe another task than the command's.
    package static func describes(_ name: String) -> Bool {
        names.contains(name) || name.hasPrefix(headerPrefix)
    }

    /// `NAME=value` entries, each without NUL and without the terminating one.
    package static func entries(for delivery: Delivery, queue: String, maximumAttempts: Int = 1) -> [[UInt8]] {
        let properties = delivery.properties
        var entries: [[UInt8]] = []
        func add(_ name: String, _ value: [UInt8]?) {
            guard let value else { return }
            entries.append(Array("\(name)=".utf8) + value.filter { $0 != 0 }.prefix(maximumValueSize))
        }
        func add(_ name: String, _ value: ShortString?) { add(name, value?.bytes) }
        add("WORKQ_QUEUE", Array(queue.utf8))
        add("WORKQ_MESSAGE_ID", properties.messageID)
        add("WORKQ_ATTEMPT", Array(String(TaskCopy.attempt(of: delivery)).utf8))
        add("WORKQ_MAX_ATTEMPTS", Array(String(maximumAttempts).utf8))
        add("WORKQ_REDELIVERED", Array((delivery.redelivered ? "1" : "0").utf8))
        add("WORKQ_EXCHANGE", delivery.exchange)
        add("WORKQ_ROUTING_KEY", delivery.routingKey)
        add("WORKQ_PRIORITY", properties.priority.map { Array(String($0).utf8) })
        add("WORKQ_TIMESTAMP", properties.timestamp.map { Array(String($0).utf8) })
        add("WORKQ_TYPE", properties.type)
        add("WORKQ_CONTENT_TYPE", properties.contentType)
        add("WORKQ_CORRELATION_ID", properties.correlationID)
        add("WORKQ_REPLY_TO", properties.replyTo)
        entries += headerEntries(properties.headers)
        return entries
    }

    /// The same for a batch. What describes a single task doesn't apply.
    package static func entries(forBatchOf count: Int, queue: String, maximumAttempts: Int) -> [[UInt8]] {
        [
            "WORKQ_QUEUE=\(queue)", "WORKQ_BATCH_SIZE=\(count)", "WORKQ_MAX_ATTEMPTS=\(maximumAttempts)",
        ].map { Array($0.utf8) }
    }

    /// Scalar headers; tables and arrays have no obvious text and are left out. Of names that become the same, the first
    /// one counts.
    private static func headerEntries(_ headers: FieldTable?) -> [[UInt8]] {
        var names: Set<String> = []
        var size = 0
        var entries: [[UInt8]] = []
        for field in headers?.fields ?? [] {
            guard let value = field.value.environmentText else { continue }
            let name = headerPrefix + variableName(field.name)
            let entry = Array("\(name)=".utf8) + value.filter { $0 != 0 }.prefix(maximumValueSize)
            guard size + entry.count <= maximumHeadersSize, names.insert(name).inserted else { continue }
            size += entry.count
            entries.append(entry)
        }
        return entries
    }

    /// Letters in upper case, digits and underscores; everything else becomes an underscore.
    static func variableName(_ header: ShortString) -> String {
        let mapped = header.bytes.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - 32
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "_")
            }
        }
        return String(decoding: mapped, as: UTF8.self)
    }
}

extension FieldValue {
    fileprivate var environmentText: [UInt8]? {
        switch self {
        case .bool(let flag): Array((flag ? "true" : "false").utf8)
        case .int8(let number): Array(String(number).utf8)
        case .uint8(let number): Array(String(number).utf8)
        case .int16(let number): Array(String(number).utf8)
        case .uint16(let number): Array(String(number).utf8)
        case .int32(let number): Array(String(number).utf8)
        case .uint32(let number): Array(String(number).utf8)
        case .int64(let number): Array(String(number).utf8)
        case .uint64(let number), .timestamp(let number): Array(String(number).utf8)
        case .float(let number): Array(String(number).utf8)
        case .double(let number): Array(String(number).utf8)
        case .string(let text), .bytes(let text): text
        case .decimal, .array, .table, .void: nil
        }
    }
}

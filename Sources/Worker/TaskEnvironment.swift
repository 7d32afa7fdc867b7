// What a command learns about its task through its environment.

import Broker

/// The environment variables that describe a task. Pure.
///
/// Whoever may publish may choose these values, so their names are workq's own (`WORKQ_...`), header names are reduced
/// to `[A-Z0-9_]`, and sizes are capped: a task can't set PATH or LD_PRELOAD and can't make the command impossible to
/// start.
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

    /// The variables for a task; those of its headers can be done without.
    package static func variables(
        for delivery: Delivery, queue: String, maximumAttempts: Int = 1
    ) -> EnvironmentBlock {
        let properties = delivery.properties
        var block = EnvironmentBlock()
        func add(_ name: StaticString, _ value: some Sequence<UInt8>) {
            let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            block.add(name, value, limit: maximumValueSize)
        }
        func add(_ name: StaticString, _ value: ShortString?) {
            if let value { add(name, value.bytes) }
        }
        add("WORKQ_QUEUE", queue.utf8)
        add("WORKQ_MESSAGE_ID", properties.messageID)
        add("WORKQ_ATTEMPT", String(TaskCopy.attempt(of: delivery)).utf8)
        add("WORKQ_MAX_ATTEMPTS", String(max(maximumAttempts, TaskCopy.attempt(of: delivery))).utf8)
        add("WORKQ_REDELIVERED", (delivery.redelivered ? "1" : "0").utf8)
        let origin = TaskCopy.origin(of: delivery)
        add("WORKQ_EXCHANGE", origin.exchange)
        add("WORKQ_ROUTING_KEY", origin.routingKey)
        if let priority = properties.priority { add("WORKQ_PRIORITY", String(priority).utf8) }
        if let timestamp = properties.timestamp { add("WORKQ_TIMESTAMP", String(timestamp).utf8) }
        add("WORKQ_TYPE", properties.type)
        add("WORKQ_CONTENT_TYPE", properties.contentType)
        add("WORKQ_CORRELATION_ID", properties.correlationID)
        add("WORKQ_REPLY_TO", properties.replyTo)
        block.endRequired()
        if let headers = properties.headers, !headers.isEmpty { addHeaders(headers, to: &block) }
        return block
    }

    /// The same for a batch. What describes a single task doesn't apply.
    package static func variables(
        forBatchOf count: Int, queue: String, maximumAttempts: Int
    ) -> EnvironmentBlock {
        var block = EnvironmentBlock()
        block.add("WORKQ_QUEUE".utf8, queue.utf8)
        block.add("WORKQ_BATCH_SIZE".utf8, String(count).utf8)
        block.add("WORKQ_MAX_ATTEMPTS".utf8, String(maximumAttempts).utf8)
        block.endRequired()
        return block
    }

    /// Scalar headers; tables and arrays have no obvious text and are left out. Of names that become the same, the
    /// first one counts.
    private static func addHeaders(_ headers: FieldTable, to block: inout EnvironmentBlock) {
        var names: Set<String> = []
        var size = 0
        for field in headers.fields {
            guard let value = field.value.environmentText else { continue }
            let name = headerPrefix + variableName(field.name)
            guard !names.contains(name) else { continue }
            block.add(name.utf8, value, limit: maximumValueSize)
            guard size + block.lastCount <= maximumHeadersSize else {
                block.removeLast()
                continue
            }
            size += block.lastCount
            names.insert(name)
        }
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

// What comes with a message: properties and header tables, through librabbitmq's decoder and encoder, and as JSON.

import CRabbitMQ

@testable import Broker
@testable import Commands
@testable import Worker

/// The properties as they are on the wire, and nothing behind them.
@Sendable func readProperties(_ bytes: [UInt8]) {
    guard let properties = decoded(bytes) else { return }
    checkUse(
        Delivery(
            consumerTag: "fuzzing", deliveryTag: 1, redelivered: bytes.count % 2 == 0, exchange: "",
            routingKey: "tasks", properties: properties, body: []))
    guard let sent = encoded(properties), let again = decoded(sent) else {
        return require(false, "what came can't be sent: \(properties)")
    }
    // Around the properties a header's frame has 20 bytes.
    require(sent.count + 20 == properties.encodedSize, "\(sent.count) bytes instead of \(properties.encodedSize) - 20")
    require("\(properties)" == "\(again)", "\(properties) comes back as \(again)")
}

/// What is done with a delivery, whatever it carries.
func checkUse(_ delivery: Delivery) {
    let variables = TaskEnvironment.variables(for: delivery, queue: "tasks", maximumAttempts: 5)
    require(variables.strings.count >= 6, "a variable is missing")
    let copy = TaskCopy(
        delivery: delivery, fate: .deadLetter, attempt: TaskCopy.attempt(of: delivery), end: .exited(1))
    let properties = copy.properties(queue: "tasks", host: "here", time: 1, frameMax: 4_096)
    require(
        properties?.invalidity(frameMax: 4_096, arePassedOn: true) == nil, "a copy that is too large is made")
    // A broker takes what a line can't say: other delivery modes, and other texts than digits as time to live.
    var record = TaskRecord(saving: delivery)
    if let mode = record.properties.deliveryMode, !(1...2).contains(mode) { record.properties.deliveryMode = 1 }
    record.properties.expiration = nil
    checkLine(of: record)
}

/// nil where the library refuses them.
private func decoded(_ bytes: [UInt8]) -> MessageProperties? {
    var pool = amqp_pool_t()
    init_amqp_pool(&pool, 4_096)
    defer { empty_amqp_pool(&pool) }
    var bytes = bytes
    return bytes.withUnsafeMutableBytes { buffer in
        var output: UnsafeMutableRawPointer?
        let status = amqp_decode_properties(
            UInt16(AMQP_BASIC_CLASS), &pool, amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress), &output)
        guard status == AMQP_STATUS_OK.rawValue, let output else { return nil }
        return MessageProperties(output.load(as: amqp_basic_properties_t.self))
    }
}

private func encoded(_ properties: MessageProperties) -> [UInt8]? {
    let pool = MemoryPool()
    guard var input = try? pool.properties(properties) else { return nil }
    var bytes: [UInt8] = Array(repeating: 0, count: properties.encodedSize)
    let count = bytes.withUnsafeMutableBytes { buffer in
        amqp_encode_properties(
            UInt16(AMQP_BASIC_CLASS), &input, amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress))
    }
    return count >= 0 ? Array(bytes.prefix(Int(count))) : nil
}

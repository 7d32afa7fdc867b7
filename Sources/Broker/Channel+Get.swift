// Taking messages one by one, without becoming a consumer.

import CRabbitMQ

extension Channel {
    /// Asks `count` times for the next message of a queue and doesn't wait: as many events follow, each a delivery
    /// without a consumer tag or `queueEmpty`.
    ///
    /// An auto-delete queue ends with its last consumer, and this makes none. A missing queue closes the channel with
    /// 404, and a quorum queue with a single active consumer with 405.
    package func sendGets(_ count: Int, from queue: ShortString) throws(BrokerError) {
        try withPool { pool throws(BrokerError) in
            var method = amqp_basic_get_t()
            method.queue = try pool.bytes(queue)
            try connection.sendTogether { () throws(BrokerError) -> Void in
                for _ in 0..<count {
                    try connection.send("take from queue \"\(queue)\"", size: queue.bytes.count + 24) {
                        amqp_send_method($0, Self.number, AMQP_BASIC_GET_METHOD, &method)
                    }
                }
            }
        }
    }
}

// The one owner of librabbitmq's connection state.

import CRabbitMQ

/// A librabbitmq connection that is freed exactly once: it can't be copied, and freeing is its end.
///
/// The state belongs to one thread. The library's only safe call from another thread is none; `SendWatchdog` therefore
/// works on a duplicate of the socket.
struct ConnectionHandle: ~Copyable {
    let state: amqp_connection_state_t

    /// nil when memory is short.
    init?() {
        guard let state = amqp_new_connection() else { return nil }
        self.state = state
    }

    deinit {
        // Closes the socket too, without `connection.close`.
        amqp_destroy_connection(state)
    }
}

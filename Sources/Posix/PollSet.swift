// What a loop waits for.

/// Descriptors for one call of poll(2).
package struct PollSet {
    private var entries: [pollfd] = []
    /// By descriptor; only those that are in the set count.
    private var isReadyByDescriptor: [Bool] = []

    package init() {}

    package mutating func removeAll() {
        forget()
        entries.removeAll(keepingCapacity: true)
    }

    package mutating func add(_ descriptor: Int32, events: Int32) {
        entries.append(pollfd(fd: descriptor, events: Int16(events), revents: 0))
    }

    /// Waits until something happens on a descriptor, or for `timeout` milliseconds (-1 for ever). A signal may end the
    /// wait early.
    package mutating func wait(timeout: Int32) {
        poll(&entries, nfds_t(entries.count), timeout)
        noteReady()
    }

    /// Waits until something happens on a descriptor, or until `deadline`, to the microsecond where the system can.
    package mutating func wait(until deadline: Instant) {
        workq_poll(&entries, entries.count, deadline == .never ? -1 : max(0, (deadline - .now).nanoseconds))
        noteReady()
    }

    /// A worker asks for each of its children's pipes, so finding one must not take longer with many.
    private mutating func noteReady() {
        forget()
        for entry in entries where entry.revents != 0 {
            let missing = Int(entry.fd) + 1 - isReadyByDescriptor.count
            if missing > 0 { isReadyByDescriptor += Array(repeating: false, count: missing) }
            isReadyByDescriptor[Int(entry.fd)] = true
        }
    }

    private mutating func forget() {
        for entry in entries where isReady(entry.fd) { isReadyByDescriptor[Int(entry.fd)] = false }
    }

    /// Whether something happened on `descriptor`: it is ready, broken or gone.
    package func isReady(_ descriptor: Int32) -> Bool {
        isReadyByDescriptor.indices.contains(Int(descriptor)) && isReadyByDescriptor[Int(descriptor)]
    }
}

// One direction of a connection through the proxy: what has been read, what may go on, and when.

import Foundation

struct ProxyFlow {
    enum Rule {
        case forward
        case forwardUpTo(Int)
        case forwardLater(Duration)
        case pace(bytesPerTick: Int, tick: Duration)
        case hold
        case discard
    }

    enum Progress {
        case open
        /// As many bytes were forwarded as the rule allows.
        case limitReached
        /// One of the sockets is.
        case broken
    }

    /// What would let the flow go on.
    struct Wish {
        var read = false
        var write = false
        var time: ContinuousClock.Instant?
    }

    private struct Chunk {
        var bytes: ArraySlice<UInt8>
        var readAt: ContinuousClock.Instant
    }

    let direction: TCPProxy.Direction
    let source: Int32
    let sink: Int32
    private let chunkSize: Int
    private var pending: [Chunk] = []
    private var pendingCount = 0
    private var forwardedInMode = 0
    private var paceLeft = 0
    private var nextTick: ContinuousClock.Instant?
    private(set) var sourceEnded = false
    /// Whether the end was passed on.
    private(set) var sinkEnded = false

    /// How many bytes may be under way in a delay.
    private static let greatestDelayed = 4 << 20
    /// How many chunks one flow moves before others get their turn.
    private static let greatestTurn = 16

    init(_ direction: TCPProxy.Direction, source: Int32, sink: Int32, chunkSize: Int) {
        self.direction = direction
        self.source = source
        self.sink = sink
        self.chunkSize = chunkSize
    }

    /// Byte counts and ticks begin anew.
    mutating func restartCounting() {
        forwardedInMode = 0
        nextTick = nil
    }

    /// Moves what can be moved now.
    mutating func pump(
        _ rule: Rule, _ now: ContinuousClock.Instant, _ traffic: inout TCPProxy.Traffic, captures: Bool
    ) -> Progress {
        if case .hold = rule { return .open }
        if case .pace(let bytes, let tick) = rule, now >= nextTick ?? now {
            paceLeft = bytes
            nextTick = now + tick
        }
        for _ in 0..<Self.greatestTurn {
            let before = (traffic.read, traffic.forwarded)
            if isExhausted(rule) { return .limitReached }
            guard flush(rule, now, &traffic), fill(rule, now, &traffic, captures: captures) else { return .broken }
            if before == (traffic.read, traffic.forwarded) { break }
        }
        if isExhausted(rule) { return .limitReached }
        if case .discard = rule { return .open }
        if sourceEnded, pending.isEmpty, !sinkEnded {
            sinkEnded = true
            shutdown(sink, Int32(SHUT_WR))
        }
        return .open
    }

    func wish(_ rule: Rule, _ now: ContinuousClock.Instant) -> Wish {
        if case .hold = rule { return Wish() }
        if case .pace = rule, paceLeft == 0 { return Wish(time: nextTick) }
        var wish = Wish()
        wish.read = !sourceEnded && room(rule) > 0
        if let first = pending.first {
            let time = dueTime(first, rule)
            wish.write = time <= now
            wish.time = wish.write ? nil : time
        }
        return wish
    }

    /// Hands pending bytes to the sink. False when it is broken.
    private mutating func flush(
        _ rule: Rule, _ now: ContinuousClock.Instant, _ traffic: inout TCPProxy.Traffic
    ) -> Bool {
        if case .discard = rule {
            pending = []
            pendingCount = 0
        }
        while let first = pending.first, dueTime(first, rule) <= now, allowance(rule) > 0 {
            switch LoopbackSocket.write(sink, first.bytes.prefix(allowance(rule))) {
            case .bytes(let count):
                pending[0].bytes.removeFirst(count)
                if pending[0].bytes.isEmpty { pending.removeFirst() }
                pendingCount -= count
                forwardedInMode += count
                traffic.forwarded += count
                if case .pace = rule { paceLeft -= count }
            case .wouldBlock: return true
            case .ended, .broken: return false
            }
        }
        return true
    }

    /// Reads from the source what there is room for. False when it is broken.
    private mutating func fill(
        _ rule: Rule, _ now: ContinuousClock.Instant, _ traffic: inout TCPProxy.Traffic, captures: Bool
    ) -> Bool {
        let room = room(rule)
        guard !sourceEnded, room > 0 else { return true }
        let (bytes, transfer) = LoopbackSocket.read(source, limit: room)
        switch transfer {
        case .wouldBlock: return true
        case .broken: return false
        case .ended: sourceEnded = true
        case .bytes:
            traffic.read += bytes.count
            if captures { traffic.captured += bytes }
            if case .discard = rule { return true }
            pending.append(Chunk(bytes: bytes[...], readAt: now))
            pendingCount += bytes.count
        }
        return true
    }

    /// How many bytes may be read now.
    private func room(_ rule: Rule) -> Int {
        switch rule {
        case .hold: 0
        case .discard: chunkSize
        case .forward: max(0, chunkSize - pendingCount)
        case .forwardLater: min(chunkSize, Self.greatestDelayed - pendingCount)
        case .forwardUpTo, .pace: max(0, min(chunkSize, allowance(rule)) - pendingCount)
        }
    }

    /// How many bytes may be forwarded now.
    private func allowance(_ rule: Rule) -> Int {
        switch rule {
        case .hold, .discard: 0
        case .forward, .forwardLater: .max
        case .forwardUpTo(let limit): max(0, limit - forwardedInMode)
        case .pace: paceLeft
        }
    }

    private func isExhausted(_ rule: Rule) -> Bool {
        if case .forwardUpTo(let limit) = rule { forwardedInMode >= limit } else { false }
    }

    private func dueTime(_ chunk: Chunk, _ rule: Rule) -> ContinuousClock.Instant {
        if case .forwardLater(let delay) = rule { chunk.readAt + delay } else { chunk.readAt }
    }
}

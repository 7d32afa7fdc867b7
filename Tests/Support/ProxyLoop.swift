// The proxy's thread: waits for sockets and lets every connection take a step.

import Foundation

struct ProxyLoop {
    private let listener: Int32
    private let upstreamPort: Int
    private let bufferSize: Int?
    private var links: [ProxyLink] = []

    init(listener: Int32, upstreamPort: Int, bufferSize: Int?) {
        self.listener = listener
        self.upstreamPort = upstreamPort
        self.bufferSize = bufferSize
    }

    /// Serves connections until the proxy is stopped, then closes everything.
    mutating func run(_ control: ProxyControl) {
        var interest = PollInterest()
        while true {
            interest.add(control.wakePipe.descriptor, POLLIN)
            interest.add(listener, POLLIN)
            interest.wait()
            control.wakePipe.clear()
            let accepted = acceptAll()
            interest = PollInterest()
            let isStopped = control.state.withLock { state in
                state.accepted += accepted
                if !state.isStopped { step(&state, &interest) }
                return state.isStopped
            }
            if isStopped { break }
        }
        close(listener)
        for index in links.indices { links[index].end(.finished) }
        control.state.withLock { $0.open = 0 }
    }

    /// Lets every connection move what it can, and collects what to wait for then.
    private mutating func step(_ state: inout ProxyControl.State, _ interest: inout PollInterest) {
        let now = ContinuousClock.now
        for index in links.indices {
            links[index].take(state.mode, generation: state.generation)
            let outcome = links[index].step(now, &state)
            if outcome == .open { links[index].addInterest(to: &interest, now) } else { links[index].end(outcome) }
        }
        links.removeAll { $0.isEnded }
        state.open = links.count
    }

    /// Takes in all waiting clients and returns how many there were.
    private mutating func acceptAll() -> Int {
        var count = 0
        while let client = LoopbackSocket.accept(listener) {
            count += 1
            guard let upstream = try? LoopbackSocket.connect(port: upstreamPort, bufferSize: bufferSize) else {
                LoopbackSocket.reset(client)
                continue
            }
            links.append(ProxyLink(client: client, upstream: upstream, chunkSize: min(bufferSize ?? 65_536, 65_536)))
        }
        return count
    }
}

/// A connection through the proxy.
struct ProxyLink {
    /// How a connection goes on after a step.
    enum Outcome {
        case open, finished, reset
    }

    private let client: Int32
    /// Nil once it was half-closed.
    private var upstream: Int32?
    private var flows: [ProxyFlow]
    private var mode = TCPProxy.Mode.pass
    private var generation = -1
    /// Whether the connection was there before the mode.
    private var isOlder = false
    private(set) var isEnded = false

    init(client: Int32, upstream: Int32, chunkSize: Int) {
        self.client = client
        self.upstream = upstream
        flows = [
            ProxyFlow(.toUpstream, source: client, sink: upstream, chunkSize: chunkSize),
            ProxyFlow(.toClient, source: upstream, sink: client, chunkSize: chunkSize),
        ]
    }

    mutating func take(_ mode: TCPProxy.Mode, generation: Int) {
        guard generation != self.generation else { return }
        isOlder = self.generation >= 0
        self.generation = generation
        self.mode = mode
        for index in flows.indices { flows[index].restartCounting() }
        if mode == .halfClose, let upstream {
            LoopbackSocket.finish(upstream)
            self.upstream = nil
        }
    }

    mutating func step(_ now: ContinuousClock.Instant, _ state: inout ProxyControl.State) -> Outcome {
        for index in flows.indices {
            let direction = flows[index].direction
            let progress = flows[index].pump(
                rule(direction), now, &state.traffic[direction, default: .init()], captures: state.captures)
            switch progress {
            case .open: break
            case .broken: return .reset
            case .limitReached:
                if case .reset = mode { return .reset } else { return .finished }
            }
        }
        let ended = upstream == nil ? flows[0].sourceEnded : flows.allSatisfy(\.sinkEnded)
        return ended ? .finished : .open
    }

    func addInterest(to interest: inout PollInterest, _ now: ContinuousClock.Instant) {
        for flow in flows {
            let wish = flow.wish(rule(flow.direction), now)
            if wish.read { interest.add(flow.source, POLLIN) }
            if wish.write { interest.add(flow.sink, POLLOUT) }
            if let time = wish.time { interest.add(time) }
        }
    }

    mutating func end(_ outcome: Outcome) {
        isEnded = true
        for descriptor in [client, upstream].compactMap({ $0 }) {
            if outcome == .reset { LoopbackSocket.reset(descriptor) } else { LoopbackSocket.finish(descriptor) }
        }
    }

    /// What the mode means for one direction.
    private func rule(_ direction: TCPProxy.Direction) -> ProxyFlow.Rule {
        guard upstream != nil else { return direction == .toUpstream ? .discard : .hold }
        switch mode {
        case .pass, .halfClose: return .forward
        case .stallRead(let stalled): return stalled == direction ? .hold : .forward
        case .blackhole: return .hold
        case .holdOlder: return isOlder ? .hold : .forward
        case .swallow: return .discard
        case .cut(let count, let limited), .reset(let count, let limited):
            return limited == direction ? .forwardUpTo(count) : .forward
        case .throttle(let bytes, let tick): return .pace(bytesPerTick: max(1, bytes), tick: tick)
        case .delay(let delay): return .forwardLater(delay)
        }
    }
}

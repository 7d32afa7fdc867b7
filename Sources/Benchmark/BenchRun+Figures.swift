// What a run has measured.

import Posix

extension BenchRun {
    func sample(_ now: Instant) {
        let confirmed = producers.reduce(0) { $0 + $1.settled }
        let received = consumers.reduce(0) { $0 + $1.settled }
        // What was counted since the last sample belongs to the time from then on.
        if lastSample.at >= times.measureStart {
            let elapsed = lastSample.at - times.measureStart
            results.published.add(confirmed - lastSample.confirmed, at: elapsed)
            results.consumed.add(received - lastSample.received, at: elapsed)
        }
        lastSample = (now, confirmed, received)
        if now >= lastSecond.at + .seconds(1) { tellSecond(now) }
    }

    func tellSecond(_ now: Instant) {
        let (confirms, latencies) = collect()
        let seconds = Double((now - lastSecond.at).nanoseconds) / 1e9
        note(
            Second(
                elapsed: now - times.start, isWarmUp: lastSecond.at < times.measureStart,
                isDraining: phase == .draining,
                seconds: seconds,
                confirmed: results.confirmed - lastSecond.confirmed,
                received: results.received - lastSecond.received,
                waiting: max(0, (plan.backlog ?? results.confirmed) - results.received), confirmLatency: confirms,
                arrivalLatency: latencies))
        lastSecond = (now, results.confirmed, results.received)
    }

    /// Brings the results up to date, and returns the latencies since the last time.
    @discardableResult
    func collect() -> (confirms: LatencyHistogram, arrivals: LatencyHistogram) {
        let sending = producers.map { $0.take() }
        let receiving = consumers.map { $0.take() }
        var confirms = LatencyHistogram()
        var latencies = LatencyHistogram()
        for tally in sending { confirms.add(tally.latencies) }
        for tally in receiving { latencies.add(tally.latencies) }
        results.confirmLatency.add(confirms)
        results.arrivalLatency.add(latencies)
        results.sent = sending.reduce(0) { $0 + $1.sent }
        results.confirmed = sending.reduce(0) { $0 + $1.settled }
        results.nacked = sending.reduce(0) { $0 + $1.nacked }
        results.returned = sending.reduce(0) { $0 + $1.returned }
        results.received = receiving.reduce(0) { $0 + $1.settled }
        results.size = receiving.map(\.size).max() ?? 0
        results.reordered = receiving.reduce(0) { $0 + $1.reordered }
        results.unconfirmed = results.sent - results.confirmed - results.nacked - results.returned
        let end = interruptedAt ?? .now
        results.publishing = BenchResults.Flow(sending.map(\.measured), times, until: end)
        results.consuming = BenchResults.Flow(receiving.map(\.measured), times, until: end)
        return (confirms, latencies)
    }

    /// Adds how late those messages are that were due and never sent, or sent and never settled: a broker that stalls
    /// at the end of a run would not be seen in the latencies of the others.
    func addLateness() {
        let end = sentAt ?? interruptedAt ?? .now
        let account = arrivals.current
        for (number, producer) in producers.enumerated() {
            let tally = producer.take()
            for (sequence, nanoseconds) in tally.lateness {
                results.confirmLatency.record(nanoseconds: nanoseconds)
                guard plan.consumers > 0, !account.hasArrived(producer: number, sequence: sequence) else { continue }
                results.arrivalLatency.record(nanoseconds: nanoseconds)
            }
            guard let schedule = times.schedule(of: number, plan), sentAt == nil || times.end != .never else {
                continue
            }
            for late in schedule.overdue(
                from: UInt64(tally.sent) + 1, since: times.measureStart, before: min(times.end, end), at: end)
            {
                results.confirmLatency.record(microseconds: late.microseconds, count: late.count)
                if plan.consumers > 0 {
                    results.arrivalLatency.record(microseconds: late.microseconds, count: late.count)
                }
            }
        }
    }

    /// Counts what was lost. Only where the run came to its end: what was still on the way isn't lost.
    func judge() {
        let account = arrivals.current
        results.duplicated = account.duplicates
        if let backlog = plan.backlog {
            // What time was too short for isn't lost.
            guard account.arrived >= backlog || !hasTimeEnded(times.start + results.ranFor) else { return }
            results.lost = max(0, backlog - account.arrived)
        } else if plan.consumers > 0 {
            results.lost = producers.enumerated().reduce(0) { sum, producer in
                let tally = producer.element.take()
                return sum
                    + account.lost(
                        producer: producer.offset, sent: UInt64(tally.sent), unconfirmed: tally.unconfirmed)
            }
        } else if let ready = try? queue.ready() {
            results.lost = max(0, results.confirmed - ready)
        }
    }
}

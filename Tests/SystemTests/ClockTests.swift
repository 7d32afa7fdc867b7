// A wall clock that jumps: timeouts, heartbeats and retries go by another one.

import Foundation
import TestSupport
import Testing

@Suite("wall clock", .timeLimit(.minutes(2)))
struct ClockTests {
    @Test(
        "N20 a clock that jumps a day forth, then back, or stands still changes no timeout, no heartbeat and no retry",
        arguments: [
            [WallClock.shifted(by: 86_400), .shifted(by: -86_400)], [.shifted(by: -86_400), .shifted(by: 86_400)],
            [.still(at: 1_700_000_000)],
        ])
    func changes(clocks: [WallClock]) async throws {
        let (first, last) = (try #require(clocks.first), try #require(clocks.last))
        let fixture = try Fixture()
        let clock = try await ChangedClock()
        let folder = try TemporaryFolder()
        // The library works: a task's timestamp is the changed time.
        try clock.become(first)
        let published = try await fixture.run("publish", fixture.queue, "stamped", environment: clock.environment)
        #expect(published.status == 0, "\(published)")
        let stamped = try #require(try await fixture.take(1).first?.properties.timestamp)
        #expect(abs(Int(stamped) - first.now) < 600)
        try clock.become(.shifted(by: 0))

        try await fixture.publish(["fails once", "long"])
        let worker = try fixture.start(
            "work", fixture.queue, "-j2", "--heartbeat", "6", "--timeout", "60s", "--retry-delay", "2s", "-v", "--",
            "sh", "-c",
            "read -r task; case $task in fails*) [ \"$WORKQ_ATTEMPT\" = 2 ];; *) until [ -e '\(folder.path("go"))' ]; "
                + "do sleep .1; done;; esac",
            environment: clock.environment)
        try await worker.says("again in")
        try clock.become(first)
        // Longer than two heartbeats, which the broker would miss.
        try await eventually("the retry succeeded") { fixture.ready(fixture.retryQueue("2s")) == 0 }
        try await Task.sleep(for: .seconds(14))
        try clock.become(last)
        _ = try folder.write("", to: "go")
        try await eventually("the long command's task is acknowledged") { worker.count(of: "acknowledged") >= 2 }
        worker.signal(SIGTERM)
        let result = try await worker.wait()
        #expect(result.status == 0 && !result.errors.contains("onnection"), "\(result)")
    }
}

// A wall clock that jumps: timeouts, heartbeats and retries go by another one.

import Foundation
import TestSupport
import Testing

/// What a program takes for the time of day.
enum WallClock: Sendable, CustomStringConvertible {
    /// So many seconds later than it is.
    case shifted(by: Int)
    /// Always so many seconds since 1970.
    case still(at: Int)

    var description: String {
        switch self {
        case .shifted(let seconds): "\(seconds)"
        case .still(let seconds): "=\(seconds)"
        }
    }

    /// Seconds since 1970 by this clock.
    var now: Int {
        switch self {
        case .shifted(let seconds): Int(Date().timeIntervalSince1970) + seconds
        case .still(let seconds): seconds
        }
    }
}

/// A library that lets a program, also while it runs, take for the time of day what a file says.
private final class ChangedClock {
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        let source = try folder.write(
            """
            #define _GNU_SOURCE
            #include <fcntl.h>
            #include <stdlib.h>
            #include <sys/syscall.h>
            #include <sys/time.h>
            #include <time.h>
            #include <unistd.h>

            static void change(struct timespec *now) {
                char text[32] = {0};
                int file = open("\(folder.path("clock"))", O_RDONLY | O_CLOEXEC);
                if (file < 0) return;
                ssize_t count = read(file, text, sizeof text - 1);
                close(file);
                if (count <= 0) return;
                if (text[0] != '=') {
                    now->tv_sec += atol(text);
                } else {
                    now->tv_sec = atol(text + 1);
                    now->tv_nsec = 0;
                }
            }

            int clock_gettime(clockid_t clock, struct timespec *now) {
                int result = (int)syscall(SYS_clock_gettime, clock, now);
                if (clock == CLOCK_REALTIME) change(now);
                return result;
            }

            time_t time(time_t *result) {
                struct timespec now;
                clock_gettime(CLOCK_REALTIME, &now);
                if (result) *result = now.tv_sec;
                return now.tv_sec;
            }

            int gettimeofday(struct timeval *now, void *zone) {
                struct timespec precise;
                (void)zone;
                clock_gettime(CLOCK_REALTIME, &precise);
                now->tv_sec = precise.tv_sec;
                now->tv_usec = precise.tv_nsec / 1000;
                return 0;
            }
            """, to: "clock.c")
        try await Shell.run(["cc", "-shared", "-fPIC", "-O1", "-o", folder.path("clock.so"), source])
        try become(.shifted(by: 0))
    }

    var environment: [String: String] { ["LD_PRELOAD": folder.path("clock.so")] }

    func become(_ clock: WallClock) throws {
        _ = try folder.write("\(clock)\n", to: "clock")
    }
}

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
            "work", fixture.queue, "-j2", "--heartbeat", "2", "--timeout", "60s", "--retry-delay", "2s", "-v", "--",
            "sh", "-c",
            "read -r task; case $task in fails*) [ \"$WORKQ_ATTEMPT\" = 2 ];; *) until [ -e '\(folder.path("go"))' ]; "
                + "do sleep .1; done;; esac",
            environment: clock.environment)
        try await worker.says("again in")
        try clock.become(first)
        // Longer than two heartbeats, which the broker would miss.
        try await eventually("the retry succeeded") { fixture.ready(fixture.retryQueue("2s")) == 0 }
        try await Task.sleep(for: .seconds(5))
        try clock.become(last)
        _ = try folder.write("", to: "go")
        try await eventually("the long command's task is acknowledged") { worker.count(of: "acknowledged") >= 2 }
        worker.signal(SIGTERM)
        let result = try await worker.wait()
        #expect(result.status == 0 && !result.errors.contains("onnection"), "\(result)")
    }
}

// A wall clock that jumps: timeouts, heartbeats and retries go by another one.

import Foundation
import TestSupport
import Testing

/// A library that shifts the time of day of a program by as many seconds as a file says, when the program is running
/// too.
private final class ShiftedClock {
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

            static long shift(void) {
                char text[32] = {0};
                int file = open("\(folder.path("shift"))", O_RDONLY | O_CLOEXEC);
                if (file < 0) return 0;
                ssize_t count = read(file, text, sizeof text - 1);
                close(file);
                return count > 0 ? atol(text) : 0;
            }

            int clock_gettime(clockid_t clock, struct timespec *now) {
                int result = (int)syscall(SYS_clock_gettime, clock, now);
                if (clock == CLOCK_REALTIME) now->tv_sec += shift();
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
        try jump(by: 0)
    }

    var environment: [String: String] { ["LD_PRELOAD": folder.path("clock.so")] }

    func jump(by seconds: Int) throws {
        _ = try folder.write("\(seconds)\n", to: "shift")
    }
}

@Suite("wall clock", .timeLimit(.minutes(2)))
struct ClockTests {
    @Test("N20 a day forth and back changes no timeout, no heartbeat and no retry", arguments: [86_400, -86_400])
    func jumps(seconds: Int) async throws {
        let fixture = try Fixture()
        let clock = try await ShiftedClock()
        let folder = try TemporaryFolder()
        // The library works: a task's timestamp is the shifted time.
        try clock.jump(by: seconds)
        let published = try await fixture.run("publish", fixture.queue, "stamped", environment: clock.environment)
        #expect(published.status == 0, "\(published)")
        let stamped = try #require(try await fixture.take(1).first?.properties.timestamp)
        #expect(abs(Int(stamped) - Int(Date().timeIntervalSince1970) - seconds) < 600)
        try clock.jump(by: 0)

        try await fixture.publish(["fails once", "long"])
        let worker = try fixture.start(
            "work", fixture.queue, "-j2", "--heartbeat", "2", "--timeout", "60s", "--retry-delay", "2s", "-v", "--",
            "sh", "-c",
            "read -r task; case $task in fails*) [ \"$WORKQ_ATTEMPT\" = 2 ];; *) until [ -e '\(folder.path("go"))' ]; "
                + "do sleep .1; done;; esac",
            environment: clock.environment)
        try await worker.says("again in")
        try clock.jump(by: seconds)
        // Longer than two heartbeats, which the broker would miss.
        try await eventually("the retry succeeded") { fixture.ready(fixture.retryQueue("2s")) == 0 }
        try await Task.sleep(for: .seconds(5))
        try clock.jump(by: -seconds)
        _ = try folder.write("", to: "go")
        try await eventually("the long command's task is acknowledged") { worker.count(of: "acknowledged") >= 2 }
        worker.signal(SIGTERM)
        let result = try await worker.wait()
        #expect(result.status == 0 && !result.errors.contains("onnection"), "\(result)")
    }
}

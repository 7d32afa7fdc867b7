// A clock for tests that can be set.

import Foundation
import TestSupport

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

/// A library that lets workq, also while it runs, take for the time of day what a file says. Its commands see the real
/// one.
final class ChangedClock: Sendable {
    private let folder: TemporaryFolder

    init() async throws {
        folder = try TemporaryFolder()
        let source = try folder.write(
            """
            #define _GNU_SOURCE
            #include <errno.h>
            #include <fcntl.h>
            #include <stdlib.h>
            #include <string.h>
            #include <sys/syscall.h>
            #include <sys/time.h>
            #include <time.h>
            #include <unistd.h>

            static void change(struct timespec *now) {
                if (strcmp(program_invocation_short_name, "workq") != 0) return;
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

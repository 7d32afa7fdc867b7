// The time of day, as programs read it.

import Posix

/// A point in time, to the millisecond.
struct WallTime: Equatable {
    /// Since 1970, UTC.
    var milliseconds: Int64

    static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// RFC 3339, UTC, with milliseconds: `2023-11-14T22:13:20.250Z`.
    var text: String {
        let (seconds, rest) = milliseconds.quotientAndRemainder(dividingBy: 1_000)
        var (time, date) = (time_t(seconds), tm())
        gmtime_r(&time, &date)
        return Self.digits(Int(date.tm_year) + 1_900, 4) + "-" + Self.digits(Int(date.tm_mon) + 1, 2) + "-"
            + Self.digits(Int(date.tm_mday), 2) + "T" + Self.digits(Int(date.tm_hour), 2) + ":"
            + Self.digits(Int(date.tm_min), 2) + ":" + Self.digits(Int(date.tm_sec), 2) + "."
            + Self.digits(Int(rest), 3) + "Z"
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }
}

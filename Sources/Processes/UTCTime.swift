import Glibc

/// Points in time as RFC 3339 spells them, in UTC.
package enum UTCTime {
    /// Whole seconds since 1970: `2026-01-02T03:04:05Z`.
    package static func string(_ seconds: Int64) -> String {
        var parts = tm()
        var value = time_t(seconds)
        gmtime_r(&value, &parts)
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
            + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }

    /// Seconds since 1970, with their fraction.
    package static func now() -> Double {
        var value = timespec()
        clock_gettime(CLOCK_REALTIME, &value)
        return Double(value.tv_sec) + Double(value.tv_nsec) / 1e9
    }
}

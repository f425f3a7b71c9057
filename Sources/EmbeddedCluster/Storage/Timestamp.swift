import Glibc
import Processes

/// Times as the API writes them: `2026-01-02T03:04:05Z`.
enum Timestamp {
    /// Seconds since 1970.
    static func seconds() -> Int64 { Int64(time(nil)) }

    static func now() -> String { string(seconds()) }

    static func string(_ seconds: Int64) -> String { UTCTime.string(seconds) }

    /// With microseconds, as leases and events carry them.
    static func precise() -> String {
        var value = timespec()
        clock_gettime(CLOCK_REALTIME, &value)
        let micro = String(value.tv_nsec / 1000)
        return string(Int64(value.tv_sec)).dropLast() + "." + String(repeating: "0", count: 6 - micro.count) + micro + "Z"
    }
}

extension Timestamp {
    /// Seconds since 1970 of an RFC 3339 time; `nil` when it is none.
    static func parse(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        func number(_ start: Int, _ count: Int) -> Int32? {
            guard start + count <= bytes.count else { return nil }
            return Int32(String(decoding: bytes[start..<start + count], as: UTF8.self))
        }
        guard let year = number(0, 4), let month = number(5, 2), let day = number(8, 2), let hour = number(11, 2),
            let minute = number(14, 2), let second = number(17, 2), bytes[4] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "T")
        else { return nil }
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year - 1900, month - 1, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec) = (hour, minute, second)
        var tail = Substring(String(decoding: bytes[19...], as: UTF8.self))
        if tail.first == "." { tail = tail.dropFirst().drop { $0.isNumber } }
        let seconds = Int64(timegm(&parts))
        if tail == "Z" || tail == "z" { return seconds }
        guard let sign = tail.popFirst(), sign == "+" || sign == "-" else { return nil }
        let sides = tail.split(separator: ":").compactMap { Int64($0) }
        guard sides.count == 2 else { return nil }
        let offset = (sides[0] * 60 + sides[1]) * 60
        return sign == "+" ? seconds - offset : seconds + offset
    }
}

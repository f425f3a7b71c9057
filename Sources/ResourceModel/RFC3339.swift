/// An RFC 3339 time in seconds since 1970-01-01 UTC; `nil` when the text is none.
package func secondsSince1970(rfc3339 text: String) -> Double? {
    let bytes = Array(text.utf8)
    func number(_ range: Range<Int>) -> Int? {
        guard range.upperBound <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[range] {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        return value
    }
    guard bytes.count >= 20, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
        let minute = number(14..<16), let second = number(17..<19), bytes[4] == 45, bytes[7] == 45, [84, 116, 32].contains(bytes[10]),
        bytes[13] == 58, bytes[16] == 58, (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
    else { return nil }
    var position = 19
    var fraction = 0.0
    if bytes[position] == UInt8(ascii: ".") {
        position += 1
        var scale = 0.1
        while position < bytes.count, (48...57).contains(bytes[position]) {
            fraction += Double(bytes[position] - 48) * scale
            scale /= 10
            position += 1
        }
    }
    guard position < bytes.count else { return nil }
    var offset = 0
    switch bytes[position] {
    case UInt8(ascii: "Z"), UInt8(ascii: "z"): guard position + 1 == bytes.count else { return nil }
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
        guard position + 6 == bytes.count, let hours = number(position + 1..<position + 3), let minutes = number(position + 4..<position + 6)
        else { return nil }
        offset = (hours * 60 + minutes) * 60 * (bytes[position] == UInt8(ascii: "-") ? -1 : 1)
    default: return nil
    }
    // Days since 1970-01-01 in the proleptic Gregorian calendar, counted in years that start in March.
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    return Double(days * 86_400 + hour * 3_600 + minute * 60 + second - offset) + fraction
}

/// Seconds since 1970-01-01 UTC as the API writes times: `2026-01-02T03:04:05Z`; fractions are cut off.
package func rfc3339(_ secondsSince1970: Double) -> String {
    let total = Int(secondsSince1970.rounded(.down))
    let days = Int((Double(total) / 86_400).rounded(.down))
    let rest = total - days * 86_400
    // The civil date of a day number, as in `secondsSince1970(rfc3339:)` the other way round.
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * month + 2) / 5 + 1
    func digits(_ number: Int, _ count: Int) -> String {
        let text = "\(number)"
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let year = yearOfEra + era * 400 + (month >= 10 ? 1 : 0)
    return "\(digits(year, 4))-\(digits(month < 10 ? month + 3 : month - 9, 2))-\(digits(day, 2))T"
        + "\(digits(rest / 3_600, 2)):\(digits(rest / 60 % 60, 2)):\(digits(rest % 60, 2))Z"
}

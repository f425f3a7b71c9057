import ResourceModel

/// `3` or `25%`, as `maxSurge` and `maxUnavailable` are written.
enum IntOrPercent: Sendable, Hashable {
    case count(Int)
    case percent(Int)

    init?(_ value: JSONValue?) {
        if let number = value?.integerValue {
            self = .count(Int(number))
        } else if let text = value?.stringValue {
            if text.hasSuffix("%"), let number = Int(text.dropLast()) {
                self = .percent(number)
            } else if let number = Int(text) {
                self = .count(number)
            } else {
                return nil
            }
        } else {
            return nil
        }
    }

    /// The number that is meant out of `total`.
    func resolved(of total: Int, roundingUp: Bool) -> Int {
        switch self {
        case .count(let number): number
        case .percent(let percent): (percent * total + (roundingUp ? 99 : 0)) / 100
        }
    }
}

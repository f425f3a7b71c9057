import ResourceModel
import Store

/// The settings that are numbers: flags, else `RECONCILER_*` variables, else `reconciler.yaml`.
struct SettingNumbers {
    let values: JSONObject
    let file: String

    /// `history: {keepAttempts, keepDays}`.
    func retention(_ options: WriterOptions?) throws -> Retention {
        try check("history", ["keepAttempts", "keepDays"])
        return Retention(
            attempts: try number(options?.keepAttempts, "--keep-attempts", "RECONCILER_KEEP_ATTEMPTS", "history", "keepAttempts", 1000, from: 1),
            age: 86_400 * Double(try number(options?.keepDays, "--keep-days", "RECONCILER_KEEP_DAYS", "history", "keepDays", 400, from: 1)))
    }

    /// `lease: {wait, duration}`, in seconds.
    func lease(_ options: WriterOptions?) throws -> (wait: Duration, duration: Duration) {
        try check("lease", ["wait", "duration"])
        return (
            .seconds(try number(options?.leaseWait, "--lease-wait", "RECONCILER_LEASE_WAIT", "lease", "wait", 60, from: 0)),
            .seconds(try number(nil, "", "RECONCILER_LEASE_DURATION", "lease", "duration", 15, from: 1))
        )
    }

    private func check(_ section: String, _ known: [String]) throws {
        guard let entry = values[section], entry.objectValue?.keys.allSatisfy(known.contains) != true else { return }
        throw UsageError("the configuration cannot be used: \(file): `\(section)` takes \(known.joined(separator: " and "))")
    }

    private func number(
        _ flag: Int?, _ name: String, _ variable: String, _ section: String, _ key: String, _ standard: Int, from lowest: Int
    ) throws -> Int {
        func checked(_ value: Int?, _ name: String) throws -> Int {
            guard let value, value >= lowest else { throw UsageError("\(name) must be a number, \(lowest) or more") }
            return value
        }
        if let flag { return try checked(flag, name) }
        if let text = Environment.value(variable) { return try checked(Int(text), "$\(variable)") }
        guard let value = values[section]?[key] else { return standard }
        return try checked(value.integerValue.map { Int($0) }, "\(file): `\(section).\(key)`")
    }
}

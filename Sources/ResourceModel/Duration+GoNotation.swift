extension Duration {
    /// A duration as Go and Kubernetes write it: `1h30m`, `5s`, `250ms`, `1.5h`; a bare number is seconds. `nil` when it is none.
    /// https://pkg.go.dev/time#ParseDuration
    package init?(goNotation text: String) {
        if let seconds = Int64(text) {
            self = .seconds(seconds)
            return
        }
        let units: [String: Double] = ["ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600]
        var rest = text[...]
        var total: Double = 0
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !$0.isNumber && $0 != "." }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let factor = units[String(unit)] else { return nil }
            total += number * factor
        }
        self = .seconds(total)
    }
}

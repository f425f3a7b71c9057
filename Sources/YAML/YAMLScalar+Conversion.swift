import ResourceModel

extension YAMLScalar.Resolution {
    /// The resolved value as it arrives in Kubernetes; `nil` for what JSON cannot carry (infinity, not a number).
    /// - Parameter text: the scalar itself, for strings.
    func jsonValue(text: @autoclosure () -> String) -> JSONValue? {
        switch self {
        case .string: .string(text())
        case .null: .null
        case .bool(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .unsigned(let value): .number("\(Double(value))")
        case .float(let value): value.isFinite ? Self.number(value) : JSONValue?.none  // a bare nil would be JSON's null
        }
    }

    /// The resolved value as a mapping's key, as sigs.k8s.io/yaml spells it; `nil` for what cannot be one.
    func key(text: @autoclosure () -> String) -> String? {
        switch self {
        case .string: text()
        case .null, .unsigned: nil
        case .bool(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .float(let value): Self.goGeneral(value)
        }
    }

    var typeName: String {
        switch self {
        case .string: "string"
        case .null: "null"
        case .bool: "bool"
        case .integer, .unsigned: "int"
        case .float: "float"
        }
    }

    /// Go's JSON spells a float below 1e21 without an exponent, and Kubernetes reads what then looks like an integer as one.
    private static func number(_ value: Double) -> JSONValue {
        if value == value.rounded(), abs(value) < 1e19 {
            if abs(value) < 9_007_199_254_740_992 { return .integer(Int64(value)) }
            let (digits, exponent) = decimal(abs(value))
            let text = digits + String(repeating: "0", count: max(0, exponent + 1 - digits.count))
            if let integer = Int64((value < 0 ? "-" : "") + text) { return .integer(integer) }
        }
        return .number("\(value)")
    }

    /// The shortest decimal digits that give the value, and the exponent of the first.
    private static func decimal(_ value: Double) -> (digits: String, exponent: Int) {
        let parts = "\(value)".split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        let whole = mantissa[0] == "0" ? "" : String(mantissa[0])
        let all = whole + (mantissa.count > 1 ? String(mantissa[1]) : "")
        let digits = all.drop { $0 == "0" }
        let exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) + whole.count - 1 - (all.count - digits.count)
        let trimmed = String(digits.reversed().drop { $0 == "0" }.reversed())
        return (trimmed.isEmpty ? "0" : trimmed, trimmed.isEmpty ? 0 : exponent)
    }

    /// `strconv.FormatFloat(value, 'g', -1, 64)` with YAML's words for what is not finite.
    private static func goGeneral(_ value: Double) -> String {
        if value.isNaN { return ".nan" }
        if value.isInfinite { return value < 0 ? "-.inf" : ".inf" }
        let (digits, exponent) = decimal(abs(value))
        let sign = value.sign == .minus ? "-" : ""
        if exponent < -4 || exponent >= 6 {
            let size = abs(exponent) < 10 ? "0\(abs(exponent))" : "\(abs(exponent))"
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            return "\(sign)\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(size)"
        }
        if exponent < 0 { return sign + "0." + String(repeating: "0", count: -exponent - 1) + digits }
        if digits.count <= exponent + 1 { return sign + digits + String(repeating: "0", count: exponent + 1 - digits.count) }
        return sign + digits.prefix(exponent + 1) + "." + digits.dropFirst(exponent + 1)
    }
}

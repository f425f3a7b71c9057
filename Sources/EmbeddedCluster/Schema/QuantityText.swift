import ResourceModel

/// A resource quantity's canonical spelling: `1000m` is `1`, `0.5` is `500m`, `1024Mi` is `1Gi`.
///
/// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
package enum QuantityText {
    private static let binary = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
    private static let decimal: [(suffix: String, exponent: Int)] = [
        ("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18),
    ]

    /// - Returns: nil when the value is no quantity.
    package static func canonical(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .string(let text): canonical(text).map { .string($0) }
        case .integer(let number): canonical(String(number)).map { .string($0) }
        case .number(let literal): canonical(literal).map { .string($0) }
        default: nil
        }
    }

    package static func canonical(_ text: String) -> String? {
        var rest = Substring(text)
        var sign = ""
        if let first = rest.first, first == "-" || first == "+" {
            if first == "-" { sign = "-" }
            rest.removeFirst()
        }
        let whole = rest.prefix { $0.isASCII && $0.isNumber }
        rest = rest.dropFirst(whole.count)
        var fraction: Substring = ""
        if rest.first == "." {
            rest.removeFirst()
            fraction = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(fraction.count)
        }
        guard !(whole.isEmpty && fraction.isEmpty), whole.count + fraction.count <= 30,
            var mantissa = Int128(String(whole + fraction))
        else { return nil }
        var exponent = -fraction.count
        let suffix = String(rest)
        if let power = binary.firstIndex(of: suffix), power > 0 {
            return binaryForm(sign, mantissa, exponent, power)
        }
        var isExponent = false
        if let known = decimal.first(where: { $0.suffix == suffix }) {
            exponent += known.exponent
        } else if let marker = suffix.first, marker == "e" || marker == "E", let power = Int(suffix.dropFirst()), abs(power) < 100
        {
            exponent += power
            isExponent = true
        } else {
            return nil
        }
        if mantissa == 0 { return "0" }
        while exponent < -9 {
            let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: 10)
            mantissa = quotient + (remainder == 0 ? 0 : 1)
            exponent += 1
        }
        return decimalForm(sign, mantissa, exponent, isExponent)
    }

    private static func decimalForm(_ sign: String, _ mantissa: Int128, _ exponent: Int, _ isExponent: Bool) -> String {
        var mantissa = mantissa
        var exponent = exponent
        while mantissa % 10 == 0 {
            mantissa /= 10
            exponent += 1
        }
        while exponent % 3 != 0 || (!isExponent && exponent > 18) {
            mantissa *= 10
            exponent -= 1
        }
        if isExponent { return exponent == 0 ? "\(sign)\(mantissa)" : "\(sign)\(mantissa)e\(exponent)" }
        return "\(sign)\(mantissa)\(decimal.first { $0.exponent == exponent }?.suffix ?? "")"
    }

    private static func binaryForm(_ sign: String, _ mantissa: Int128, _ exponent: Int, _ power: Int) -> String? {
        var numerator = mantissa
        for _ in 0..<power {
            let (product, overflow) = numerator.multipliedReportingOverflow(by: 1024)
            if overflow { return nil }
            numerator = product
        }
        var denominator: Int128 = 1
        for _ in 0..<(-exponent) { denominator *= 10 }
        if numerator == 0 { return "0" }
        if numerator < 1024 * denominator { return canonicalFraction(sign, numerator, exponent) }
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        var amount = quotient + (remainder == 0 ? 0 : 1)
        var unit = 0
        while amount % 1024 == 0, unit < binary.count - 1 {
            amount /= 1024
            unit += 1
        }
        return "\(sign)\(amount)\(binary[unit])"
    }

    /// Less than 1024: written with decimal suffixes, so that nothing is rounded.
    private static func canonicalFraction(_ sign: String, _ numerator: Int128, _ exponent: Int) -> String {
        var mantissa = numerator
        var exponent = exponent
        while exponent < -9 {
            let (quotient, remainder) = mantissa.quotientAndRemainder(dividingBy: 10)
            mantissa = quotient + (remainder == 0 ? 0 : 1)
            exponent += 1
        }
        return decimalForm(sign, mantissa, exponent, false)
    }
}

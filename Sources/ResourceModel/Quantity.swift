/// A Kubernetes resource quantity (`500m`, `1.5Gi`, `2e3`), exact to a billionth: what finer digits there are is rounded up.
/// With a binary suffix amounts beyond 2⁶³-1 are that bound, as the API server has it (apimachinery's `resource.ParseQuantity`);
/// other amounts are bounded by 10²⁸, which the server would still write out.
package struct Quantity: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// How the quantity was written, which its canonical form keeps.
    package enum Format: Sendable, Hashable { case decimal, binary, exponent }

    /// In billionths.
    package private(set) var nanos: Int128
    package private(set) var format: Format

    private static let one: Int128 = 1_000_000_000
    private static let binaryBound: Int128 = Int128(Int64.max) * one
    private static let decimalBound: Int128 = 10_000_000_000 * one * one * one

    package init(nanos: Int128, format: Format = .decimal) {
        self.nanos = nanos
        self.format = format
    }

    /// Equal when the amounts are, however they were written.
    package static func == (left: Quantity, right: Quantity) -> Bool { left.nanos == right.nanos }
    package func hash(into hasher: inout Hasher) { hasher.combine(nanos) }
    package static func < (left: Quantity, right: Quantity) -> Bool { left.nanos < right.nanos }

    package static func + (left: Quantity, right: Quantity) -> Quantity {
        Quantity(nanos: left.nanos + right.nanos, format: left.format)
    }

    package static let zero = Quantity(nanos: 0)
    package var isZero: Bool { nanos == 0 }
    package var isNegative: Bool { nanos < 0 }
    package var isInteger: Bool { nanos % Self.one == 0 }

    /// The amount as a whole number, rounded up.
    package var integer: Int64 {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: Self.one)
        return Int64(clamping: remainder > 0 ? quotient + 1 : quotient)
    }

    /// The amount with at most three decimal digits, rounded up: what resource lists are kept with.
    package var roundedUpToMilli: Quantity {
        let (quotient, remainder) = nanos.quotientAndRemainder(dividingBy: 1_000_000)
        if remainder == 0 { return self }
        return Quantity(nanos: (remainder > 0 ? quotient + 1 : quotient) * 1_000_000, format: format)
    }
}

extension Quantity {
    /// The quantity that a JSON value (a string, or a number as it is written) stands for; `nil` when it is none.
    package init?(_ value: JSONValue) {
        switch value {
        case .string(let text): self.init(text)
        case .integer(let number): self.init(String(number))
        case .number(let literal): self.init(literal)
        default: return nil
        }
    }

    /// - Returns: `nil` when the text is not `<sign><digits>[.<digits>]<suffix>`.
    package init?(_ text: String) {
        var rest = Substring(text)
        var isNegative = false
        if let sign = rest.first, sign == "-" || sign == "+" {
            isNegative = sign == "-"
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
        guard !whole.isEmpty || !fraction.isEmpty, let scale = Self.scale(rest) else { return nil }
        let magnitude = Self.magnitude(Array((String(whole) + fraction).utf8), shift: scale.ten - fraction.count, two: scale.two,
            bound: scale.format == .binary ? Self.binaryBound : Self.decimalBound)
        nanos = isNegative ? -magnitude : magnitude
        format = scale.format
    }

    private struct Scale {
        var ten = 0
        var two = 0
        var format = Format.decimal
    }

    private static let decimalSuffixes: [(String, Int)] = [
        ("n", -9), ("u", -6), ("m", -3), ("", 0), ("k", 3), ("M", 6), ("G", 9), ("T", 12), ("P", 15), ("E", 18),
    ]
    private static let binarySuffixes: [(String, Int)] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40), ("Pi", 50), ("Ei", 60)]

    private static func scale(_ suffix: Substring) -> Scale? {
        if let known = decimalSuffixes.first(where: { $0.0 == suffix }) { return Scale(ten: known.1) }
        if let known = binarySuffixes.first(where: { $0.0 == suffix }) { return Scale(two: known.1, format: .binary) }
        guard let mark = suffix.first, mark == "e" || mark == "E", let exponent = Int(suffix.dropFirst()), abs(exponent) < 1000 else {
            return nil
        }
        return Scale(ten: exponent, format: .exponent)
    }

    /// digits × 10^shift × 2^two in billionths, rounded up and bounded.
    private static func magnitude(_ digits: [UInt8], shift: Int, two: Int, bound: Int128) -> Int128 {
        var value: Int128 = 0
        var power = shift + 9
        var dropped = false
        for digit in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow || product > Int128.max / 16 {
                // Digits beyond what fits: only their number matters now.
                power += 1
                if digit != UInt8(ascii: "0") { dropped = true }
                continue
            }
            value = product + Int128(digit - UInt8(ascii: "0"))
        }
        if value == 0 { return dropped ? 1 : 0 }
        for _ in 0..<two {
            let (doubled, overflow) = value.multipliedReportingOverflow(by: 2)
            if overflow { return bound }
            value = doubled
        }
        while power > 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            if overflow || product > bound { return bound }
            value = product
            power -= 1
        }
        while power < 0 {
            if value % 10 != 0 { dropped = true }
            value /= 10
            power += 1
            if value == 0 { break }
        }
        if dropped { value += 1 }
        return min(value, bound)
    }
}

extension Quantity {
    /// The form in which the API server answers: the largest suffix that leaves a whole number, no fraction.
    package var description: String { canonical }

    package var canonical: String {
        if nanos == 0 { return "0" }
        if format == .binary, abs(nanos) >= 1024 * Self.one, isInteger {
            var mantissa = nanos / Self.one
            var index = -1
            while mantissa % 1024 == 0, index + 1 < Self.binarySuffixes.count {
                mantissa /= 1024
                index += 1
            }
            return "\(mantissa)" + (index < 0 ? "" : Self.binarySuffixes[index].0)
        }
        var mantissa = nanos
        var exponent = -9
        while mantissa % 1000 == 0, exponent < 18 {
            mantissa /= 1000
            exponent += 3
        }
        if format == .exponent { return exponent == 0 ? "\(mantissa)" : "\(mantissa)e\(exponent)" }
        return "\(mantissa)" + (Self.decimalSuffixes.first { $0.1 == exponent }?.0 ?? "")
    }
}

/// A resource quantity such as `500m`, `128Mi` or `1e3`, as a number.
enum ResourceAmount {
    private static let factors: [String: Double] = [
        "": 1, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
        "Ki": 1024, "Mi": 1_048_576, "Gi": 1_073_741_824, "Ti": 1_099_511_627_776, "Pi": 1_125_899_906_842_624,
        "Ei": 1_152_921_504_606_846_976,
    ]

    /// `nil` for text that is no quantity.
    static func value(_ text: String) -> Double? {
        if let plain = Double(text) { return plain }
        for length in [2, 1] where text.count > length {
            if let factor = factors[String(text.suffix(length))], let number = Double(text.dropLast(length)) { return number * factor }
        }
        return nil
    }
}

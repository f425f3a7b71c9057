/// Undoes that UTF-8 was read as a one-byte encoding and saved again (`â†’` and `‚Üí` for `→`), also when it happened twice.
///
/// Text that is rightly written stays: single signs are mended only where they cannot be meant (`â€™`, `ğŸ¯`), everything else only
/// where the broken sequences outnumber the other signs beyond ASCII.
struct EncodingRepair {
    var text: [Unicode.Scalar]
    /// How many sequences were mended.
    private(set) var places = 0
    private(set) var encodings: [String] = []

    /// `nil` when there is nothing to mend.
    init?(_ string: String) {
        text = Array(string.unicodeScalars)
        // Broken again and again: each round undoes one.
        for _ in 0..<3 {
            guard let (encoding, fixes) = Self.best(text) else { break }
            apply(fixes)
            if !encodings.contains(encoding.name) { encodings.append(encoding.name) }
        }
        if places == 0 { return nil }
    }

    var string: String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: text)
        return String(view)
    }

    /// A sequence of `count` scalars from `start` that stands for `scalar`.
    private struct Fix {
        var start: Int
        var count: Int
        var scalar: Unicode.Scalar
        /// Nobody writes the sequence on purpose.
        var isCertain: Bool
    }

    private mutating func apply(_ fixes: [Fix]) {
        var mended = [Unicode.Scalar]()
        mended.reserveCapacity(text.count)
        var index = 0
        for fix in fixes {
            mended += text[index..<fix.start]
            mended.append(fix.scalar)
            index = fix.start + fix.count
        }
        mended += text[index...]
        text = mended
        places += fixes.count
    }

    private static func best(_ text: [Unicode.Scalar]) -> (LegacyEncoding, [Fix])? {
        var best: (encoding: LegacyEncoding, fixes: [Fix])?
        for encoding in [LegacyEncoding.windows1252, .windows1254, .macRoman] {
            let fixes = fixes(text, encoding)
            if fixes.count > best?.fixes.count ?? 0 { best = (encoding, fixes) }
        }
        return best.map { ($0.encoding, $0.fixes) }
    }

    private static func fixes(_ text: [Unicode.Scalar], _ encoding: LegacyEncoding) -> [Fix] {
        var fixes = [Fix]()
        var others = 0
        var index = 0
        while index < text.count {
            if text[index].value < 0x80 {
                index += 1
            } else if let fix = fix(text, index, encoding) {
                fixes.append(fix)
                index += fix.count
            } else {
                others += 1
                index += 1
            }
        }
        return fixes.count > others ? fixes : fixes.filter(\.isCertain)
    }

    private static func fix(_ text: [Unicode.Scalar], _ start: Int, _ encoding: LegacyEncoding) -> Fix? {
        guard let lead = encoding.byte(text[start]), lead >= 0xC2, lead <= 0xF4 else { return nil }
        let wanted = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3
        var tail = [UInt8]()
        while tail.count < wanted, start + 1 + tail.count < text.count, let byte = encoding.byte(text[start + 1 + tail.count]),
            (0x80...0xBF).contains(byte)
        {
            tail.append(byte)
        }
        let taken = tail.count + 1
        if tail.count < wanted {
            guard let full = withHole(lead, tail, encoding) else { return nil }
            tail = full
        }
        guard let scalar = scalar([lead] + tail), isPlausible(scalar) else { return nil }
        let isCertain = wanted > 1 && (0x2000...0x2BFF ~= scalar.value || 0xFE0F == scalar.value || 0x1F000...0x1FAFF ~= scalar.value)
        return Fix(start: start, count: taken, scalar: scalar, isCertain: isCertain)
    }

    /// The sequence with the byte put back that the encoding has no sign for: `â€` is `”`, `âŒ` is `❌`, `ï¸` the emoji mark.
    private static func withHole(_ lead: UInt8, _ tail: [UInt8], _ encoding: LegacyEncoding) -> [UInt8]? {
        guard !encoding.holes.isEmpty else { return nil }
        switch (lead, tail) {
        case (0xE2, [0x80]): return [0x80, 0x9D]
        case (0xE2, [0x86]), (0xE2, [0x87]), (0xE2, [0x94]), (0xE2, [0x95]), (0xE2, [0x96]): return tail + [0x90]
        case (0xE2, [0x9C]), (0xE2, [0x9A]): return tail + [0x8F]
        case (0xE2, [0x8C]), (0xE2, [0x8E]), (0xE2, [0x93]), (0xE2, [0x94]), (0xE2, [0x97]), (0xE2, [0xA4]): return [0x9D] + tail
        case (0xEF, [0xB8]): return [0xB8, 0x8F]
        case (0xF0, _) where tail.count == 2 && tail[0] == 0x9F:
            return [0x9F, encoding.holes.contains(0x8E) ? 0x8E : 0x8F, tail[1]]
        default: return nil
        }
    }

    private static func scalar(_ bytes: [UInt8]) -> Unicode.Scalar? {
        guard let string = String(validating: bytes, as: UTF8.self) else { return nil }
        return string.unicodeScalars.first
    }

    /// What people write in documents: letters of the big scripts, punctuation, arrows, drawings, emoji.
    private static func isPlausible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // From 0x80 on: broken twice, the controls of Latin-1 come first.
        case 0x80...0x24F, 0x2B0...0x2FF, 0x370...0x45F, 0x490...0x4FF: true
        case 0x1E00...0x1EFF, 0x2000...0x2BFF, 0x3000...0x9FFF, 0xAC00...0xD7A3, 0xF8FF, 0xFB01...0xFB02, 0xFE0F, 0xFEFF, 0xFF00...0xFFEF:
            true
        case 0x1F000...0x1FAFF: true
        default: false
        }
    }
}

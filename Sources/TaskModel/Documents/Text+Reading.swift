extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String { trimming { $0.properties.isWhitespace } }

    /// Without any of the scalars at both ends.
    func trimming(_ scalars: Set<Unicode.Scalar>) -> String { trimming { scalars.contains($0) } }

    private func trimming(_ drop: (Unicode.Scalar) -> Bool) -> String {
        let view = unicodeScalars
        guard let first = view.firstIndex(where: { !drop($0) }), let last = view.lastIndex(where: { !drop($0) }) else { return "" }
        return String(String.UnicodeScalarView(view[first...last]))
    }

    /// Lower-case words of letters and digits: `Phase 5: TinyURL & co` gives `phase`, `5`, `tinyurl`, `co`.
    var words: [String] {
        lowercased().unicodeScalars.split { !($0.properties.isAlphabetic || $0.isDigit) }.map { String($0) }
    }

    /// The words joined by `-`: `phase-5-tinyurl-co`; shortened to 60 characters at a word's end.
    var slug: String {
        var slug = ""
        for word in words {
            if !slug.isEmpty, slug.utf8.count + word.utf8.count > 60 { break }
            slug += (slug.isEmpty ? "" : "-") + word
        }
        return slug
    }

    /// The words of any script with one space between: what two places say alike has one key.
    var matchKey: String { words.joined(separator: " ") }
}

extension Unicode.Scalar {
    /// `0` to `9`.
    var isDigit: Bool { value >= 0x30 && value <= 0x39 }
    /// `A` to `Z`, `a` to `z`.
    var isLetter: Bool { (value | 0x20) >= 0x61 && (value | 0x20) <= 0x7A }
    var isUpper: Bool { value >= 0x41 && value <= 0x5A }
    /// A sign that decorates text: emoji, arrows, dingbats, and their modifiers.
    var isDecoration: Bool {
        switch value {
        case 0x2190...0x21FF, 0x2300...0x23FF, 0x25A0...0x27BF, 0x2900...0x297F, 0x2B00...0x2BFF, 0xFE0F, 0x200D, 0x20E3, 0x1F000...0x1FAFF: true
        default: false
        }
    }
}

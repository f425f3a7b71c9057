extension StringProtocol {
    /// Without white space at both ends.
    var trimmed: String {
        // Most text has none there, and then nothing is looked at but two bytes.
        let text = String(self)
        if let first = text.utf8.first, let last = text.utf8.last, first > 0x20, first < 0x80, last > 0x20, last < 0x80 { return text }
        return trimming { $0.value <= 0x20 || ($0.value >= 0x80 && $0.properties.isWhitespace) }
    }

    /// Without any of the scalars at both ends.
    /// - Parameter scalars: a few; they are looked through one after the other.
    func trimming(_ scalars: [Unicode.Scalar]) -> String {
        // Most text has none of them there.
        if let first = unicodeScalars.first, let last = unicodeScalars.last, !scalars.contains(first), !scalars.contains(last) { return String(self) }
        return trimming { scalars.contains($0) }
    }

    private func trimming(_ drop: (Unicode.Scalar) -> Bool) -> String {
        let view = unicodeScalars
        guard let first = view.firstIndex(where: { !drop($0) }), let last = view.lastIndex(where: { !drop($0) }) else { return "" }
        return String(self[first..<view.index(after: last)])
    }

    /// Lower-case words of letters and digits: `Phase 5: TinyURL & co` gives `phase`, `5`, `tinyurl`, `co`.
    var words: [String] { matchKey.utf8.split(separator: 0x20).map { String(Substring($0)) } }

    /// The words with one space between: what two places say alike has one key.
    var matchKey: String {
        var text = String(self)
        let key = text.withUTF8 { bytes -> String? in
            var key = [UInt8]()
            key.reserveCapacity(bytes.count)
            var isApart = false
            for byte in bytes {
                if byte >= 0x80 { return nil }
                if byte.isDigit || byte.isLetter {
                    if isApart, !key.isEmpty { key.append(0x20) }
                    isApart = false
                    key.append(byte.isUpper ? byte | 0x20 : byte)
                } else {
                    isApart = true
                }
            }
            return String(decoding: key, as: UTF8.self)
        }
        if let key { return key }
        return lowercased().unicodeScalars.split { $0.value < 0x80 ? !($0.isLetter || $0.isDigit) : !$0.properties.isAlphabetic }
            .map { String($0) }.joined(separator: " ")
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
}

extension String {
    /// Where `mark` stands last.
    func range(ofLast mark: String) -> Range<String.Index>? {
        let (text, wanted) = (Array(utf8), Array(mark.utf8))
        guard text.count >= wanted.count else { return nil }
        var start = text.count - wanted.count
        while start >= 0 {
            if text[start] == wanted[0], text[start..<(start + wanted.count)].elementsEqual(wanted) {
                let lower = utf8.index(startIndex, offsetBy: start)
                return lower..<utf8.index(lower, offsetBy: wanted.count)
            }
            start -= 1
        }
        return nil
    }
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

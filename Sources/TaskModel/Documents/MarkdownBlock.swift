/// One block of a document with its lines, from 1.
struct MarkdownBlock {
    enum Kind: Equatable {
        case document, paragraph, item, quote, table, row, cell, html, rule
        case heading(Int)
        case list(isOrdered: Bool)
        /// `info` is what follows the fence; empty for an indented block.
        case code(info: String)
    }

    var kind: Kind
    var line: Int
    var endLine: Int
    /// The text of a paragraph, heading or cell.
    var spans: [MarkdownSpan] = []
    var children: [MarkdownBlock] = []
    /// A code or HTML block's text.
    var literal = ""

    /// Its text in one line, without marks.
    var plainText: String { spans.plainText }
}

/// A piece of text of one style; a line's end inside a paragraph is a `\n` in it.
struct MarkdownSpan: Equatable {
    var text: String
    var isCode: Bool
    /// Strong or emphasised.
    var isStrong: Bool
    /// The line on which it begins.
    var line: Int
}

extension [MarkdownSpan] {
    /// In one line, without marks and doubled spaces.
    var plainText: String {
        var text = ""
        for span in self { text += span.text }
        return text.oneLine
    }

    /// The spans of each line of a paragraph.
    var lines: [[MarkdownSpan]] {
        var lines = [[MarkdownSpan]]()
        var current = [MarkdownSpan]()
        for span in self {
            guard span.text.utf8.contains(0x0A), !span.isCode else {
                current.append(span)
                continue
            }
            var line = span.line
            for (index, part) in span.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
                if index > 0 {
                    lines.append(current)
                    current = []
                    line += 1
                }
                if !part.isEmpty {
                    current.append(MarkdownSpan(text: String(part), isCode: span.isCode, isStrong: span.isStrong, line: line))
                }
            }
        }
        lines.append(current)
        return lines.filter { !$0.isEmpty }
    }
}

extension String {
    /// With every run of white space as one space, and none at the ends.
    var oneLine: String {
        var text = self
        let plain = text.withUTF8 { bytes -> [UInt8]? in
            var isPlain = true
            var wasSpace = true
            for byte in bytes {
                let isSpace = byte <= 0x20
                if isSpace, wasSpace || byte != 0x20 { isPlain = false }
                wasSpace = isSpace
            }
            if isPlain, !wasSpace || bytes.isEmpty { return nil }
            var line = [UInt8]()
            line.reserveCapacity(bytes.count)
            var isApart = false
            for byte in bytes {
                if byte <= 0x20 {
                    isApart = true
                } else {
                    if isApart, !line.isEmpty { line.append(0x20) }
                    isApart = false
                    line.append(byte)
                }
            }
            return line
        }
        return plain.map { String(decoding: $0, as: UTF8.self) } ?? self
    }
}

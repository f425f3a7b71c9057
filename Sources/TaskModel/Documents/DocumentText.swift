import ResourceModel

/// A document's text as it is parsed: UTF-8 with `\n` at line ends, broken encodings mended, front matter blanked.
struct DocumentText {
    /// The largest document that is read.
    static let limit = 32 << 20

    var bytes: [UInt8]
    /// Where each line begins in `bytes`.
    private(set) var lineStarts: [Int] = []
    /// The front matter's `title`.
    private(set) var title: String?
    private(set) var warnings: [Problem] = []

    /// - Throws: `Problems` for what is no text, is too large or nests too deep.
    init(_ input: [UInt8], path: String) throws {
        if input.count > Self.limit {
            throw Problems([
                Problem(
                    code: "tasks.too-large", message: "has \(input.count) bytes; a task document has at most \(Self.limit)",
                    location: SourceLocation(path: path, line: 0), hint: "split it and name both files")
            ])
        }
        var text = try Self.utf8(input, path: path, warnings: &warnings)
        if text.contains(where: { $0 >= 0x80 }), let repair = EncodingRepair(String(decoding: text, as: UTF8.self)) {
            text = Array(repair.string.utf8)
            warnings.append(
                Problem(
                    code: "tasks.encoding", severity: .warning,
                    message:
                        "UTF-8 was read as \(repair.encodings.joined(separator: " and ")) and saved again; \(repair.places) places are read as they were meant",
                    location: SourceLocation(path: path, line: 0), hint: "save the file as UTF-8 once more to mend it for good"))
        }
        bytes = Self.unixLines(text)
        blankFrontMatter()
        findLines()
        try refuseDeepLines(path: path)
    }

    /// Lines `first` to `last`, from 1, as they stand.
    func lines(_ first: Int, _ last: Int) -> String {
        guard first >= 1, first <= last, first <= lineStarts.count else { return "" }
        let end = last < lineStarts.count ? lineStarts[last] - 1 : bytes.count
        return String(decoding: bytes[lineStarts[first - 1]..<max(end, lineStarts[first - 1])], as: UTF8.self)
    }

    private static func utf8(_ input: [UInt8], path: String, warnings: inout [Problem]) throws -> [UInt8] {
        if input.starts(with: [0xFF, 0xFE]) || input.starts(with: [0xFE, 0xFF]) {
            let isLittle = input[0] == 0xFF
            var units = [UInt16]()
            for index in stride(from: 2, to: input.count - 1, by: 2) {
                let (first, second) = (UInt16(input[index]), UInt16(input[index + 1]))
                units.append(isLittle ? second << 8 | first : first << 8 | second)
            }
            if input.count % 2 == 0, !units.contains(0), let text = String(validating: units, as: UTF16.self) { return Array(text.utf8) }
            throw notText("it begins as UTF-16 does and does not go on so", path: path)
        }
        let text = input.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(input.dropFirst(3)) : input
        if let zero = text.firstIndex(of: 0) { throw notText("byte \(zero + 1) is 0", path: path) }
        var controls = 0
        for byte in text where byte < 0x20 && byte != 0x0A && byte != 0x0D && byte != 0x09 && byte != 0x0C && byte != 0x1B { controls += 1 }
        if controls * 100 > text.count { throw notText("\(controls) of \(text.count) bytes are control characters", path: path) }
        if String(validating: text, as: UTF8.self) != nil { return text }
        var view = String.UnicodeScalarView()
        for byte in text { view.append(LegacyEncoding.windows1252Scalar(byte)) }
        warnings.append(
            Problem(
                code: "tasks.encoding", severity: .warning, message: "is not UTF-8 and was read as Windows-1252",
                location: SourceLocation(path: path, line: firstBadLine(text)), hint: "save it as UTF-8"))
        return Array(String(view).utf8)
    }

    private static func notText(_ why: String, path: String) -> Problems {
        Problems([
            Problem(
                code: "tasks.not-text", message: "is not text: \(why)", location: SourceLocation(path: path, line: 0),
                hint: "a task document is Markdown in UTF-8, or in UTF-16 with a byte order mark")
        ])
    }

    /// The line of the first byte that no UTF-8 text has there.
    private static func firstBadLine(_ text: [UInt8]) -> Int {
        var decoder = UTF8()
        var iterator = text.makeIterator()
        var line = 1
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue("\n"): line += 1
            case .scalarValue: break
            case .emptyInput, .error: return line
            }
        }
    }

    private static func unixLines(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(0x0D) else { return text }
        var lines = [UInt8]()
        lines.reserveCapacity(text.count)
        var wasReturn = false
        for byte in text {
            if byte == 0x0D {
                lines.append(0x0A)
            } else if byte != 0x0A || !wasReturn {
                lines.append(byte)
            }
            wasReturn = byte == 0x0D
        }
        return lines
    }

    /// Turns a YAML block at the top into empty lines, so that line numbers stay; its `title` is kept.
    private mutating func blankFrontMatter() {
        guard bytes.starts(with: Array("---\n".utf8)) else { return }
        var start = 4
        var title: String?
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            let line = String(decoding: bytes[start..<end], as: UTF8.self).trimmed
            if line == "---" || line == "..." {
                for index in 0..<end where bytes[index] != 0x0A { bytes[index] = 0x20 }
                self.title = title
                return
            }
            // A rule at the top of a document without front matter is no block of `key: value` lines.
            if !line.isEmpty, !line.hasPrefix("#"), !line.hasPrefix("-"), !line.contains(":"), bytes[start] != 0x20 { return }
            if line.lowercased().hasPrefix("title:") {
                title = String(line.dropFirst(6)).trimmed.trimming(["\"", "'"])
            }
            start = end + 1
        }
    }

    private mutating func findLines() {
        lineStarts = [0]
        bytes.withUnsafeBufferPointer { bytes in
            for index in bytes.indices where bytes[index] == 0x0A { lineStarts.append(index + 1) }
        }
    }

    /// Refuses lines that open more lists and quotes than any person nests: the parser's work grows with the depth.
    private func refuseDeepLines(path: String) throws {
        for (number, start) in lineStarts.enumerated() {
            var depth = 0
            var index = start
            while index < bytes.count {
                switch bytes[index] {
                case 0x3E: depth += 1
                case 0x2D, 0x2A, 0x2B:
                    if index + 1 < bytes.count, bytes[index + 1] == 0x20 || bytes[index + 1] == 0x09 { depth += 1 }
                    else { index = bytes.count }
                case 0x20, 0x09: break
                default: index = bytes.count
                }
                index += 1
            }
            // `* * * *` is a rule of any length; a line of marks alone that is longer is none.
            if depth > MarkdownTree.depthLimit {
                throw MarkdownTree.tooDeep(SourceLocation(path: path, line: number + 1))
            }
        }
    }
}

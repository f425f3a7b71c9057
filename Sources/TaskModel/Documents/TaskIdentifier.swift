/// The shapes of task ids: `T016`, `TASK_001`, `TASK-1`, `P1-01`, `BE-AUTH-001`, `4.2`, `7`.
enum TaskIdentifier {
    /// How sure it is that a word at the head of an item is its id.
    enum Certainty {
        /// By its shape or by what stands around it.
        case certain
        /// When a second item of the document begins with a word of the same shape: `S3 bucket` has an id's shape too.
        case likely
        /// A bare number: an id only where no other task of the document has it.
        case number
        /// Of a requirement (`FR-010`): a task only in a document that has no other.
        case requirement
    }

    /// The end of the ticket-like word (`T016`, `P1-01`) that begins at `start`; `nil` when there is none.
    static func ticketEnd(_ bytes: [UInt8], _ start: Int) -> Int? {
        guard start < bytes.count, bytes[start].isLetter else { return nil }
        if start > 0, bytes[start - 1].isWordByte || bytes[start - 1] == 0x2F || bytes[start - 1] == 0x40 { return nil }
        var index = start
        var letters = 0
        while index < bytes.count, bytes[index].isLetter { index += 1 }
        letters = index - start
        guard letters <= 12, index < bytes.count else { return nil }
        let isWord = isTaskWord(bytes[start..<index])
        if !isWord, !bytes[start..<index].allSatisfy(\.isUpper) { return nil }
        var hasDigit = false
        var end: Int?
        while index < bytes.count, index - start <= 40 {
            let byte = bytes[index]
            if byte.isDigit {
                hasDigit = true
                index += 1
                while index < bytes.count, bytes[index].isDigit { index += 1 }
                end = index
                // `T012a` and `4.2b`, but not `K8s`.
                if index < bytes.count, bytes[index].isLetter {
                    let isSuffix = (index + 1 == bytes.count || !bytes[index + 1].isWordByte) && index - start >= 3 && !bytes[index].isUpper
                    if !isSuffix, !bytes[index].isUpper { return nil }
                    if isSuffix {
                        index += 1
                        end = index
                    }
                }
            } else if byte.isUpper {
                let from = index
                while index < bytes.count, bytes[index].isUpper { index += 1 }
                if index < bytes.count, bytes[index].isLetter { return hasDigit && from > start ? trimmedEnd(bytes, start, from) : nil }
                end = nil
            } else if byte == 0x2D || byte == 0x5F || byte == 0x2E, index + 1 < bytes.count, bytes[index + 1].isDigit || bytes[index + 1].isUpper {
                // `T005-T010` is two ids.
                if hasDigit, bytes[index - 1].isDigit, beginsLike(bytes, start, letters, index + 1) { break }
                if hasDigit, bytes[index - 1].isDigit, !bytes[index + 1].isDigit, byte != 0x5F {
                    // `P1-BE` goes on only when a number follows at last.
                    guard let more = ticketTail(bytes, index + 1) else { break }
                    index = more
                    end = more
                    continue
                }
                index += 1
            } else {
                break
            }
        }
        guard hasDigit, let end, end == bytes.count || !bytes[end].isWordByte else { return nil }
        return end
    }

    private static func trimmedEnd(_ bytes: [UInt8], _ start: Int, _ from: Int) -> Int? {
        var end = from
        while end > start, !bytes[end - 1].isDigit { end -= 1 }
        return end > start && !(end < bytes.count && bytes[end].isWordByte) ? end : nil
    }

    private static func ticketTail(_ bytes: [UInt8], _ start: Int) -> Int? {
        var index = start
        while index < bytes.count, bytes[index].isUpper { index += 1 }
        if index < bytes.count, bytes[index] == 0x2D || bytes[index] == 0x5F || bytes[index] == 0x2E { index += 1 }
        let digits = index
        while index < bytes.count, bytes[index].isDigit { index += 1 }
        return index > digits ? index : nil
    }

    /// Whether the letters at `second` are those at `first`.
    private static func beginsLike(_ bytes: [UInt8], _ first: Int, _ count: Int, _ second: Int) -> Bool {
        guard second + count < bytes.count else { return false }
        for offset in 0..<count where bytes[first + offset] != bytes[second + offset] { return false }
        return !bytes[second + count].isLetter
    }

    /// The end of a dotted number (`4.2`, `4.2.1`) at `start`, with at least `dots` dots.
    static func numberEnd(_ bytes: [UInt8], _ start: Int, dots least: Int) -> Int? {
        var index = start
        var dots = 0
        guard index < bytes.count, bytes[index].isDigit, start == 0 || !bytes[start - 1].isWordByte && bytes[start - 1] != 0x2E else { return nil }
        while index < bytes.count, bytes[index].isDigit { index += 1 }
        while index + 1 < bytes.count, bytes[index] == 0x2E, bytes[index + 1].isDigit {
            dots += 1
            index += 1
            while index < bytes.count, bytes[index].isDigit { index += 1 }
        }
        if index < bytes.count, bytes[index].isLetter, index + 1 == bytes.count || !bytes[index + 1].isWordByte, bytes[index] | 0x20 <= 0x66 { index += 1 }
        guard dots >= least, index - start <= 24, index == bytes.count || !bytes[index].isWordByte, index == bytes.count || bytes[index] != 0x25 else { return nil }
        return index
    }

    /// `task`, `Task`, `TASK`, `subtask`, `ticket`, `issue`.
    static func isTaskWord(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count >= 4, bytes.count <= 8 else { return false }
        return taskWords.contains(bytes.map { $0 | 0x20 })
    }
    private static let taskWords: Set<[UInt8]> = Set(["task", "subtask", "ticket", "issue"].map { Array($0.utf8) })

    /// With each number as `#`: ids of one kind have one shape.
    static func shape(_ id: String) -> String {
        var shape = ""
        var wasDigit = false
        for scalar in id.unicodeScalars {
            if scalar.isDigit {
                if !wasDigit { shape += "#" }
            } else {
                shape.unicodeScalars.append(scalar)
            }
            wasDigit = scalar.isDigit
        }
        return shape.uppercased()
    }

    /// Letters and numbers without leading zeros and marks: `TASK_007` and `Task 7` agree.
    static func canonical(_ id: String) -> String {
        var parts = [String]()
        var current = ""
        var isNumber = false
        func flush() {
            guard !current.isEmpty else { return }
            if isNumber { current = String(current.drop { $0 == "0" }) }
            parts.append(current.isEmpty ? "0" : current)
            current = ""
        }
        for scalar in id.uppercased().unicodeScalars {
            if !scalar.isDigit && !scalar.isLetter {
                flush()
                continue
            }
            if scalar.isDigit != isNumber { flush() }
            isNumber = scalar.isDigit
            current.unicodeScalars.append(scalar)
        }
        flush()
        return parts.joined(separator: ".")
    }

    /// How sure a ticket-like word is an id by itself.
    static func certainty(_ id: String) -> Certainty {
        let letters = String(id.unicodeScalars.prefix { $0.isLetter }).uppercased()
        if requirements.contains(letters) { return .requirement }
        if others.contains(letters) || denied.contains(id.uppercased()) { return .likely }
        if letters == "T" || letters.hasSuffix("TASK") || letters == "TICKET" || letters == "ISSUE" { return .certain }
        // `P1-01`, `BE-AUTH-001`.
        let shape = shape(id)
        if shape.hasPrefix(letters + "#-#") || shape.hasPrefix(letters + "#.#") || shape.filter({ $0 == "-" || $0 == "_" }).count >= 2 { return .certain }
        return .likely
    }

    private static let requirements: Set<String> = ["FR", "NFR", "REQ", "BR", "UR", "SR", "TR", "CR", "RQ"]
    /// What documents number besides tasks.
    private static let others: Set<String> = [
        "US", "SC", "AC", "ADR", "RFC", "RISK", "R", "Q", "OQ", "KPI", "PR", "GH", "CVE", "ISO", "D", "A", "V", "UTF", "SHA", "AES", "MD", "TLS",
        "HTTP", "HTML", "CSS", "ES", "IPV", "OAUTH", "WCAG", "M", "KR", "NF", "STORY", "EPIC", "PHASE", "UC", "TC",
    ]
    private static let denied: Set<String> = ["S3", "EC2", "P0", "P1", "P2", "P3", "P4", "P5", "H1", "H2", "X509", "MP4", "K8", "L4", "L7", "Q1", "Q2", "Q3", "Q4"]

    /// Whether a word can be no task's id, however it stands: a priority.
    static func isPriority(_ id: String) -> Bool {
        let bytes = Array(id.utf8)
        return bytes.count == 2 && bytes[0] | 0x20 == 0x70 && bytes[1].isDigit
    }
}

extension UInt8 {
    var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    var isLetter: Bool { self | 0x20 >= 0x61 && self | 0x20 <= 0x7A }
    var isUpper: Bool { self >= 0x41 && self <= 0x5A }
    /// A letter, a digit, `_`.
    var isWordByte: Bool { isDigit || isLetter || self == 0x5F }
    var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0A }
}

import ResourceModel

/// Compares what a server answered with what was recorded.
///
/// Masks in recorded strings (`<uid>`, `<rv>`, …) stand for anything of their kind. The wording of a Status' messages is set apart:
/// it often comes from Go's own error texts; code, reason, details and causes (reason and field) have to be the same.
struct Comparison {
    /// `.spec.replicas: want 1, got 2`
    private(set) var differences: [String] = []
    /// Messages that say the same in other words.
    private(set) var wording: [String] = []

    var matches: Bool { differences.isEmpty }

    mutating func report(_ text: String) { differences.append(text) }

    mutating func compare(_ want: JSONValue?, with got: JSONValue?, at path: String = "") {
        let isStatus = want?["kind"]?.stringValue == "Status"
        compare(want, got, path, isStatus)
    }

    private mutating func compare(_ want: JSONValue?, _ got: JSONValue?, _ path: String, _ inStatus: Bool) {
        switch (want, got) {
        case (nil, nil): break
        case (let want?, nil): report("\(path): missing, want \(short(want))")
        case (nil, let got?): report("\(path): unexpected \(short(got))")
        case (.object(let want)?, .object(let got)?):
            let inStatus = inStatus || want["kind"]?.stringValue == "Status"
            let (want, got) = path.contains(".fieldsV1") ? (Self.withoutUIDs(want), Self.withoutUIDs(got)) : (want, got)
            for member in want { compare(member.value, got[member.key], "\(path).\(member.key)", inStatus) }
            for member in got where !want.contains(member.key) { compare(nil, member.value, "\(path).\(member.key)", inStatus) }
        case (.array(let want)?, .array(var got)?):
            if path.hasSuffix(".managedFields") { got = inRecordedOrder(got, want, path) }
            if want.count != got.count { report("\(path): want \(want.count) items, got \(got.count)") }
            for index in 0..<max(want.count, got.count) {
                compare(item(index, of: want), item(index, of: got), "\(path)[\(index)]", inStatus)
            }
        case (.string(let want)?, let got?): compare(want, got, path, inStatus)
        case (let want?, let got?): if want != got { report("\(path): want \(short(want)), got \(short(got))") }
        }
    }

    private mutating func compare(_ want: String, _ got: JSONValue, _ path: String, _ inStatus: Bool) {
        guard let text = got.stringValue ?? (want.hasPrefix("<") ? got.jsonString : nil) else {
            return report("\(path): want \(short(.string(want))), got \(short(got))")
        }
        if want == text || Mask.matches(want, text) { return }
        if inStatus, path.hasSuffix(".message"), !text.isEmpty {
            wording.append("\(path):\n      want \(want)\n      got  \(text)")
        } else if !isOfTheMachine(path, want, text) {
            report("\(path): want \(short(.string(want))), got \(short(got))")
        }
    }

    /// Owners stand in the order of operation, time (whole seconds), name: one that the recorder's second put first may come later here.
    private mutating func inRecordedOrder(_ got: [JSONValue], _ want: [JSONValue], _ path: String) -> [JSONValue] {
        func text(_ owner: JSONValue, _ names: String...) -> [String] { names.map { owner[$0]?.stringValue ?? "" } }
        for (one, next) in zip(got, got.dropFirst())
        where !text(one, "operation", "time", "manager").lexicographicallyPrecedes(text(next, "operation", "time", "manager")) {
            if text(one, "operation", "time", "manager") != text(next, "operation", "time", "manager") {
                report("\(path): \(text(one, "manager", "time")) stands before \(text(next, "manager", "time"))")
            }
        }
        var rest = got
        var result: [JSONValue] = []
        for owner in want {
            let key = text(owner, "manager", "operation", "subresource")
            if let index = rest.firstIndex(where: { text($0, "manager", "operation", "subresource") == key }) {
                result.append(rest.remove(at: index))
            } else if !rest.isEmpty {
                result.append(rest.removeFirst())
            }
        }
        return result + rest
    }

    /// Owner references are owned by uid, which the recording masks in values only: in keys any uid stands for any other.
    private static func withoutUIDs(_ fields: JSONObject) -> JSONObject {
        let mark = #"k:{"uid":"#
        return JSONObject(fields.members.map { .init(key: $0.key.hasPrefix(mark) ? mark + "…" : $0.key, value: $0.value) })
    }

    private func item(_ index: Int, of items: [JSONValue]) -> JSONValue? {
        if index < items.count { return items[index] }
        return nil
    }

    /// Values that the recording did not mask although they differ from server to server.
    private func isOfTheMachine(_ path: String, _ want: String, _ got: String) -> Bool {
        if path.hasSuffix(".serverAddress") { return true }
        if path.contains(".cells["), Mask.isAddress(want), Mask.isAddress(got) { return true }
        if path.contains(".cells["), Mask.isAge(want), Mask.isAge(got) { return true }
        if Mask.isTime(want), Mask.isTime(got) { return true }
        // /openapi/v3 names each document with a hash of its content.
        return want.contains("?hash=") && want.prefix { $0 != "?" } == got.prefix { $0 != "?" }
    }

    private func short(_ value: JSONValue) -> String {
        let text = value.jsonString
        return text.count > 160 ? "\(text.prefix(160))…" : text
    }
}

/// The placeholders of recorded answers.
enum Mask {
    private static let names = ["uid", "rv", "time", "ip", "port", "continue", "generated", "age"]

    /// Whether the text fits a recorded string with masks; `false` when the string has none.
    static func matches(_ pattern: String, _ text: String) -> Bool {
        var parts: [Part] = []
        var rest = Substring(pattern)
        var literal = ""
        while let first = rest.first {
            if first == "<", let name = names.first(where: { rest.hasPrefix("<\($0)>") }) {
                if !literal.isEmpty { parts.append(.literal(literal)) }
                literal = ""
                parts.append(.mask(name))
                rest = rest.dropFirst(name.count + 2)
            } else {
                literal.append(first)
                rest = rest.dropFirst()
            }
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        let hasMask = parts.contains { if case .mask = $0 { true } else { false } }
        return hasMask && matches(parts[...], Substring(text))
    }

    static func isTime(_ text: String) -> Bool { text.contains("T") && fits("time", Substring(text)) }

    /// `1s`, `3m43s`.
    static func isAge(_ text: String) -> Bool {
        guard let first = text.first, first.isASCIIDigit, let unit = text.last, "smhdy".contains(unit) else { return false }
        return text.allSatisfy { $0.isASCIIDigit || "smhdy".contains($0) }
    }

    static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private enum Part {
        case literal(String)
        case mask(String)
    }

    private static func matches(_ parts: ArraySlice<Part>, _ text: Substring) -> Bool {
        guard let part = parts.first else { return text.isEmpty }
        switch part {
        case .literal(let literal):
            return text.hasPrefix(literal) && matches(parts.dropFirst(), text.dropFirst(literal.count))
        case .mask(let name):
            var end = text.endIndex
            while end > text.startIndex {
                if fits(name, text[..<end]), matches(parts.dropFirst(), text[end...]) { return true }
                end = text.index(before: end)
            }
            return false
        }
    }

    private static func fits(_ name: String, _ text: Substring) -> Bool {
        switch name {
        case "rv", "port": text.allSatisfy(\.isASCIIDigit)
        case "time":
            text.count >= 20 && text.hasSuffix("Z") && text.dropLast().allSatisfy { $0.isASCIIDigit || "-T:.".contains($0) }
        case "ip": text.allSatisfy { $0.isHexDigit || ".:".contains($0) }
        case "generated": text.count >= 5 && text.allSatisfy { ("a"..."z").contains($0) || $0.isASCIIDigit }
        case "age": text.allSatisfy { $0.isLetter || $0.isASCIIDigit || "<>".contains($0) }
        default: !text.contains(where: \.isWhitespace)
        }
    }
}

extension Character {
    var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}

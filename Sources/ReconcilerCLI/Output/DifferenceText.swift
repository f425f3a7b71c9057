import Glibc
import ArgumentParser
import ResourceModel

/// `--color`.
enum ColorChoice: String, ExpressibleByArgument, CaseIterable {
    case auto, always, never

    /// `auto`: on a terminal, unless `$NO_COLOR` is set (https://no-color.org) or the terminal is a dumb one.
    var paint: Paint {
        switch self {
        case .always: Paint(isOn: true)
        case .never: Paint(isOn: false)
        case .auto: Paint(isOn: isatty(STDOUT_FILENO) == 1 && Environment.value("NO_COLOR") == nil && Environment.value("TERM") != "dumb")
        }
    }
}

/// Colours text with ANSI sequences, or leaves it alone.
struct Paint {
    var isOn: Bool

    private func painted(_ text: String, _ code: String) -> String { isOn && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
    func old(_ text: String) -> String { painted(text, "31") }
    func new(_ text: String) -> String { painted(text, "32") }
    func owner(_ text: String) -> String { painted(text, "36") }
    func strong(_ text: String) -> String { painted(text, "1") }
    func faint(_ text: String) -> String { painted(text, "2") }

    func action(_ action: Change.Action) -> String {
        let code = switch action {
        case .create: "1;32"
        case .prune: "1;31"
        case .recreate: "1;35"
        case .skip, .unchanged, .release: "2"
        case .configure: "1;33"
        }
        return painted(word(action), code)
    }
}

/// The default form: field by field, each with its owner and the line that declares it.
struct DifferenceText {
    let paint: Paint

    func lines(_ object: ObjectDifference) -> [String] {
        let change = object.change
        var lines = ["\(paint.action(change.action)) \(paint.strong("\(change.id)"))" + (change.manifest.map { paint.faint("  (\($0.source))") } ?? "")]
        if let reason = object.reason { lines.append("  " + paint.faint(reason)) }
        for field in object.fields {
            let place = field.place.flatMap { $0 == change.manifest?.source ? nil : paint.faint("  (\($0))") } ?? ""
            let trailer = owner(field) + place
            if let hunks = textHunks(field) {
                lines.append("  \(field.change.path):\(trailer)")
                lines += hunks.map { "    " + painted($0) }
            } else {
                lines.append("  \(field.change.path): \(paint.old(field.before)) -> \(paint.new(field.after))\(trailer)")
            }
        }
        return lines
    }

    /// `  [kubectl, 3m ago]`
    private func owner(_ field: FieldDifference) -> String {
        guard let owner = field.owner else { return "" }
        let since = age(owner.time).map { ", \($0)" } ?? ""
        return "  " + paint.owner("[\(owner.manager)\(since)]")
    }

    /// Texts of several lines are compared line by line.
    private func textHunks(_ field: FieldDifference) -> [String]? {
        guard !field.change.isSecret, let old = field.change.before?.stringValue, let new = field.change.after?.stringValue,
            old.contains("\n") || new.contains("\n")
        else { return nil }
        let diff = UnifiedDiff(from: old, to: new, context: 1)
        return diff.hunks.isEmpty ? nil : DifferenceUnified.lines(of: diff)
    }

    func painted(_ line: String) -> String {
        switch line.first {
        case "+": paint.new(line)
        case "-": paint.old(line)
        case "@": paint.owner(line)
        default: line
        }
    }
}

import ResourceModel

/// `-o markdown`: a comment for a pull request. Forges refuse comments above 65,536 characters, so it stays below: what does not fit
/// is cut between lines, and what is left out is named.
struct DifferenceMarkdown {
    /// Characters as the forges count them: UTF-16 units are the most that any of them takes.
    var limit = 65_536
    private var used = 0
    private var blocks: [String] = []
    private var leftOut: [String] = []

    static func text(_ differences: [ApplicationDifference]) -> String {
        var markdown = DifferenceMarkdown()
        markdown.add(summary(differences))
        for difference in differences where !difference.objects.isEmpty {
            if differences.count > 1 { markdown.add("#### \(difference.application)\n\n\(counts(difference.objects, difference.unchanged))") }
            for object in difference.objects { markdown.add(object, difference) }
        }
        return markdown.finished
    }

    private static func summary(_ differences: [ApplicationDifference]) -> String {
        let different = differences.filter(\.isDifferent).count
        let objects = differences.flatMap(\.objects)
        let unchanged = differences.map(\.unchanged).reduce(0, +)
        let sides = differences.first.map { "`\($0.old)` → `\($0.new)`" + ($0.revision.map { " at \($0.shortCommit)" } ?? "") } ?? ""
        let subject = differences.count == 1 ? "**\(escaped(differences[0].application))**" : "**\(different) of \(differences.count) applications differ**"
        return "### reconciler diff\n\n\(subject): \(counts(objects, unchanged)) (\(sides))"
    }

    private static func counts(_ objects: [ObjectDifference], _ unchanged: Int) -> String {
        let order = ["create", "configure", "recreate", "prune", "skip"]
        let parts = order.compactMap { name in
            let count = objects.filter { word($0.change.action) == name }.count
            return count == 0 ? nil : "\(count) to \(name)"
        }
        return (parts.isEmpty ? ["no difference"] : parts).joined(separator: ", ") + ", \(unchanged) unchanged"
    }

    private mutating func add(_ block: String) {
        blocks.append(block)
        used += block.utf16.count + 2
    }

    /// What the note about left-out objects may need.
    private static let reserve = 2_000

    private mutating func add(_ object: ObjectDifference, _ difference: ApplicationDifference) {
        let unified = DifferenceUnified(old: difference.old, new: difference.new)
        let lines = object.reason.map { ["# \($0)"] } ?? unified.hunks(object)
        let place = object.change.manifest.map { ", \(Self.escaped($0.source.description))" } ?? ""
        let fields = object.fields.isEmpty ? "" : ", \(object.fields.count) field\(object.fields.count == 1 ? "" : "s")"
        let head = "<details><summary>\(word(object.change.action)) <code>\(Self.escaped(object.id.description))</code>\(place)\(fields)</summary>"
        let room = limit - Self.reserve - used - head.utf16.count
        guard let body = Self.fitting(lines, into: room - 60) else {
            leftOut.append(object.id.description)
            return
        }
        let owners = Self.owners(object)
        let block = "\(head)\n\n\(owners)\(body)\n\n</details>"
        if block.utf16.count > limit - Self.reserve - used {
            leftOut.append(object.id.description)
        } else {
            add(block)
        }
    }

    /// Who wrote the live values, as a list.
    private static func owners(_ object: ObjectDifference) -> String {
        let lines = object.fields.compactMap { field -> String? in
            guard let owner = field.owner else { return nil }
            let place = field.place.map { ", declared at \(escaped($0.description))" } ?? ""
            return "- `\(field.change.path.replacing("`", with: "'"))`: live value by \(escaped(owner.manager))\(owner.time.map { " since \($0)" } ?? "")\(place)\n"
        }
        return lines.count > 20 || lines.isEmpty ? "" : lines.joined() + "\n"
    }

    /// A fenced block with as many lines as fit; `nil` when not even a few do.
    private static func fitting(_ lines: [String], into room: Int) -> String? {
        var length = 0
        var count = 0
        for line in lines {
            length += line.utf16.count + 1
            if length > room { break }
            count += 1
        }
        guard count == lines.count || count >= 10 else { return nil }
        let longest = lines.prefix(count).map { line in line.split { $0 != "`" }.map(\.count).max() ?? 0 }.max() ?? 0
        let fence = String(repeating: "`", count: max(3, longest + 1))
        let rest = count < lines.count ? "\n… \(lines.count - count) more lines" : ""
        return "\(fence)diff\n\(lines.prefix(count).joined(separator: "\n"))\(rest)\n\(fence)"
    }

    private var finished: String {
        var text = blocks.joined(separator: "\n\n")
        guard !leftOut.isEmpty else { return text }
        text += "\n\nLeft out, because a comment holds no more: \(leftOut.count) object\(leftOut.count == 1 ? "" : "s")"
        var names = ""
        for name in leftOut {
            let next = names + (names.isEmpty ? ": " : ", ") + Self.escaped(name)
            if next.utf16.count > Self.reserve - 300 {
                names += ", …"
                break
            }
            names = next
        }
        return text + names + ". `reconciler diff -o unified` shows everything."
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}

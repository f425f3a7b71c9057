/// How two texts differ, as `diff -u` prints it.
/// https://www.gnu.org/software/diffutils/manual/html_node/Detailed-Unified.html
package struct UnifiedDiff: Sendable, Hashable {
    /// One line of it, with its mark.
    package enum Line: Sendable, Hashable {
        case context(String)
        case removed(String)
        case added(String)
    }

    package struct Hunk: Sendable, Hashable {
        /// The first line in the old and in the new text, from 1; the line before where a side has none.
        package var oldStart: Int
        package var newStart: Int
        package var lines: [Line]

        package var oldCount: Int { lines.count { if case .added = $0 { false } else { true } } }
        package var newCount: Int { lines.count { if case .removed = $0 { false } else { true } } }
        /// `@@ -1,4 +1,5 @@`
        package var header: String { "@@ -\(Self.range(oldStart, oldCount)) +\(Self.range(newStart, newCount)) @@" }

        private static func range(_ start: Int, _ count: Int) -> String { count == 1 ? "\(start)" : "\(start),\(count)" }
    }

    /// Empty when the texts are equal.
    package var hunks: [Hunk]

    /// - Parameter context: lines shown around what differs.
    package init(from old: String, to new: String, context: Int = 3) {
        let (oldLines, newLines) = (Self.lines(old), Self.lines(new))
        let difference = newLines.difference(from: oldLines)
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in difference {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var script: [Line] = []
        var (i, j) = (0, 0)
        while i < oldLines.count || j < newLines.count {
            if removed.contains(i), i < oldLines.count {
                script.append(.removed(oldLines[i]))
                i += 1
            } else if inserted.contains(j), j < newLines.count {
                script.append(.added(newLines[j]))
                j += 1
            } else {
                script.append(.context(oldLines[i]))
                i += 1
                j += 1
            }
        }
        hunks = Self.hunks(of: script, context: context)
    }

    /// A last line without its line break counts as a whole one: the texts here always end with one.
    private static func lines(_ text: String) -> [String] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    private static func hunks(of script: [Line], context: Int) -> [Hunk] {
        let changed = script.indices.filter { if case .context = script[$0] { false } else { true } }
        var ranges: [Range<Int>] = []
        for index in changed {
            let range = max(0, index - context)..<min(script.count, index + context + 1)
            if let last = ranges.last, range.lowerBound <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
            } else {
                ranges.append(range)
            }
        }
        var hunks: [Hunk] = []
        var (old, new, position) = (0, 0, 0)
        func count(_ line: Line) {
            switch line {
            case .context:
                old += 1
                new += 1
            case .removed: old += 1
            case .added: new += 1
            }
        }
        for range in ranges {
            while position < range.lowerBound {
                count(script[position])
                position += 1
            }
            var hunk = Hunk(oldStart: old, newStart: new, lines: Array(script[range]))
            if hunk.oldCount > 0 { hunk.oldStart += 1 }
            if hunk.newCount > 0 { hunk.newStart += 1 }
            for line in hunk.lines { count(line) }
            position = range.upperBound
            hunks.append(hunk)
        }
        return hunks
    }
}

import ResourceModel
import TaskModel
import Testing

@Suite struct TaskGraphPictureTests {
    private static let hostile = "end \"quoted\" \\n [x](y) {z} <b>&amp; #35; `code` %%{init}%% *a* _b_ a_b | ; --> \u{0} ünï\nnext"

    private func picture(_ title: String, phase: String = "Phase") throws -> TaskGraphPicture {
        var document = TaskText.document("phase end\nA\nB P\nC P\nphase two\nD after B")
        for number in document.tasks.indices { document.tasks[number].title = title }
        document.phases[0].title = phase
        let graph = try TaskGraph(document)
        return TaskGraphPicture(
            graph, title: title, states: [.succeeded, .failed, .running, .blocked], criticalPath: ["A", "B", "D"])
    }

    @Test func drawsPhasesAsClustersAndTheCriticalPathInBold() throws {
        let dot = try picture("Do").dot
        #expect(dot.contains("  subgraph cluster_0 {\n    label=\"Phase\";"))
        #expect(dot.contains("t0 [label=\"A\\nDo\", tooltip=\"tasks.md:2 Succeeded\", fillcolor=\"#bbf7d0\", color=\"#dc2626\", penwidth=2];"))
        #expect(dot.contains("  t0 -> t1 [color=\"#dc2626\", penwidth=2];") && dot.contains("  t0 -> t2;"))
        #expect(dot.contains("  e0 -> b1;") && dot.contains("  t1 -> t3 [style=dashed, color=\"#dc2626\", penwidth=2];"))
    }

    @Test func drawsAMermaidChart() throws {
        let expected = """
            ---
            title: "Do"
            ---
            flowchart LR
              subgraph p0["Phase"]
                t0["A: Do"]
                t1["B: Do"]
                t2["C: Do"]
              end
              subgraph p1["Phase two"]
                t3["D: Do"]
              end
              t0 --> t1
              t0 --> t2
              t1 -.-> t3
              p0 --> p1
              classDef blocked fill:#e5e7eb,color:#111827,stroke:#6b7280
              class t3 blocked
              classDef running fill:#bfdbfe,color:#111827,stroke:#6b7280
              class t2 running
              classDef succeeded fill:#bbf7d0,color:#111827,stroke:#6b7280
              class t0 succeeded
              classDef failed fill:#fecaca,color:#111827,stroke:#6b7280
              class t1 failed
              classDef critical stroke:#dc2626,stroke-width:3px
              class t0,t1,t3 critical

            """
        #expect(try picture("Do").mermaid == expected)
    }

    @Test(arguments: [hostile, "end", "\"", "\\", "\\\"", "1. Setup", ""]) func noLabelLeavesItsQuotes(text: String) throws {
        let picture = try picture(text, phase: text)
        #expect(DOTReader(picture.dot).isValid, "\(picture.dot)")
        for line in picture.mermaid.split(separator: "\n").dropFirst(3) {
            guard let open = line.firstIndex(of: "\"") else { continue }
            let inside = line[line.index(after: open)...].dropLast(2)
            #expect(line.hasSuffix("\"]") && !inside.contains("\"") && !inside.contains("`") && !inside.contains("%"), "\(line)")
            // Every `#` begins an entity, every `<` is a line break of ours.
            #expect(inside.split(separator: "#", omittingEmptySubsequences: false).dropFirst().allSatisfy { $0.first?.isNumber == true && $0.contains(";") }, "\(line)")
            #expect(!inside.replacing("<br/>", with: "").contains("<"), "\(line)")
        }
    }
}

/// As much of Graphviz' grammar as the pictures use: statements with attribute lists, subgraphs, strings with escapes.
private struct DOTReader {
    private var tokens: [String] = []
    let isValid: Bool

    init(_ text: String) {
        var tokens: [String] = []
        var characters = Array(text.unicodeScalars)[...]
        var isBroken = false
        while let next = characters.first {
            characters = characters.dropFirst()
            if next == " " || next == "\n" { continue }
            if next == "\"" {
                var isClosed = false
                while let inner = characters.first {
                    characters = characters.dropFirst()
                    if inner == "\\" { characters = characters.dropFirst() }
                    if inner.value < 0x20 { isBroken = true }
                    if inner == "\"" {
                        isClosed = true
                        break
                    }
                }
                if !isClosed { isBroken = true }
                tokens.append("string")
            } else if "{}[];=,".unicodeScalars.contains(next) {
                tokens.append(String(next))
            } else if next == "-", characters.first == ">" {
                characters = characters.dropFirst()
                tokens.append("->")
            } else if next.properties.isAlphabetic || next == "_" || ("0"..."9").contains(next) || next == "." {
                var word = String(next)
                while let inner = characters.first, inner.properties.isAlphabetic || inner == "_" || inner == "." || ("0"..."9").contains(inner) {
                    word.unicodeScalars.append(inner)
                    characters = characters.dropFirst()
                }
                tokens.append(["digraph", "subgraph"].contains(word) ? word : "id")
            } else {
                isBroken = true
            }
        }
        var rest = tokens[...]
        isValid = !isBroken && Self.graph(&rest) && rest.isEmpty
    }

    private static func take(_ token: String, _ rest: inout ArraySlice<String>) -> Bool {
        guard rest.first == token else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func value(_ rest: inout ArraySlice<String>) -> Bool { take("id", &rest) || take("string", &rest) }

    private static func graph(_ rest: inout ArraySlice<String>) -> Bool {
        take("digraph", &rest) && take("id", &rest) && block(&rest)
    }

    private static func block(_ rest: inout ArraySlice<String>) -> Bool {
        guard take("{", &rest) else { return false }
        while rest.first != "}" {
            if take("subgraph", &rest) {
                guard take("id", &rest), block(&rest) else { return false }
                continue
            }
            guard take("id", &rest) else { return false }
            if take("=", &rest) {
                guard value(&rest) else { return false }
            } else {
                while take("->", &rest) { guard take("id", &rest) else { return false } }
                if take("[", &rest) {
                    repeat { guard take("id", &rest), take("=", &rest), value(&rest) else { return false } } while take(",", &rest)
                    guard take("]", &rest) else { return false }
                }
            }
            guard take(";", &rest) else { return false }
        }
        return take("}", &rest)
    }
}

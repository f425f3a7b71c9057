import ResourceModel

extension TaskGraphPicture {
    /// A Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html); phases are linked as a whole. By default Mermaid draws at most
    /// 500 edges and 50,000 characters.
    package var mermaid: String {
        var lines = ["---", "title: \(yamlString(title))", "---", "flowchart LR"]
        let members = members
        for (phase, tasks) in members.enumerated() where phase < graph.phases.count {
            lines.append("  subgraph p\(phase)[\"\(escaped(graph.phases[phase].title))\"]")
            // A box needs something in it to be linked.
            if tasks.isEmpty { lines.append("    p\(phase)none[\"(no task)\"]") }
            lines += tasks.map { "    " + box($0) }
            lines.append("  end")
        }
        lines += (members.last ?? []).map { "  " + box($0) }
        lines += mermaidEdges.map { "  \($0.from) \($0.isNamed ? "-.->" : "-->") \($0.to)" }
        for state in TaskStatus.State.allCases {
            let tasks = states.indices.filter { states[$0] == state }
            guard !tasks.isEmpty else { continue }
            lines.append("  classDef \(state.rawValue.lowercased()) fill:\(Self.fill(state)),color:#111827,stroke:#6b7280")
            lines.append("  class \(tasks.map { "t\($0)" }.joined(separator: ",")) \(state.rawValue.lowercased())")
        }
        let critical = isCritical.indices.filter { isCritical[$0] }
        if !critical.isEmpty {
            lines.append("  classDef critical stroke:#dc2626,stroke-width:3px")
            lines.append("  class \(critical.map { "t\($0)" }.joined(separator: ",")) critical")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Between tasks, and between phases as a whole.
    var mermaidEdges: [(from: String, to: String, isNamed: Bool)] {
        var result: [(from: String, to: String, isNamed: Bool)] = []
        for from in 0..<graph.edges.count {
            for edge in graph.edges.successors(from) {
                switch (graph.edges.kind(from), graph.edges.kind(edge.node)) {
                case (.task(let one), .task(let other)): result.append(("t\(one)", "t\(other)", edge.reason == .dependency))
                case (.end(let one), .begin(let other)): result.append(("p\(one)", "p\(other)", false))
                default: break
                }
            }
        }
        return result
    }

    private func box(_ task: Int) -> String { "t\(task)[\"\(escaped(graph.tasks[task].id)): \(escaped(label(task)))\"]" }

    /// Text inside of quotes: entities for what Mermaid, the Markdown that it reads in labels, or HTML would take as its own.
    private func escaped(_ text: String) -> String {
        let scalars = Array(text.unicodeScalars)
        var result = ""
        for (place, scalar) in scalars.enumerated() {
            switch scalar {
            case "\n": result += "<br/>"
            case "\"", "#", "&", "<", ">", "`", "\\", "*", "%": result += "#\(scalar.value);"
            // Inside of a word it means nothing.
            case "_" where !(isWord(scalars, place - 1) && isWord(scalars, place + 1)): result += "#95;"
            // `1. Setup` would be the first entry of a list.
            case "." where scalars[..<place].allSatisfy({ ("0"..."9").contains($0) }): result += "#46;"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private func isWord(_ scalars: [Unicode.Scalar], _ place: Int) -> Bool {
        scalars.indices.contains(place) && (scalars[place].properties.isAlphabetic || ("0"..."9").contains(scalars[place]))
    }

    /// A YAML string in double quotes: JSON's, which YAML reads.
    private func yamlString(_ text: String) -> String { JSONValue.string(text).jsonString }
}

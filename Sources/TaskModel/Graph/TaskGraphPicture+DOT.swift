extension TaskGraphPicture {
    /// In the language of Graphviz (https://graphviz.org/doc/info/lang.html); an edge leads from what comes first to what waits for it.
    package var dot: String {
        var lines = [
            "digraph tasks {", "  label=\(quoted(title));", "  labelloc=t;", "  rankdir=LR;", "  compound=true;",
            "  fontname=\"sans-serif\";",
            "  node [shape=box, style=\"filled,rounded\", fontname=\"sans-serif\", fontsize=10, fillcolor=\"#ffffff\"];",
        ]
        let members = members
        for (phase, tasks) in members.enumerated() where phase < graph.phases.count {
            lines.append("  subgraph cluster_\(phase) {")
            lines.append("    label=\(quoted(graph.phases[phase].title));")
            lines.append("    style=rounded;")
            lines.append("    b\(phase) [shape=point, label=\"\"];")
            lines += tasks.map { "    " + node($0) }
            lines.append("    e\(phase) [shape=point, label=\"\"];")
            lines.append("  }")
        }
        lines += (members.last ?? []).map { "  " + node($0) }
        for from in 0..<graph.edges.count {
            for edge in graph.edges.successors(from) {
                var style: [String] = edge.reason == .dependency ? ["style=dashed"] : []
                if isCriticalEdge(from, edge.node) { style += ["color=\"#dc2626\"", "penwidth=2"] }
                lines.append("  \(name(from)) -> \(name(edge.node))\(style.isEmpty ? "" : " [\(style.joined(separator: ", "))]");")
            }
        }
        return lines.joined(separator: "\n") + "\n}\n"
    }

    private func node(_ task: Int) -> String {
        var attributes = [
            "label=\(quoted(graph.tasks[task].id + "\n" + label(task)))", "tooltip=\(quoted("\(graph.tasks[task].source) \(states[task].rawValue)"))",
            "fillcolor=\"\(Self.fill(states[task]))\"",
        ]
        if isCritical[task] { attributes += ["color=\"#dc2626\"", "penwidth=2"] }
        return "t\(task) [\(attributes.joined(separator: ", "))];"
    }

    private func name(_ node: Int) -> String {
        switch graph.edges.kind(node) {
        case .task(let task): "t\(task)"
        case .begin(let phase): "b\(phase)"
        case .end(let phase): "e\(phase)"
        }
    }

    private func isCriticalEdge(_ from: Int, _ to: Int) -> Bool {
        from < isCritical.count && to < isCritical.count && isCritical[from] && isCritical[to]
    }

    /// A double-quoted string: in it only the quote itself ends it, and a backslash begins an escape (`escString`).
    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            // Controls have no place in a picture, and a NUL ends the file for a C program.
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

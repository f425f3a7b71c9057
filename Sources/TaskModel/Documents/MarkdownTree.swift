import CCMark
import ResourceModel

/// A document's blocks as values: what the parser found, without its pointers.
struct MarkdownTree {
    /// How deep blocks may nest. Each level of a list counts twice.
    static let depthLimit = 200

    var blocks: [MarkdownBlock]

    /// Parses CommonMark with tables (https://github.github.com/gfm/).
    /// - Throws: `Problems` when blocks nest too deep.
    init(_ text: DocumentText, path: String) throws {
        Self.register
        guard let parser = cmark_parser_new(CMARK_OPT_DEFAULT) else { throw Self.noParser(path) }
        defer { cmark_parser_free(parser) }
        // Without the table extension tables would read as paragraphs, and their tasks be lost without a word.
        guard let table = cmark_find_syntax_extension("table"), cmark_parser_attach_syntax_extension(parser, table) == 1 else {
            throw Self.noParser(path)
        }
        text.bytes.withUnsafeBytes { bytes in
            cmark_parser_feed(parser, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        guard let root = cmark_parser_finish(parser) else { throw Self.noParser(path) }
        defer { cmark_node_free(root) }
        guard let iterator = cmark_iter_new(root) else { throw Self.noParser(path) }
        defer { cmark_iter_free(iterator) }
        var builder = TreeBuilder(path: path)
        while true {
            let event = cmark_iter_next(iterator)
            if event == CMARK_EVENT_DONE { break }
            guard let node = cmark_iter_get_node(iterator) else { break }
            if event == CMARK_EVENT_ENTER { try builder.enter(node) } else { builder.leave(node) }
        }
        blocks = builder.root.children
    }

    private static let register: Void = cmark_gfm_core_extensions_ensure_registered()

    private static func noParser(_ path: String) -> Problems {
        Problems([Problem(code: "tasks.parser", message: "the Markdown parser could not be set up", location: SourceLocation(path: path, line: 0))])
    }

    static func tooDeep(_ location: SourceLocation) -> Problems {
        Problems([
            Problem(
                code: "tasks.too-deep", message: "lists and quotes nest more than \(depthLimit / 2) levels deep", location: location,
                hint: "a task document needs three or four")
        ])
    }
}

/// Builds values from the parser's events, without recursion.
private struct TreeBuilder {
    var path: String
    var root = MarkdownBlock(kind: .document, line: 1, endLine: 1)
    private var stack: [MarkdownBlock] = []
    private var strong = 0
    private var line = 0

    init(path: String) { self.path = path }

    mutating func enter(_ node: OpaquePointer) throws {
        let type = cmark_node_get_type(node)
        if type == CMARK_NODE_TEXT {
            append(literal(node), isCode: false)
        } else if type == CMARK_NODE_CODE {
            append(literal(node), isCode: true)
        } else if type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK {
            line += 1
            append("\n", isCode: false)
        } else if type == CMARK_NODE_STRONG || type == CMARK_NODE_EMPH {
            strong += 1
        } else if type == CMARK_NODE_HTML_INLINE {
            // `<br>` parts lines in table cells; every other tag, and comments, say nothing about tasks.
            if literal(node).lowercased().hasPrefix("<br") { append("\n", isCode: false) } else { appendPlaceholder(literal(node)) }
        } else if let kind = kind(of: node, type) {
            let start = Int(cmark_node_get_start_line(node))
            if stack.count > MarkdownTree.depthLimit { throw MarkdownTree.tooDeep(SourceLocation(path: path, line: start)) }
            var block = MarkdownBlock(kind: kind, line: start, endLine: Int(cmark_node_get_end_line(node)))
            if type == CMARK_NODE_CODE_BLOCK || type == CMARK_NODE_HTML_BLOCK { block.literal = literal(node) }
            line = start
            strong = 0
            if cmark_node_first_child(node) == nil || type == CMARK_NODE_CODE_BLOCK || type == CMARK_NODE_HTML_BLOCK || type == CMARK_NODE_THEMATIC_BREAK {
                // A leaf has no event of its own for the end, an empty container has one.
                if type == CMARK_NODE_CODE_BLOCK || type == CMARK_NODE_HTML_BLOCK || type == CMARK_NODE_THEMATIC_BREAK {
                    add(block)
                    return
                }
            }
            stack.append(block)
        }
    }

    mutating func leave(_ node: OpaquePointer) {
        let type = cmark_node_get_type(node)
        if type == CMARK_NODE_STRONG || type == CMARK_NODE_EMPH {
            strong -= 1
        } else if kind(of: node, type) != nil, let block = stack.popLast() {
            add(block)
        }
    }

    private mutating func add(_ block: MarkdownBlock) {
        if stack.isEmpty {
            if block.kind == .document { root = block } else { root.children.append(block) }
        } else {
            stack[stack.count - 1].children.append(block)
        }
    }

    private mutating func append(_ text: String, isCode: Bool) {
        guard !stack.isEmpty else { return }
        let top = stack.count - 1
        let isStrong = strong > 0
        if let last = stack[top].spans.indices.last, !isCode, !stack[top].spans[last].isCode, stack[top].spans[last].isStrong == isStrong {
            stack[top].spans[last].text += text
        } else {
            stack[top].spans.append(MarkdownSpan(text: text, isCode: isCode, isStrong: isStrong, line: line - (text == "\n" ? 1 : 0)))
        }
    }

    /// `<OWNER>` in plain text is a placeholder that the parser takes for a tag.
    private mutating func appendPlaceholder(_ html: String) {
        let name = html.dropFirst().dropLast()
        if !name.isEmpty, name.unicodeScalars.allSatisfy({ $0.isUpper || $0 == "_" || $0 == "-" || $0.isDigit }) { append(html, isCode: false) }
    }

    private func literal(_ node: OpaquePointer) -> String {
        cmark_node_get_literal(node).map { String(cString: $0) } ?? ""
    }

    private func kind(of node: OpaquePointer, _ type: cmark_node_type) -> MarkdownBlock.Kind? {
        switch type {
        case CMARK_NODE_DOCUMENT: return .document
        case CMARK_NODE_HEADING: return .heading(Int(cmark_node_get_heading_level(node)))
        case CMARK_NODE_PARAGRAPH: return .paragraph
        case CMARK_NODE_LIST: return .list(isOrdered: cmark_node_get_list_type(node) == CMARK_ORDERED_LIST)
        case CMARK_NODE_ITEM: return .item
        case CMARK_NODE_BLOCK_QUOTE: return .quote
        case CMARK_NODE_CODE_BLOCK: return .code(info: cmark_node_get_fence_info(node).map { String(cString: $0) } ?? "")
        case CMARK_NODE_HTML_BLOCK: return .html
        case CMARK_NODE_THEMATIC_BREAK: return .rule
        default:
            // Types of extensions get their numbers when they are registered.
            switch cmark_node_get_type_string(node).map({ String(cString: $0) }) {
            case "table": return .table
            case "table_header", "table_row": return .row
            case "table_cell": return .cell
            default: return nil
            }
        }
    }
}

import ResourceModel

/// Reads a task document: Markdown as people and generators write it (docs/task-documents.md).
///
/// The same bytes always give the same value. What is doubtful but can be read is among `warnings`.
/// - Parameters:
///   - bytes: UTF-8, UTF-16 with a byte order mark, or Windows-1252; at most 32 MiB.
///   - path: How problems and tasks name the file; nothing is read from there.
/// - Throws: `Problems`, each with its place: no text, no task, an id used twice, a dependency on an unknown id.
package func taskDocument(parsing bytes: [UInt8], path: String) throws -> TaskDocument {
    let text = try DocumentText(bytes, path: path)
    let tree = try MarkdownTree(text, path: path)
    let resolver = TaskDocumentResolver(TaskDocumentReader(tree, text, path: path), title: text.title, path: path)
    return try resolver.resolve()
}

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
    var resolver = TaskDocumentResolver(TaskDocumentReader(tree, text, path: path), title: text.title, path: path)
    return try resolver.resolve()
}

/// One list of several documents: tasks and phases in the order of the documents.
/// - Throws: `Problems` when there is no document.
package func merged(_ documents: [TaskDocument]) throws -> TaskDocument {
    guard var merged = documents.first else {
        throw Problems([Problem(code: "tasks.none", message: "no task document was named", hint: "name at least one Markdown file")])
    }
    for document in documents.dropFirst() {
        merged.paths += document.paths
        merged.phases += document.phases
        merged.tasks += document.tasks
        merged.counts += document.counts
        merged.warnings += document.warnings
    }
    return merged
}

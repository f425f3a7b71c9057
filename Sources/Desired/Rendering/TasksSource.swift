import ResourceModel
import TaskModel

/// Documents in Markdown, rendered as one `TaskList` and its `Task` objects.
struct TasksSource {
    let request: RenderRequest
    private var options: TasksOptions { request.source.tasks ?? TasksOptions() }

    init(request: RenderRequest) { self.request = request }

    /// Reads every document. One that cannot be read is an error: its tasks must not look like tasks that were removed.
    func render() async throws -> RenderedSource {
        let files = try await documents()
        guard !files.isEmpty else {
            throw Problem(
                code: "source.no-task-document", message: "no file of `path: \(RepositoryPath.display(request.path))` matches `\(options.include)`",
                location: request.source.location, hint: "name the documents with `tasks.include`, or look below the directory with `tasks.recurse`")
        }
        let contents = try await request.tree.contents(of: files)
        var documents: [TaskDocument] = []
        var problems: [Problem] = []
        for (file, bytes) in zip(files, contents) {
            do { documents.append(try taskDocument(parsing: bytes, path: file.path)) } catch let found as Problems { problems += found.problems }
        }
        guard problems.isEmpty else { return RenderedSource(problems: problems) }
        let document: TaskDocument
        do {
            document = try merged(documents)
            _ = try TaskGraph(document)  // cycles are told before anything is written
        } catch let found as Problems {
            return RenderedSource(problems: found.problems)
        }
        return RenderedSource(manifests: manifests(of: document), problems: document.warnings + unknownOverrides(document))
    }

    private func documents() async throws -> [FileTreeEntry] {
        if let file = try await request.tree.followedEntry(at: request.path), file.isFile { return [file] }
        let include = try glob(options.include)
        let exclude = try options.exclude.map { try glob($0) }
        return try await request.tree.entries(in: request.path, recursive: options.recurse).filter { entry in
            let relative = RepositoryPath.relative(entry.path, to: request.path) ?? entry.path
            return entry.isFile && include.matches(relative) && exclude?.matches(relative) != true
        }.sorted { $0.path < $1.path }
    }

    private func manifests(of document: TaskDocument) -> [Manifest] {
        let name = options.list ?? request.application.name
        var list = TaskListSpec(name: name, title: document.title)
        list.documents = document.paths
        list.phases = document.phases
        list.parallelism = options.parallelism
        list.suspended = options.suspended
        list.total = document.tasks.count
        let place = SourceLocation(path: document.paths.first ?? request.path, line: 1)
        let tasks = document.tasks.enumerated().map { index, task in
            manifest(TaskSpec(list: name, index: index, task: task, run: options.overrides[task.id] ?? options.run).object, at: task.source)
        }
        return [manifest(list.object, at: place)] + tasks
    }

    private func manifest(_ body: JSONValue, at source: SourceLocation) -> Manifest {
        let name = body[path: "metadata", "name"]?.stringValue ?? ""
        return Manifest(
            id: ResourceID(group: TaskKinds.group, kind: body["kind"]?.stringValue ?? "", namespace: nil, name: name), apiVersion: TaskKinds.apiVersion,
            body: body, source: source)
    }

    private func unknownOverrides(_ document: TaskDocument) -> [Problem] {
        let ids = Set(document.tasks.map(\.id))
        return options.overrides.keys.filter { !ids.contains($0) }.sorted().map { id in
            Problem(
                code: "source.unknown-task", message: "`tasks.overrides` speaks of `\(id)`, which no document declares", location: request.source.location,
                hint: nearest(to: id, among: document.tasks.map(\.id)).map { "did you mean `\($0)`?" })
        }
    }

    private func glob(_ pattern: String) throws(Problem) -> Glob {
        do { return try Glob(pattern) } catch { throw Problem(code: "application.invalid-value", message: error.message, location: request.source.location) }
    }
}

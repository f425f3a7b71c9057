import ResourceModel
import SystemPackage
import YAML

/// A Helm chart, rendered by `helm template`: no release, no cluster.
struct HelmSource {
    let request: RenderRequest
    private var options: HelmOptions { request.source.helm ?? HelmOptions() }
    private var chartFile: String { RepositoryPath.joined(request.path, "Chart.yaml") }

    init(request: RenderRequest) { self.request = request }

    func render() async throws -> RenderedSource {
        guard let file = try await request.tree.followedEntry(at: chartFile), file.isFile else {
            throw Problem(
                code: "source.not-a-chart", message: "`path: \(RepositoryPath.display(request.path))` holds no Chart.yaml",
                location: request.source.location)
        }
        let (tool, _) = try Tool.find(
            ["helm"], title: "helm template", install: "install Helm: https://helm.sh/docs/intro/install/", for: request.source,
            in: request.tools)
        return try await ScratchDirectory.with(request.tools) { scratch in
            let chart = try await HelmChart.load(file, of: request.tree)
            try await scratch.materialise(request.path, of: request.tree)
            for local in chart.localDependencies { try await materialise(local, into: scratch) }
            let directory = scratch.location(of: request.path, in: request.tree)
            let place = SourceLocation(path: chartFile, line: 0)
            if try await chart.lacksDependencies(in: request.path, of: request.tree) {
                try await buildDependencies(of: chart, in: scratch, at: directory)
            }
            let arguments = try await arguments(scratch)
            let output = try await tool.run(arguments, in: scratch, at: directory, location: place)
            return try rendered(output, chart: chart.name)
        }
    }

    /// What is asked of `helm template`, in Argo CD's order.
    private func arguments(_ scratch: ScratchDirectory) async throws -> [String] {
        let options = options
        let environment = request.environment
        var arguments = [
            "template", ".", "--name-template", options.releaseName.map(environment.substituted(in:)) ?? request.application.name,
        ]
        if let namespace = options.namespace ?? request.application.destination.namespace, !namespace.isEmpty {
            arguments += ["--namespace", namespace]
        }
        if let version = options.kubeVersion ?? request.capabilities.kubeVersion { arguments += ["--kube-version", version] }
        for parameter in options.parameters {
            let value = Self.escapingCommas(environment.substituted(in: parameter.value))
            arguments += [parameter.forceString ? "--set-string" : "--set", "\(parameter.name)=\(value)"]
        }
        for parameter in options.fileParameters {
            let path = environment.substituted(in: parameter.path)
            guard let file = try await valueFiles(path, scratch).first else { throw missing(path, field: "fileParameters") }
            arguments += ["--set-file", "\(parameter.name)=\(Self.escapingCommas(file))"]
        }
        for name in options.valueFiles {
            let files = try await valueFiles(name, scratch)
            if files.isEmpty, !options.ignoreMissingValueFiles { throw missing(name, field: "valueFiles") }
            for file in files { arguments += ["--values", file] }
        }
        if let values = options.valuesObject {
            arguments += ["--values", try scratch.write(Array(YAML.string(values).utf8), as: "values-object.yaml").string]
        } else if let values = options.values {
            arguments += ["--values", try scratch.write(Array(values.utf8), as: "values.yaml").string]
        }
        let versions = options.apiVersions.isEmpty ? request.capabilities.apiVersions : options.apiVersions
        for version in versions { arguments += ["--api-versions", version] }
        if !options.skipCrds { arguments.append("--include-crds") }
        if options.skipTests { arguments.append("--skip-tests") }
        if options.skipSchemaValidation { arguments.append("--skip-schema-validation") }
        return arguments
    }

    // MARK: Value files

    /// The copies of what a value file's name stands for: `$ref/…`, a path from the chart or from the repository's root (`/…`), a
    /// glob over either, or a URL that helm itself reads. Empty when nothing is there.
    private func valueFiles(_ name: String, _ scratch: ScratchDirectory) async throws -> [String] {
        if name.contains("://") { return [name] }
        var tree = request.tree
        var base = request.path
        var text = name
        if let reference = ReferencedPath(name), let other = request.references[reference.ref] {
            tree = other.tree
            base = ""
            text = reference.path
        }
        text = request.environment.substituted(in: text)
        guard let path = RepositoryPath.resolved(text, from: base) else {
            throw Problem(
                code: "source.path-escape", message: "value file `\(name)` lies outside the repository",
                location: request.source.location)
        }
        var found: [(FileTreeEntry, String)] = []
        if path.contains(where: { "*?[{".contains($0) }) {
            found = try await matches(path, in: tree)
        } else if let entry = try await tree.followedEntry(at: path), entry.isFile {
            found = [(entry, path)]
        }
        var places: [String] = []
        for (entry, path) in found {
            try await scratch.materialise(file: entry, as: path, of: tree)
            places.append(scratch.location(of: path, in: tree).string)
        }
        return places
    }

    private func matches(_ pattern: String, in tree: RecordingFileTree) async throws -> [(FileTreeEntry, String)] {
        let glob: Glob
        do {
            glob = try Glob(pattern, separator: "/")
        } catch {
            throw Problem(
                code: "application.invalid-value", message: "value file: \(error.message)", location: request.source.location)
        }
        // Only what lies below the part without wildcards is looked at.
        let fixed = pattern.split(separator: "/").prefix { part in !part.contains { "*?[{".contains($0) } }.joined(separator: "/")
        guard try await tree.followedEntry(at: fixed)?.kind == .directory else { return [] }
        var found: [(FileTreeEntry, String)] = []
        for entry in try await tree.entries(in: fixed, recursive: true) where glob.matches(entry.path) {
            if let file = try await tree.followedEntry(at: entry.path), file.isFile { found.append((file, entry.path)) }
        }
        return found
    }

    private func missing(_ name: String, field: String) -> Problem {
        Problem(
            code: "source.value-file-missing", message: "`helm.\(field)`: there is no `\(name)`",
            location: request.source.location,
            hint: field == "valueFiles"
                ? "paths start at the chart (or with `/` at the repository's root); `ignoreMissingValueFiles: true` passes over it"
                : "paths start at the chart, or with `/` at the repository's root")
    }

    // MARK: Dependencies

    private func materialise(_ local: String, into scratch: ScratchDirectory) async throws {
        guard let path = RepositoryPath.resolved(local, from: request.path) else {
            throw Problem(
                code: "source.path-escape", message: "the dependency `file://\(local)` lies outside the repository",
                location: SourceLocation(path: chartFile, line: 0))
        }
        if try await request.tree.followedEntry(at: path)?.kind == .directory {
            try await scratch.materialise(path, of: request.tree)
        }
    }

    private func buildDependencies(of chart: HelmChart, in scratch: ScratchDirectory, at directory: FilePath) async throws {
        let place = SourceLocation(path: chartFile, line: 0)
        let (tool, _) = try Tool.find(
            ["helm"], title: "helm dependency build", install: "install Helm: https://helm.sh/docs/intro/install/",
            for: request.source,
            in: request.tools)
        for (index, repository) in chart.remoteRepositories.enumerated() {
            _ = try await tool.run(
                ["repo", "add", "dependency-\(index)", repository], in: scratch, at: directory, location: place)
        }
        _ = try await tool.run(["dependency", "build"], in: scratch, at: directory, location: place)
    }

    // MARK: Output

    /// Helm writes `# Source: chart/templates/file.yaml` above each object: that is where problems lie.
    private func rendered(_ output: [UInt8], chart: String) throws -> RenderedSource {
        let files = HelmOutput.sources(in: output)
        var reader = ManifestReader()
        let documents: [SourceDocument]
        do {
            documents = try DocumentReader.documents(in: output, path: chartFile)
        } catch {
            var problem = error
            let line = problem.location?.line ?? 0
            problem.location = location(of: files.last { $0.line <= line }?.file, chart: chart)
            problem.message = "the rendered chart \(problem.message)"
            problem.hint = "see line \(line) of `helm template`'s output"
            throw problem
        }
        for document in documents {
            let file = files.last { $0.line <= document.location.line }?.file
            let place = location(of: file, chart: chart)
            reader.read([SourceDocument(value: document.value, location: place, linesFrom: nil)])
        }
        return RenderedSource(manifests: reader.manifests, problems: reader.problems)
    }

    private func location(of file: String?, chart: String) -> SourceLocation {
        guard let file, let relative = RepositoryPath.relative(file, to: chart) else {
            return SourceLocation(path: chartFile, line: 0)
        }
        return SourceLocation(path: RepositoryPath.joined(request.path, relative), line: 0)
    }

    /// `--set` takes a comma as the end of a value, except in a list in braces. What is escaped already stays as it is.
    static func escapingCommas(_ value: String) -> String {
        guard !(value.hasPrefix("{") && value.hasSuffix("}")) else { return value }
        var result = ""
        var previous: Character?
        for character in value {
            if character == ",", previous != "\\" { result.append("\\") }
            result.append(character)
            previous = character
        }
        return result
    }
}

/// What the output of `helm template` says about where its parts come from.
enum HelmOutput {
    /// The lines (from 1) with `# Source: …`, and what they name.
    static func sources(in output: [UInt8]) -> [(line: Int, file: String)] {
        let marker = Array("# Source: ".utf8)
        var result: [(Int, String)] = []
        for (index, line) in output.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated()
        where line.starts(with: marker) {
            result.append((index + 1, String(decoding: line.dropFirst(marker.count), as: UTF8.self)))
        }
        return result
    }
}

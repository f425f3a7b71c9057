import Glibc
import ResourceModel
import SystemPackage

/// Objects in files, for comparisons that need neither a repository nor a cluster.
package enum ObjectFiles {
    /// What is declared in a file, or in a directory that is taken as a source (plain, Kustomize or Helm).
    /// - Parameter namespace: for namespaced objects that name none.
    /// - Throws: `Problems`, all that were found.
    package static func declared(in path: String, name: String, namespace: String) async throws -> DesiredState {
        if isDirectory(path) {
            let repository = try OfflineRepository(directory: FilePath(path))
            return try await repository.desiredState(ofPath: repository.path, name: name, namespace: namespace)
        }
        var reader = ManifestReader()
        reader.read(try DocumentReader.documents(in: DocumentReader.utf8(try FileBytes.read(at: FilePath(path), displayedAs: path)), path: path))
        let set = ManifestSet(reader.manifests, destinationNamespace: namespace)
        let problems = reader.problems + set.problems
        guard !problems.contains(where: { $0.severity == .error }) else { throw Problems(problems) }
        return DesiredState(
            application: name, revision: Revision(repository: path, ref: "", commit: "", author: "", subject: "", committedAt: 0),
            manifests: set.manifests, digest: await ManifestSet.digest(of: set.manifests), warnings: problems)
    }

    /// The objects in a file, or in all files of a directory, lists taken apart.
    /// - Throws: a `Problem` with file and line for what cannot be read, or is no object.
    package static func objects(in path: String) async throws -> [JSONValue] {
        var files: [(path: String, bytes: [UInt8])] = []
        if isDirectory(path) {
            let tree = DirectoryFileTree(root: FilePath(path))
            let entries = try await tree.entries(in: "", recursive: true).filter { $0.isFile && DocumentReader.hasManifestExtension($0.name) }
            for (entry, bytes) in zip(entries, try await tree.contents(of: entries)) { files.append(("\(path)/\(entry.path)", bytes)) }
        } else {
            files = [(path, try FileBytes.read(at: FilePath(path), displayedAs: path))]
        }
        var objects: [JSONValue] = []
        for file in files {
            var reader = ManifestReader()
            reader.read(try DocumentReader.documents(in: DocumentReader.utf8(file.bytes), path: file.path))
            guard reader.problems.isEmpty else { throw Problems(reader.problems) }
            objects += reader.manifests.map(\.body)
        }
        return objects
    }

    private static func isDirectory(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }
}

import Glibc
import Processes
import ResourceModel

/// Makes a pod's volumes as directories, and the links by which containers find them.
///
/// There is no mount namespace: a pod runner that is not root can't make one everywhere. The rule is instead that a container's volumes
/// stand below `$POD_ROOT` at their `mountPath`, and that a `mountPath` written in `command`, `args`, `workingDir` or the value of an
/// environment variable is replaced by that path. `readOnly` is not enforced.
struct PodVolumes: Sendable {
    let directory: PodDirectory
    let sources: PodSources
    /// Directories of persistent volume claims: `NAMESPACE_CLAIM`.
    let claims: String

    /// Makes the volumes, or brings their files up to date.
    func fill() throws(VolumeProblem) {
        for volume in sources.pod[path: "spec", "volumes"]?.arrayValue ?? [] { try fill(volume) }
    }

    private func fill(_ volume: JSONValue) throws(VolumeProblem) {
        let name = volume["name"]?.stringValue ?? ""
        do {
            if volume["hostPath"] != nil { return try checkHostPath(volume["hostPath"] ?? [:]) }
            if let claim = volume[path: "persistentVolumeClaim", "claimName"]?.stringValue {
                return try SmallFile.makeDirectory(claimDirectory(claim))
            }
            let path = directory.volume(name)
            try SmallFile.makeDirectory(path)
            if volume["emptyDir"] != nil || volume.objectValue?.count == 1 { return }
            guard let files = try files(of: volume) else {
                let type = volume.objectValue?.keys.first { $0 != "name" } ?? ""
                throw VolumeProblem(volume: name, message: "the embedded cluster has no volumes of type \"\(type)\"")
            }
            for file in files { try write(file, below: path) }
            prune(path, keeping: Set(files.map(\.path)))
        } catch let problem as VolumeProblem {
            throw VolumeProblem(volume: name, message: problem.message)
        } catch {
            throw VolumeProblem(volume: name, message: "\(error)")
        }
    }

    private func claimDirectory(_ claim: String) -> String { "\(claims)/\(sources.pod.objectNamespace)_\(claim)" }

    private func checkHostPath(_ source: JSONValue) throws {
        let path = source["path"]?.stringValue ?? ""
        switch source["type"]?.stringValue ?? "" {
        case "DirectoryOrCreate": try SmallFile.makeDirectory(path)
        case "FileOrCreate" where !SmallFile.exists(path): try SmallFile.write([], to: path)
        case "Directory" where !SmallFile.isDirectory(path), "File" where !SmallFile.exists(path):
            throw VolumeProblem(volume: "", message: "hostPath type check failed: \(path) does not exist")
        default: break
        }
    }

    // MARK: Files

    private struct File {
        var path: String
        var bytes: [UInt8]
        var mode: mode_t
    }

    /// `nil` for a type of volume that is not supported.
    private func files(of volume: JSONValue) throws(VolumeProblem) -> [File]? {
        for key in ["configMap", "secret", "downwardAPI"] {
            if let source = volume[key] {
                return try files(of: key, source, mode: source["defaultMode"]?.integerValue ?? 0o644)
            }
        }
        guard let projected = volume["projected"] else { return nil }
        let mode = projected["defaultMode"]?.integerValue ?? 0o644
        var files: [File] = []
        for source in projected["sources"]?.arrayValue ?? [] {
            for key in ["configMap", "secret", "downwardAPI"] {
                if let part = source[key] { files += try self.files(of: key, part, mode: mode) }
            }
            if let token = source["serviceAccountToken"] {
                files.append(File(path: token["path"]?.stringValue ?? "token", bytes: [], mode: 0o600))
            }
        }
        return files
    }

    private func files(of kind: String, _ source: JSONValue, mode: Int64) throws(VolumeProblem) -> [File] {
        if kind == "downwardAPI" { return try downwardFiles(source, mode: mode) }
        let name = (source[kind == "secret" && source["secretName"] != nil ? "secretName" : "name"])?.stringValue ?? ""
        let isOptional = source["optional"]?.boolValue ?? false
        guard let object = kind == "secret" ? sources.secret(name) : sources.configMap(name) else {
            if isOptional { return [] }
            throw VolumeProblem(volume: "", message: "\(kind.lowercased()) \"\(name)\" not found")
        }
        let entries = kind == "secret" ? PodSources.entries(ofSecret: object) : PodSources.entries(ofConfigMap: object)
        guard let items = source["items"]?.arrayValue else {
            return entries.map { File(path: $0.key, bytes: $0.bytes, mode: mode_t(mode)) }
        }
        var files: [File] = []
        for item in items {
            let key = item["key"]?.stringValue ?? ""
            guard let entry = entries.first(where: { $0.key == key }) else {
                if isOptional { continue }
                throw VolumeProblem(volume: "", message: "\(kind.lowercased()) references non-existent config key: \(key)")
            }
            files.append(File(path: item["path"]?.stringValue ?? key, bytes: entry.bytes, mode: mode_t(item["mode"]?.integerValue ?? mode)))
        }
        return files
    }

    private func downwardFiles(_ source: JSONValue, mode: Int64) throws(VolumeProblem) -> [File] {
        var files: [File] = []
        for item in source["items"]?.arrayValue ?? [] {
            let value: String?
            if let field = item[path: "fieldRef", "fieldPath"]?.stringValue {
                value = sources.field(field)
            } else {
                value = item["resourceFieldRef"].flatMap { sources.resource($0, container: [:]) }
            }
            guard let value else { throw VolumeProblem(volume: "", message: "downwardAPI item \(item.jsonString) is not supported") }
            files.append(
                File(path: item["path"]?.stringValue ?? "", bytes: Array(value.utf8), mode: mode_t(item["mode"]?.integerValue ?? mode)))
        }
        return files
    }

    private func write(_ file: File, below directory: String) throws {
        guard !file.path.isEmpty, !file.path.hasPrefix("/"), !file.path.split(separator: "/").contains("..") else {
            throw VolumeProblem(volume: "", message: "invalid path \"\(file.path)\"")
        }
        let path = "\(directory)/\(file.path)"
        if let slash = path.lastIndex(of: "/") { try SmallFile.makeDirectory(String(path[..<slash])) }
        if SmallFile.bytes(path) == file.bytes { return }
        try SmallFile.write(file.bytes, to: path, mode: file.mode)
    }

    /// Removes files at the top of the volume whose keys are gone.
    private func prune(_ path: String, keeping: Set<String>) {
        let tops = Set(keeping.compactMap { $0.split(separator: "/").first.map(String.init) })
        for name in SmallFile.names(in: path) where !tops.contains(name) { SmallFile.remove("\(path)/\(name)") }
    }

    // MARK: Mounts

    /// Makes the links of a container; where each `mountPath` is really found, longest first.
    func mount(_ container: JSONValue) throws(ContainerProblem) -> [(mountPath: String, path: String)] {
        let name = container["name"]?.stringValue ?? ""
        let root = directory.root(name)
        var mounts: [(mountPath: String, path: String)] = []
        do {
            try SmallFile.makeDirectory(root)
            let declared = (container["volumeMounts"]?.arrayValue ?? []).sorted {
                ($0["mountPath"]?.stringValue ?? "") < ($1["mountPath"]?.stringValue ?? "")
            }
            for mount in declared {
                guard let target = try target(of: mount) else {
                    throw ContainerProblem.configuration("volume \"\(mount["name"]?.stringValue ?? "")\" is not declared")
                }
                var mountPath = mount["mountPath"]?.stringValue ?? ""
                while mountPath.count > 1, mountPath.hasSuffix("/") { mountPath.removeLast() }
                guard mountPath.hasPrefix("/"), mountPath.count > 1, !mountPath.split(separator: "/").contains("..") else {
                    throw ContainerProblem.configuration("mountPath \"\(mountPath)\" is not supported")
                }
                // A mount inside another one can't be a link below a link; it is reached by its own path only.
                let isInside = mounts.contains { mountPath.hasPrefix($0.mountPath + "/") }
                let link = root + mountPath
                if !isInside {
                    if let slash = link.lastIndex(of: "/") { try SmallFile.makeDirectory(String(link[..<slash])) }
                    unlink(link)
                    guard symlink(target, link) == 0 else { throw SmallFile.Failure(operation: "link", path: link, code: errno) }
                }
                mounts.append((mountPath, isInside ? target : link))
            }
        } catch let problem as ContainerProblem {
            throw problem
        } catch {
            throw .configuration("\(error)")
        }
        return mounts.sorted { $0.mountPath.count > $1.mountPath.count }
    }

    private func target(of mount: JSONValue) throws -> String? {
        let name = mount["name"]?.stringValue ?? ""
        guard let volume = (sources.pod[path: "spec", "volumes"]?.arrayValue ?? []).first(where: { $0["name"]?.stringValue == name })
        else { return nil }
        var path = volume[path: "hostPath", "path"]?.stringValue
            ?? volume[path: "persistentVolumeClaim", "claimName"]?.stringValue.map(claimDirectory) ?? directory.volume(name)
        if let sub = mount["subPath"]?.stringValue, !sub.isEmpty {
            path += "/" + sub
            if !SmallFile.exists(path) { try SmallFile.makeDirectory(path) }
        }
        return path
    }

    /// The text with every `mountPath` in it replaced, where it stands as a whole path or the beginning of one.
    static func rewritten(_ text: String, _ mounts: [(mountPath: String, path: String)]) -> String {
        guard mounts.contains(where: { text.contains($0.mountPath) }) else { return text }
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        var index = 0
        scan: while index < bytes.count {
            let startsPath = index == 0 || !Self.isPathByte(bytes[index - 1])
            if startsPath, bytes[index] == UInt8(ascii: "/") {
                for mount in mounts {
                    let needle = Array(mount.mountPath.utf8)
                    let end = index + needle.count
                    guard end <= bytes.count, bytes[index..<end].elementsEqual(needle),
                        end == bytes.count || bytes[end] == UInt8(ascii: "/") || !Self.isPathByte(bytes[end])
                    else { continue }
                    output.append(contentsOf: mount.path.utf8)
                    index = end
                    continue scan
                }
            }
            output.append(bytes[index])
            index += 1
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Letters, digits and what else makes a file's name go on.
    private static func isPathByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "/"), UInt8(ascii: "}"), UInt8(ascii: "~"), 128...255:
            true
        default: false
        }
    }
}

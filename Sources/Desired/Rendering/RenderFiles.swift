import Crypto
import Glibc
import ResourceModel
import SystemPackage

/// Renders kept on disk, one file for each application: a process that is started for one sync need not read and parse again
/// what has not changed since the last one.
///
/// Only a cache: a file that is missing, cut, changed by hand, written by another build of the program, or made with other
/// tools counts as not there. What it holds lies in the mirror too, Secrets included; the files are readable by the owner only.
package struct RenderFiles: Sendable {
    private let directory: FilePath
    /// What else a render depends on and no key says: this build of the program, and the tools that it would run.
    private let makers: String

    /// - Parameter directory: made when the first render is stored (`renders` in the state directory).
    /// - Returns: `nil` when the running program's file cannot be looked at, so that nobody could tell a newer build's renders.
    package init?(directory: FilePath, tools: ToolConfiguration) {
        guard let program = RunningProgram.fingerprint else { return nil }
        self.directory = directory
        makers =
            ([program] + ["helm", "kustomize", "kubectl"].map { tools.locate($0).flatMap { RunningProgram.fingerprint(of: $0.string) } ?? "-" })
            .joined(separator: " ")
    }

    func load(_ key: RenderCache.Key) async -> RenderCache.Entry? {
        guard let bytes = Self.read(file(for: key)), let newline = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return nil }
        let content = bytes[(newline + 1)...]
        guard bytes[..<newline].elementsEqual(SHA256.hash(data: content).hexadecimal.utf8) else { return nil }
        let lines = Self.lines(of: content)
        // The digest is right, so what cannot be read was written by a program that this one does not know.
        guard let first = lines.first, let head = try? JSONValue(parsing: Array(first)), head["makers"] == .string(makers),
            head["key"] == key.json, let inputs = head["inputs"]?.arrayValue, let digest = head["digest"]?.stringValue
        else { return nil }
        let looked = inputs.map { ($0.arrayValue ?? []).map { RenderInput(stored: $0) } }
        guard !looked.joined().contains(where: { $0 == nil }) else { return nil }
        return RenderCache.Entry(
            inputs: looked.map { $0.compactMap { $0 } }, content: .stored(Array(lines.dropFirst())), warnings: [], digest: digest, lastUse: 0)
    }

    /// The manifests of a stored render; `nil` when one of them cannot be read.
    static func manifests(_ lines: [ArraySlice<UInt8>]) async -> [Manifest]? {
        let manifests = await lines.concurrentMap { line in
            (try? JSONValue(parsing: Array(line))).flatMap { Manifest(stored: $0) }  // `nil` says it
        }
        return manifests.contains { $0 == nil } ? nil : manifests.compactMap { $0 }
    }

    /// As `split` gives them, which looks at each byte for itself.
    private static func lines(of content: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        content.withUnsafeBufferPointer { bytes in
            var start = 0
            while start < bytes.count {
                let found = memchr(bytes.baseAddress! + start, 0x0A, bytes.count - start)
                let end = found.map { $0 - UnsafeMutableRawPointer(mutating: bytes.baseAddress!) } ?? bytes.count
                lines.append(content[content.startIndex + start..<content.startIndex + end])
                start = end + 1
            }
        }
        return lines
    }

    /// Keeps a render. One that came with warnings is made anew each time, so that they are told each time as they are.
    ///
    /// A full disk or a missing permission is no reason to fail a sync: the next process renders again.
    func store(_ entry: RenderCache.Entry, for key: RenderCache.Key) async {
        guard entry.warnings.isEmpty, case .manifests(let manifests) = entry.content else { return }
        let head: JSONValue = [
            "makers": .string(makers), "key": key.json, "digest": .string(entry.digest),
            "inputs": .array(entry.inputs.map { .array($0.map(\.stored)) }),
        ]
        let lines = await manifests.concurrentMap { $0.stored.serialized() }
        var content = head.serialized()
        content.reserveCapacity(content.count + lines.reduce(0) { $0 + $1.count + 1 })
        for line in lines {
            content.append(UInt8(ascii: "\n"))
            content += line
        }
        mkdir(directory.string, 0o700)
        Self.replace(file(for: key), with: Array(SHA256.hash(data: content).hexadecimal.utf8) + [UInt8(ascii: "\n")] + content)
    }

    private func file(for key: RenderCache.Key) -> String {
        directory.appending(JSONValue.string(key.application).digest + ".render").string
    }

    // MARK: Files

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_size > 0 else { return nil }
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(facts.st_size)) { buffer, initialized in
            while count < buffer.count {
                let part = Glibc.read(descriptor, buffer.baseAddress! + count, buffer.count - count)
                guard part > 0 else { break }
                count += part
            }
            initialized = count
        }
        return count == Int(facts.st_size) ? bytes : nil
    }

    private static func replace(_ path: String, with bytes: [UInt8]) {
        let temporary = "\(path).\(getpid())"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written) }
            guard count > 0 else { break }
            written += count
        }
        close(descriptor)
        if written < bytes.count || rename(temporary, path) != 0 { unlink(temporary) }
    }
}

/// Which build of the program this is.
package enum RunningProgram {
    /// What is different for another build, or for the same one put there again; `nil` when its file cannot be looked at.
    package static let fingerprint = fingerprint(of: "/proc/self/exe")

    static func fingerprint(of path: String) -> String? {
        var facts = stat()
        guard stat(path, &facts) == 0 else { return nil }
        return "\(facts.st_dev):\(facts.st_ino):\(facts.st_size):\(facts.st_mtim.tv_sec).\(facts.st_mtim.tv_nsec)"
    }
}

extension RenderCache.Key {
    fileprivate var json: JSONValue {
        [
            "application": .string(application), "specification": .string(specification), "commit": .string(commit),
            "kubeVersion": .string(capabilities.kubeVersion ?? ""), "apiVersions": .array(capabilities.apiVersions.map { .string($0) }),
        ]
    }
}

extension RenderInput {
    fileprivate var stored: JSONValue { [.string(path), .string(aspect.rawValue), .string(seen)] }

    fileprivate init?(stored value: JSONValue) {
        guard let path = value[0]?.stringValue, let aspect = value[1]?.stringValue.flatMap(Aspect.init), let seen = value[2]?.stringValue
        else { return nil }
        self.init(path: path, aspect: aspect, seen: seen)
    }
}

extension Manifest {
    fileprivate var stored: JSONValue {
        [
            .string(id.group), .string(id.kind), id.namespace.map(JSONValue.string) ?? .null, .string(id.name), .string(apiVersion),
            .string(source.path), .integer(Int64(source.line)), .integer(Int64(source.document)),
            namespaceIfNamespaced.map(JSONValue.string) ?? .null, body,
        ]
    }

    fileprivate init?(stored value: JSONValue) {
        guard let fields = value.arrayValue, fields.count == 10, let group = fields[0].stringValue, let kind = fields[1].stringValue,
            let name = fields[3].stringValue, let apiVersion = fields[4].stringValue, let path = fields[5].stringValue,
            let line = fields[6].integerValue, let document = fields[7].integerValue
        else { return nil }
        self.init(
            id: ResourceID(group: group, kind: kind, namespace: fields[2].stringValue, name: name), apiVersion: apiVersion,
            body: fields[9], source: SourceLocation(path: path, line: Int(line), document: Int(document)),
            namespaceIfNamespaced: fields[8].stringValue)
    }
}

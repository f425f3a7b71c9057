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

    /// What the head of the file says; the manifests are read when somebody asks for them.
    func load(_ key: RenderCache.Key) async -> RenderCache.Entry? {
        let path = file(for: key)
        guard let (sum, line, next) = Self.head(of: path), sum.elementsEqual(SHA256.hash(data: line).hexadecimal.utf8),
            // The digest is right, so what cannot be read was written by a program that this one does not know.
            let head = try? JSONValue(parsing: Array(line)), head["makers"] == .string(makers), head["key"] == key.json,
            let inputs = head["inputs"]?.arrayValue, let digest = head["digest"]?.stringValue, let count = head["count"]?.integerValue,
            let content = head["content"]?.stringValue
        else { return nil }
        let looked = inputs.map { ($0.arrayValue ?? []).map { RenderInput(stored: $0) } }
        guard !looked.joined().contains(where: { $0 == nil }) else { return nil }
        let stored = Stored(path: path, offset: next, digest: content, count: Int(count))
        return RenderCache.Entry(inputs: looked.map { $0.compactMap { $0 } }, content: .stored(stored), warnings: [], digest: digest, lastUse: 0)
    }

    /// The manifests of a render that lies on disk, one to a line.
    struct Stored: Sendable {
        fileprivate var path: String
        /// Where they begin, in bytes.
        fileprivate var offset: Int
        /// SHA-256 of all of them.
        fileprivate var digest: String
        let count: Int

        /// `nil` when they are not there any more as they were written.
        func manifests() async -> [Manifest]? {
            guard let bytes = RenderFiles.read(path, from: offset), digest == SHA256.hash(data: bytes).hexadecimal else { return nil }
            let manifests = await RenderFiles.lines(of: bytes).concurrentMap { line in
                (try? JSONValue(parsing: Array(line))).flatMap { Manifest(stored: $0) }  // `nil` says it
            }
            return manifests.count != count || manifests.contains { $0 == nil } ? nil : manifests.compactMap { $0 }
        }
    }

    /// Keeps a render. One that came with warnings is made anew each time, so that they are told each time as they are.
    ///
    /// A full disk or a missing permission is no reason to fail a sync: the next process renders again.
    func store(_ entry: RenderCache.Entry, for key: RenderCache.Key) async {
        guard entry.warnings.isEmpty, case .manifests(let manifests) = entry.content else { return }
        let lines = await manifests.concurrentMap { $0.stored.serialized() }
        var content: [UInt8] = []
        content.reserveCapacity(lines.reduce(0) { $0 + $1.count + 1 })
        for line in lines {
            content += line
            content.append(UInt8(ascii: "\n"))
        }
        let head: JSONValue = [
            "makers": .string(makers), "key": key.json, "digest": .string(entry.digest), "count": .integer(Int64(lines.count)),
            "content": .string(SHA256.hash(data: content).hexadecimal), "inputs": .array(entry.inputs.map { .array($0.map(\.stored)) }),
        ]
        let line = head.serialized()
        mkdir(directory.string, 0o700)
        let newline = [UInt8(ascii: "\n")]
        Self.replace(file(for: key), with: Array(SHA256.hash(data: line).hexadecimal.utf8) + newline + line + newline + content)
    }

    private func file(for key: RenderCache.Key) -> String {
        directory.appending(JSONValue.string(key.application).digest + ".render").string
    }

    // MARK: Files

    /// As `split` gives them, which looks at each byte for itself.
    private static func lines(of content: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        content.withUnsafeBytes { bytes in
            var start = 0
            while start < bytes.count {
                let end = newline(in: bytes[start...]) ?? bytes.count
                lines.append(content[start..<end])
                start = end + 1
            }
        }
        return lines
    }

    private static func newline(in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
        guard let base = bytes.base.baseAddress, !bytes.isEmpty, let found = memchr(base + bytes.startIndex, 0x0A, bytes.count) else { return nil }
        return UnsafeRawPointer(found) - base
    }

    /// The first two lines of a file, and where the third begins. They are read in pieces, since what follows may be long.
    private static func head(of path: String) -> (first: ArraySlice<UInt8>, second: ArraySlice<UInt8>, next: Int)? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        let piece = 128 * 1024
        var bytes: [UInt8] = []
        while true {
            let more = [UInt8](unsafeUninitializedCapacity: piece) { buffer, count in count = max(0, Glibc.read(descriptor, buffer.baseAddress, piece)) }
            guard !more.isEmpty else { return nil }
            bytes = bytes.isEmpty ? more : bytes + more
            let ends = bytes.withUnsafeBytes { bytes -> (Int, Int)? in
                guard let first = newline(in: bytes[...]), let second = newline(in: bytes[(first + 1)...]) else { return nil }
                return (first, second)
            }
            if let (first, second) = ends { return (bytes[..<first], bytes[(first + 1)..<second], second + 1) }
        }
    }

    /// What a file holds from there on.
    private static func read(_ path: String, from offset: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, Int(facts.st_size) >= offset else { return nil }
        let size = Int(facts.st_size) - offset
        var count = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            while count < size {
                let part = pread(descriptor, buffer.baseAddress! + count, size - count, offset + count)
                guard part > 0 else { break }
                count += part
            }
            initialized = count
        }
        return count == size ? bytes : nil
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

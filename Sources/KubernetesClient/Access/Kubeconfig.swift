import Glibc
import HTTPTransport
import ResourceModel
import YAML

/// One or several kubeconfig files as kubectl reads them.
package struct Kubeconfig: Sendable {
    /// An entry and the file that it came from: relative paths in it are relative to that file.
    struct Entry: Sendable {
        var value: JSONValue
        var path: String

        func file(_ key: String) -> String? { value[key]?.stringValue.flatMap { $0.isEmpty ? nil : resolve($0) } }

        func resolve(_ file: String) -> String {
            if file.hasPrefix("/") { return file }
            guard let slash = path.lastIndex(of: "/") else { return file }
            return path[...slash] + file
        }

        func string(_ key: String) -> String? { value[key]?.stringValue.flatMap { $0.isEmpty ? nil : $0 } }
    }

    /// The files read, in order.
    package private(set) var paths: [String] = []
    package private(set) var currentContext: String = ""
    private(set) var clusters: [String: Entry] = [:]
    private(set) var users: [String: Entry] = [:]
    private(set) var contexts: [String: Entry] = [:]

    package var contextNames: [String] { contexts.keys.sorted() }

    private init() {}

    /// Reads what kubectl would: the given file, else the files of `$KUBECONFIG`, else `~/.kube/config`.
    ///
    /// Files of a list that do not exist are skipped. The first file that sets a value wins: `current-context`, and each cluster,
    /// user and context as a whole.
    /// - Returns: `nil` when no file was named and none exists.
    package static func load(path: String? = nil, environment: [String: String]? = nil) throws(AccessError) -> Kubeconfig? {
        let environment = environment ?? processEnvironment()
        var config = Kubeconfig()
        if let path, !path.isEmpty {
            try config.merge(path)
            return config
        }
        let named = (environment["KUBECONFIG"] ?? "").split(separator: ":").map(String.init)
        let candidates = named.isEmpty ? environment["HOME"].map { ["\($0)/.kube/config"] } ?? [] : named
        for candidate in candidates where Glibc.access(candidate, F_OK) == 0 { try config.merge(candidate) }
        return config.paths.isEmpty ? nil : config
    }

    /// Reads one text, as if it were the file at `path`.
    package static func parse(_ bytes: [UInt8], path: String) throws(AccessError) -> Kubeconfig {
        var config = Kubeconfig()
        try config.merge(bytes, path: path)
        return config
    }

    private mutating func merge(_ path: String) throws(AccessError) { try merge(try fileBytes(path), path: path) }

    private mutating func merge(_ bytes: [UInt8], path: String) throws(AccessError) {
        let value = try Self.document(bytes, path)
        paths.append(path)
        guard value.objectValue != nil else {
            if value.isNull { return }
            throw AccessError(code: "malformed", message: "not a kubeconfig: a mapping is expected", path: path)
        }
        if let kind = value["kind"]?.stringValue, kind != "Config" {
            throw AccessError(code: "malformed", message: "not a kubeconfig but a \(kind)", path: path)
        }
        if currentContext.isEmpty { currentContext = value["current-context"]?.stringValue ?? "" }
        for item in value["clusters"]?.arrayValue ?? [] { Self.add(item, "cluster", path, &clusters) }
        for item in value["users"]?.arrayValue ?? [] { Self.add(item, "user", path, &users) }
        for item in value["contexts"]?.arrayValue ?? [] { Self.add(item, "context", path, &contexts) }
    }

    private static func document(_ bytes: [UInt8], _ path: String) throws(AccessError) -> JSONValue {
        do {
            return try YAML.documents(in: bytes, path: path).first?.value ?? .null
        } catch {
            throw AccessError(code: "malformed", message: "not a kubeconfig: \(error)")
        }
    }

    private static func add(_ item: JSONValue, _ key: String, _ path: String, _ entries: inout [String: Entry]) {
        guard let name = item["name"]?.stringValue, entries[name] == nil else { return }
        entries[name] = Entry(value: item[key] ?? .object([:]), path: path)
    }
}

/// The environment of this process.
func processEnvironment() -> [String: String] {
    var result: [String: String] = [:]
    var position = environ
    while let entry = position.pointee {
        let text = String(cString: entry)
        if let equals = text.firstIndex(of: "=") { result[String(text[..<equals])] = String(text[text.index(after: equals)...]) }
        position += 1
    }
    return result
}

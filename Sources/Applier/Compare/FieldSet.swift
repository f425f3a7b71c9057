import ResourceModel

/// A FieldsV1 tree: which fields a manager owns.
/// https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
enum FieldSet {
    /// The places in a document that the tree speaks of as leaves. What identifies a list's items is left out.
    static func paths(_ tree: JSONValue, in document: JSONValue) -> [DocumentPath] {
        var paths: [DocumentPath] = []
        collect(tree, document, [], keys: [], into: &paths)
        return paths
    }

    private static func collect(_ tree: JSONValue, _ document: JSONValue, _ path: DocumentPath, keys: Set<String>, into paths: inout [DocumentPath]) {
        for member in tree.objectValue ?? [:] {
            guard let step = step(member.key, in: document) else { continue }
            if case .name(let name) = step, keys.contains(name) { continue }
            guard let value = document.value(at: [step]) else { continue }
            if isLeaf(member.value) {
                paths.append(path + [step])
            } else {
                collect(member.value, value, path + [step], keys: keyNames(member.key), into: &paths)
            }
        }
    }

    /// Whether nothing below is spoken of.
    static func isLeaf(_ tree: JSONValue) -> Bool { (tree.objectValue ?? [:]).allSatisfy { $0.key == "." } }

    private static func keyNames(_ key: String) -> Set<String> {
        Set(keys(key)?.keys ?? [])
    }

    /// What a list's item is told by; `nil` for every other key.
    static func keys(_ key: String) -> JSONObject? {
        // A key in an unknown form names nothing.
        key.hasPrefix("k:") ? try? JSONValue(parsing: String(key.dropFirst(2))).objectValue : nil
    }

    /// Where the tree's member stands in a document.
    static func step(_ key: String, in document: JSONValue) -> DocumentStep? {
        if key.hasPrefix("f:") { return .name(String(key.dropFirst(2))) }
        guard let items = document.arrayValue else { return nil }
        if let keys = keys(key) {
            // A key that the document does not state has its default (a port's protocol).
            let isHere = { (item: JSONValue, part: JSONObject.Member) in item[part.key] == part.value }
            let index =
                items.firstIndex { item in keys.allSatisfy { isHere(item, $0) } }
                ?? items.firstIndex { item in
                    keys.contains { isHere(item, $0) } && keys.allSatisfy { isHere(item, $0) || item[$0.key] == nil }
                }
            return index.map { .index($0) }
        }
        if key.hasPrefix("v:"), let value = try? JSONValue(parsing: String(key.dropFirst(2))) {  // as above
            return items.firstIndex(of: value).map { .index($0) }
        }
        if key.hasPrefix("i:"), let index = Int(key.dropFirst(2)), items.indices.contains(index) { return .index(index) }
        return nil
    }

    /// The tree's member for a step into a document.
    static func key(_ step: DocumentStep, in tree: JSONValue, of document: JSONValue) -> String? {
        switch step {
        case .name(let name):
            let key = "f:" + name
            return tree[key] == nil ? nil : key
        case .index:
            return tree.objectValue?.keys.first { self.step($0, in: document) == step }
        }
    }

    /// Whether the tree's manager owns the value at a place, as itself or as a part of something that it owns whole.
    static func owns(_ path: DocumentPath, in tree: JSONValue, of document: JSONValue) -> Bool {
        var (tree, document) = (tree, document)
        for step in path {
            guard let key = key(step, in: tree, of: document), let below = tree[key], let value = document.value(at: [step]) else { return false }
            if isLeaf(below) { return true }
            (tree, document) = (below, value)
        }
        return true
    }

    /// The tree without the places of a document.
    static func removing(_ paths: [DocumentPath], from tree: JSONValue, of document: JSONValue) -> JSONValue {
        var result = tree
        for path in paths { remove(path[...], from: &result, of: document) }
        return result
    }

    private static func remove(_ path: ArraySlice<DocumentStep>, from tree: inout JSONValue, of document: JSONValue) {
        guard let step = path.first, let key = key(step, in: tree, of: document) else { return }
        guard path.count > 1, var below = tree[key], let value = document.value(at: [step]) else {
            tree[key] = nil
            return
        }
        let wasLeaf = isLeaf(below)
        remove(path.dropFirst(), from: &below, of: value)
        tree[key] = !wasLeaf && below.objectValue?.isEmpty == true ? JSONValue?.none : below
    }
}

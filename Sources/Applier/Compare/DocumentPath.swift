import ResourceModel

/// One step into a document.
enum DocumentStep: Sendable, Hashable {
    case name(String)
    case index(Int)
}

/// A place in one particular document: indices mean nothing in another one.
typealias DocumentPath = [DocumentStep]

extension JSONValue {
    /// The value at a place; `nil` when there is none.
    func value(at path: DocumentPath) -> JSONValue? {
        var current: JSONValue? = self
        for step in path {
            switch step {
            case .name(let name): current = current?[name]
            case .index(let index): current = current?[index]
            }
        }
        return current
    }

    /// This document without what stands at the places, all taken as places in the document as it is. Maps that become empty by
    /// that go too; lists keep what is left of their items.
    func removing(_ paths: [DocumentPath]) -> JSONValue {
        var tree = PathTree()
        for path in paths where !path.isEmpty { tree.add(path[...]) }
        return tree.branches.isEmpty ? self : tree.removed(from: self)
    }
}

/// Places of one document, by their common beginnings.
private struct PathTree {
    var isEnd = false
    var branches: [DocumentStep: PathTree] = [:]

    mutating func add(_ path: ArraySlice<DocumentStep>) {
        guard let first = path.first else {
            isEnd = true
            return
        }
        branches[first, default: PathTree()].add(path.dropFirst())
    }

    func removed(from value: JSONValue) -> JSONValue {
        switch value {
        case .object(var members):
            for (step, branch) in branches {
                guard case .name(let name) = step, let member = members[name] else { continue }
                if branch.isEnd {
                    members[name] = nil
                    continue
                }
                let rest = branch.removed(from: member)
                let isEmptied = rest.objectValue?.isEmpty == true && member.objectValue?.isEmpty == false
                members[name] = isEmptied ? JSONValue?.none : rest
            }
            return .object(members)
        case .array(let items):
            var left: [JSONValue] = []
            for (index, item) in items.enumerated() {
                guard let branch = branches[.index(index)] else {
                    left.append(item)
                    continue
                }
                if !branch.isEnd { left.append(branch.removed(from: item)) }
            }
            return .array(left)
        default: return value
        }
    }
}

extension JSONPointer {
    /// The place that the pointer names in a document; `nil` when there is nothing.
    func path(in document: JSONValue) -> DocumentPath? {
        var path: DocumentPath = []
        var current = document
        for token in tokens {
            if case .array(let items) = current {
                guard let index = Int(token), items.indices.contains(index) else { return nil }
                path.append(.index(index))
                current = items[index]
            } else {
                guard let next = current[token] else { return nil }
                path.append(.name(token))
                current = next
            }
        }
        return path
    }
}

extension [JSONValue] {
    /// The places that a path in jq's form names in a document: several for one that ends in a slice.
    func documentPaths(in document: JSONValue) -> [DocumentPath] {
        var paths: [DocumentPath] = [[]]
        for step in self {
            paths = paths.flatMap { path -> [DocumentPath] in
                switch step {
                case .string(let name): return [path + [.name(name)]]
                case .object(let slice):
                    let count = document.value(at: path)?.arrayValue?.count ?? 0
                    let bounds = { (key: String, fallback: Int) in
                        let bound = slice[key]?.doubleValue.map { Int($0) } ?? fallback
                        return Swift.min(Swift.max(bound < 0 ? count + bound : bound, 0), count)
                    }
                    let (start, end) = (bounds("start", 0), bounds("end", count))
                    return start < end ? (start..<end).map { path + [.index($0)] } : []
                default:
                    guard let number = step.doubleValue else { return [] }
                    let count = document.value(at: path)?.arrayValue?.count ?? 0
                    return [path + [.index(number < 0 ? count + Int(number) : Int(number))]]
                }
            }
        }
        return paths
    }
}

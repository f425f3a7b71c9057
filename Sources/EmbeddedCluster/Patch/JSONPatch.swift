import ResourceModel

/// JSON patch, RFC 6902.
package enum JSONPatch {
    /// The most operations that the server takes.
    package static let limit = 10_000

    /// Nothing is half done.
    ///
    /// - Throws: `PatchFailure`: 400 when the patch is no list of operations, 422 when one of them can't be done.
    package static func apply(_ patch: JSONValue, to target: JSONValue) throws(PatchFailure) -> JSONValue {
        guard case .array(let operations) = patch else {
            throw .badRequest(
                "error decoding patch: json: cannot unmarshal \(patch.typeName) into Go value of type jsonpatch.Patch")
        }
        if operations.count > limit {
            throw PatchFailure(
                code: 413, reason: "RequestEntityTooLarge",
                message: "The allowed maximum operations in a JSON patch is \(limit), got \(operations.count)", detail: "")
        }
        var result = target
        for operation in operations { try apply(operation: operation, to: &result) }
        return result
    }

    private static func apply(operation: JSONValue, to target: inout JSONValue) throws(PatchFailure) {
        let kind = operation["op"]?.stringValue ?? ""
        let path = try pointer(operation, "path")
        switch kind {
        case "add": try add(operation["value"] ?? .null, at: path, to: &target)
        case "remove": _ = try remove(path, from: &target)
        case "replace":
            _ = try value(at: path, of: target, for: "replace")
            try set(operation["value"] ?? .null, at: path, of: &target)
        case "move":
            let from = try pointer(operation, "from")
            if path.tokens.count > from.tokens.count, Array(path.tokens.prefix(from.tokens.count)) == from.tokens {
                throw .unprocessable("move of \(from) into itself")
            }
            let moved = try remove(from, from: &target)
            try add(moved, at: path, to: &target)
        case "copy": try add(try value(at: pointer(operation, "from"), of: target, for: "copy"), at: path, to: &target)
        case "test": try test(operation["value"] ?? .null, at: path, of: target)
        default: throw .unprocessable("unexpected kind of operation: \(kind)")
        }
    }

    private static func pointer(_ operation: JSONValue, _ member: String) throws(PatchFailure) -> JSONPointer {
        guard let text = operation[member]?.stringValue, let pointer = JSONPointer(text) else {
            throw .unprocessable("operation \(operation.jsonString) has no usable \"\(member)\"")
        }
        return pointer
    }

    private static func test(_ expected: JSONValue, at path: JSONPointer, of target: JSONValue) throws(PatchFailure) {
        let found: JSONValue
        do throws(PatchFailure) { found = try value(at: path, of: target, for: "test") } catch {
            if expected.isNull { return }  // a missing member equals null
            throw error
        }
        if found != expected { throw .unprocessable("testing value \(path) failed") }
    }

    private static func value(at path: JSONPointer, of target: JSONValue, for operation: String) throws(PatchFailure) -> JSONValue
    {
        var current = target
        for token in path.tokens {
            let next: JSONValue? =
                switch current {
                case .object(let object): object[token]
                case .array(let items): try index(token, in: items, end: false).map { items[$0] }
                default: Optional.none
                }
            guard let next else { throw .unprocessable("\(operation) operation does not apply: doc is missing path: \(path)") }
            current = next
        }
        return current
    }

    /// As API servers read it, whose library (`evanphx/json-patch`) is laxer than the standard: `-1` is the last place, `01` the second.
    /// - Parameter end: whether the place behind the last item counts too.
    private static func index(_ token: String, in items: [JSONValue], end: Bool) throws(PatchFailure) -> Int? {
        if token == "-" { return end ? items.count : nil }
        guard let index = Int(token) else { throw .unprocessable("\"\(token)\" is no index of a list") }
        let count = end ? items.count + 1 : items.count
        let place = index < 0 ? index + count : index
        return (0..<count).contains(place) ? place : nil
    }

    private static func add(_ value: JSONValue, at path: JSONPointer, to target: inout JSONValue) throws(PatchFailure) {
        try change(path, of: &target, for: "add") { (parent, token) throws(PatchFailure) in
            switch parent {
            case .object(var object):
                object[token] = value
                parent = .object(object)
            case .array(var items):
                guard let index = try index(token, in: items, end: true) else {
                    throw .unprocessable("add operation does not apply: index \(token) is out of range at \(path)")
                }
                items.insert(value, at: index)
                parent = .array(items)
            default: throw .unprocessable("add operation does not apply: doc is missing path: \(path)")
            }
        } whole: {
            $0 = value
        }
    }

    private static func set(_ value: JSONValue, at path: JSONPointer, of target: inout JSONValue) throws(PatchFailure) {
        try change(path, of: &target, for: "replace") { (parent, token) throws(PatchFailure) in
            switch parent {
            case .object(var object):
                object[token] = value
                parent = .object(object)
            case .array(var items):
                guard let index = try index(token, in: items, end: false) else {
                    throw .unprocessable("replace operation does not apply: doc is missing path: \(path)")
                }
                items[index] = value
                parent = .array(items)
            default: throw .unprocessable("replace operation does not apply: doc is missing path: \(path)")
            }
        } whole: {
            $0 = value
        }
    }

    private static func remove(_ path: JSONPointer, from target: inout JSONValue) throws(PatchFailure) -> JSONValue {
        let removed = try value(at: path, of: target, for: "remove")
        try change(path, of: &target, for: "remove") { (parent, token) throws(PatchFailure) in
            switch parent {
            case .object(var object):
                object[token] = nil
                parent = .object(object)
            case .array(var items):
                if let index = try index(token, in: items, end: false) { items.remove(at: index) }
                parent = .array(items)
            default: break
            }
        } whole: {
            $0 = .null
        }
        return removed
    }

    /// Changes the value that holds the path's last token; `whole` for the empty path.
    private static func change(
        _ path: JSONPointer, of target: inout JSONValue, for operation: String,
        _ body: (inout JSONValue, String) throws(PatchFailure) -> Void, whole: (inout JSONValue) -> Void
    ) throws(PatchFailure) {
        guard let last = path.tokens.last else { return whole(&target) }
        try change(path.tokens.dropLast()[...], path, of: &target, for: operation) { (parent) throws(PatchFailure) in
            try body(&parent, last)
        }
    }

    private static func change(
        _ tokens: ArraySlice<String>, _ path: JSONPointer, of target: inout JSONValue, for operation: String,
        _ body: (inout JSONValue) throws(PatchFailure) -> Void
    ) throws(PatchFailure) {
        guard let first = tokens.first else { return try body(&target) }
        switch target {
        case .object(var object):
            guard var child = object[first] else {
                throw .unprocessable("\(operation) operation does not apply: doc is missing path: \(path)")
            }
            try change(tokens.dropFirst(), path, of: &child, for: operation, body)
            object[first] = child
            target = .object(object)
        case .array(var items):
            guard let index = try index(first, in: items, end: false) else {
                throw .unprocessable("\(operation) operation does not apply: doc is missing path: \(path)")
            }
            try change(tokens.dropFirst(), path, of: &items[index], for: operation, body)
            target = .array(items)
        default: throw .unprocessable("\(operation) operation does not apply: doc is missing path: \(path)")
        }
    }
}

import ResourceModel

/// The functions and methods that rules may call. A rule that calls another is refused when its definition is stored.
enum ExpressionFunctions {
    /// Names with the least and most number of values they take, the target of a method included.
    static let functions: [String: ClosedRange<Int>] = [
        "size": 1...1, "int": 1...1, "uint": 1...1, "double": 1...1, "string": 1...1, "bool": 1...1, "dyn": 1...1,
        "matches": 2...2, "isQuantity": 1...1,
    ]
    static let methods: [String: ClosedRange<Int>] = [
        "size": 1...1, "startsWith": 2...2, "endsWith": 2...2, "contains": 2...2, "matches": 2...2, "lowerAscii": 1...1,
        "upperAscii": 1...1, "trim": 1...1, "split": 2...3, "join": 1...2, "replace": 3...3, "substring": 2...3, "indexOf": 2...2,
        "lastIndexOf": 2...2, "charAt": 2...2, "isSorted": 1...1, "sum": 1...1, "min": 1...1, "max": 1...1, "reverse": 1...1,
    ]

    static func call(_ name: String, _ values: [ExpressionValue], isMethod: Bool) throws(ExpressionError) -> ExpressionValue {
        guard (isMethod ? methods : functions)[name]?.contains(values.count) == true else {
            throw ExpressionError("undeclared reference to '\(name)'")
        }
        if name == "size" { return .int(try size(values[0])) }
        if !isMethod, let converted = try conversion(name, values[0]) { return converted }
        switch values[0] {
        case .string(let text): if let result = try string(name, text, Array(values.dropFirst())) { return result }
        case .list(let items): if let result = try list(name, items, Array(values.dropFirst())) { return result }
        default: break
        }
        throw ExpressionError("no such overload: \(name)(\(values.map(\.typeName).joined(separator: ", ")))")
    }

    private static func size(_ value: ExpressionValue) throws(ExpressionError) -> Int64 {
        switch value {
        case .string(let text): return Int64(text.unicodeScalars.count)
        case .list(let items): return Int64(items.count)
        case .map(let members): return Int64(members.count)
        default: throw ExpressionError("no such overload: size(\(value.typeName))")
        }
    }

    private static func conversion(_ name: String, _ value: ExpressionValue) throws(ExpressionError) -> ExpressionValue? {
        switch (name, value) {
        case ("dyn", _): return value
        case ("int", .int), ("uint", .uint), ("double", .double), ("string", .string), ("bool", .bool): return value
        case ("int", .uint(let number)): if let result = Int64(exactly: number) { return .int(result) }
        case ("int", .double(let number)): if let result = Int64(exactly: number.rounded(.towardZero)) { return .int(result) }
        case ("int", .string(let text)): if let result = Int64(text) { return .int(result) }
        case ("uint", .int(let number)): if let result = UInt64(exactly: number) { return .uint(result) }
        case ("uint", .string(let text)): if let result = UInt64(text) { return .uint(result) }
        case ("double", .int(let number)): return .double(Double(number))
        case ("double", .uint(let number)): return .double(Double(number))
        case ("double", .string(let text)): if let result = Double(text) { return .double(result) }
        case ("string", .int(let number)): return .string(String(number))
        case ("string", .uint(let number)): return .string(String(number))
        case ("string", .double(let number)): return .string("\(number)")
        case ("string", .bool(let flag)): return .string(flag ? "true" : "false")
        case ("bool", .string("true")): return .bool(true)
        case ("bool", .string("false")): return .bool(false)
        case ("isQuantity", .string(let text)): return .bool(Quantity(text) != nil)
        default: return nil
        }
        throw ExpressionError("type conversion error from '\(value.typeName)' to '\(name)'")
    }

    private static func string(_ name: String, _ text: String, _ arguments: [ExpressionValue]) throws(ExpressionError)
        -> ExpressionValue?
    {
        let scalars = Array(text.unicodeScalars)
        switch (name, arguments.first, arguments.dropFirst().first) {
        case ("startsWith", .string(let other)?, _): return .bool(text.unicodeScalars.starts(with: other.unicodeScalars))
        case ("endsWith", .string(let other)?, _):
            return .bool(text.unicodeScalars.reversed().starts(with: other.unicodeScalars.reversed()))
        case ("contains", .string(let other)?, _): return .bool(position(of: Array(other.unicodeScalars), in: scalars) != nil)
        case ("matches", .string(let pattern)?, _):
            guard let matches = PatternCache.matches(text, pattern) else {
                throw ExpressionError("invalid regular expression '\(pattern)'")
            }
            return .bool(matches)
        case ("lowerAscii", nil, _): return .string(mapped(text) { ("A"..."Z").contains($0) ? $0.value + 32 : $0.value })
        case ("upperAscii", nil, _): return .string(mapped(text) { ("a"..."z").contains($0) ? $0.value - 32 : $0.value })
        case ("trim", nil, _):
            let isSpace = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
            let kept = scalars.drop(while: isSpace).reversed().drop(while: isSpace).reversed()
            return .string(Self.text(of: Array(kept)))
        case ("split", .string(let separator)?, let limit):
            var most = -1
            if case .int(let value)? = limit { most = Int(value) }
            return .list(split(scalars, Array(separator.unicodeScalars), most).map { .string(Self.text(of: $0)) })
        case ("replace", .string(let old)?, .string(let new)?):
            return .string(split(scalars, Array(old.unicodeScalars), -1).map(Self.text).joined(separator: new))
        case ("substring", .int(let start)?, let end):
            var stop = Int64(scalars.count)
            if case .int(let value)? = end { stop = value }
            guard start >= 0, start <= stop, stop <= scalars.count else { throw ExpressionError("index out of range: \(start)") }
            return .string(Self.text(of: Array(scalars[Int(start)..<Int(stop)])))
        case ("indexOf", .string(let other)?, _): return .int(Int64(position(of: Array(other.unicodeScalars), in: scalars) ?? -1))
        case ("lastIndexOf", .string(let other)?, _):
            let needle = Array(other.unicodeScalars)
            guard needle.count <= scalars.count else { return .int(-1) }
            for start in stride(from: scalars.count - needle.count, through: 0, by: -1)
            where Array(scalars[start..<(start + needle.count)]) == needle { return .int(Int64(start)) }
            return .int(-1)
        case ("charAt", .int(let index)?, _):
            guard index >= 0, index <= scalars.count else { throw ExpressionError("index out of range: \(index)") }
            return .string(index == scalars.count ? "" : String(scalars[Int(index)]))
        case ("reverse", nil, _): return .string(Self.text(of: scalars.reversed()))
        default: return nil
        }
    }

    private static func text(of scalars: [Unicode.Scalar]) -> String {
        var text = ""
        text.unicodeScalars.append(contentsOf: scalars)
        return text
    }

    private static func mapped(_ text: String, _ change: (Unicode.Scalar) -> UInt32) -> String {
        self.text(of: text.unicodeScalars.map { Unicode.Scalar(change($0)) ?? $0 })
    }

    private static func position(of needle: [Unicode.Scalar], in text: [Unicode.Scalar]) -> Int? {
        guard needle.count <= text.count else { return nil }
        return (0...(text.count - needle.count)).first { Array(text[$0..<($0 + needle.count)]) == needle }
    }

    private static func split(_ text: [Unicode.Scalar], _ separator: [Unicode.Scalar], _ limit: Int) -> [[Unicode.Scalar]] {
        if limit == 0 { return [] }
        if separator.isEmpty { return text.map { [$0] } }
        var parts: [[Unicode.Scalar]] = []
        var rest = text
        while limit < 0 || parts.count < limit - 1, let index = position(of: separator, in: rest) {
            parts.append(Array(rest[..<index]))
            rest = Array(rest[(index + separator.count)...])
        }
        return parts + [rest]
    }

    private static func list(
        _ name: String, _ items: [ExpressionValue], _ arguments: [ExpressionValue]
    ) throws(ExpressionError) -> ExpressionValue? {
        switch name {
        case "join":
            var separator = ""
            if case .string(let text)? = arguments.first { separator = text }
            var parts: [String] = []
            for item in items {
                guard case .string(let text) = item else { return nil }
                parts.append(text)
            }
            return .string(parts.joined(separator: separator))
        case "isSorted":
            for (left, right) in zip(items, items.dropFirst()) {
                guard let order = left.order(to: right) else { return nil }
                if order > 0 { return .bool(false) }
            }
            return .bool(true)
        case "sum":
            guard var total = items.first else { return .int(0) }
            for item in items.dropFirst() { total = try ExpressionOperators.apply("+", total, item) }
            return total
        case "min", "max":
            guard var best = items.first else { throw ExpressionError("\(name) called on empty list") }
            for item in items.dropFirst() {
                guard let order = item.order(to: best) else { return nil }
                if name == "min" ? order < 0 : order > 0 { best = item }
            }
            return best
        case "indexOf":
            guard let wanted = arguments.first else { return nil }
            return .int(Int64(items.firstIndex { $0.isEqual(to: wanted) } ?? -1))
        case "lastIndexOf":
            guard let wanted = arguments.first else { return nil }
            return .int(Int64(items.lastIndex { $0.isEqual(to: wanted) } ?? -1))
        case "reverse": return .list(items.reversed())
        default: return nil
        }
    }
}

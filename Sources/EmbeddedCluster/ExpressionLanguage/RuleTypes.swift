import ResourceModel

/// Follows a rule's field accesses through the schema, so that a misspelt field is found when the definition is stored.
struct RuleTypes {
    private var variables: [String: TypeSchema]

    init(self schema: TypeSchema) { variables = ["self": schema, "oldSelf": schema] }

    /// - Returns: what is known of the expression's type; nil when nothing is.
    /// - Throws: `ExpressionError` for a field that its struct does not declare.
    @discardableResult
    mutating func type(of expression: Expression) throws(ExpressionError) -> TypeSchema? {
        switch expression {
        case .literal: return nil
        case .identifier(let name): return variables[name]
        case .select(let operand, let field): return try self.field(field, of: try type(of: operand))
        case .presence(let operand, let field):
            _ = try self.field(field, of: try type(of: operand))
            return nil
        case .index(let operand, let index):
            try type(of: index)
            let type = try type(of: operand)
            if case .map(let map)? = type?.shape { return map.element }
            return type?.items
        case .list(let items):
            for item in items { try type(of: item) }
            return nil
        case .map(let entries):
            for entry in entries {
                try type(of: entry.key)
                try type(of: entry.value)
            }
            return nil
        case .unary(_, let operand):
            try type(of: operand)
            return nil
        case .binary(_, let left, let right):
            try type(of: left)
            try type(of: right)
            return nil
        case .conditional(let condition, let first, let second):
            try type(of: condition)
            let type = try type(of: first)
            try self.type(of: second)
            return type
        case .call(let target, _, let arguments):
            if let target { try type(of: target) }
            for argument in arguments { try type(of: argument) }
            return nil
        case .comprehension(let macro, let range, let variable, let bodies):
            let range = try type(of: range)
            let outer = variables[variable]
            defer { variables[variable] = outer }
            if case .list(let list)? = range?.shape { variables[variable] = list.element } else { variables[variable] = nil }
            for body in bodies { try type(of: body) }
            return macro == .filter ? range : nil
        }
    }

    private func field(_ name: String, of type: TypeSchema?) throws(ExpressionError) -> TypeSchema? {
        guard case .map(let map)? = type?.shape else { return nil }
        if let known = map.fields[name]?.schema ?? map.element { return known }
        throw ExpressionError("undefined field '\(name)'")
    }
}

import ResourceModel

/// An expression of the Common Expression Language, as far as validation rules need it.
///
/// https://github.com/google/cel-spec/blob/master/doc/langdef.md
indirect enum Expression: Sendable, Hashable {
    case literal(ExpressionValue)
    case identifier(String)
    case select(Expression, String)
    /// `has(a.b)`
    case presence(Expression, String)
    case index(Expression, Expression)
    case list([Expression])
    case map([MapEntry])
    case unary(String, Expression)
    case binary(String, Expression, Expression)
    case conditional(Expression, Expression, Expression)
    /// A function, or a method when there is a target.
    case call(target: Expression?, name: String, arguments: [Expression])
    /// `list.all(x, predicate)` and its like; `map` may have a filter before its transformation.
    case comprehension(Macro, Expression, variable: String, [Expression])

    enum Macro: String, Sendable, Hashable { case all, exists, existsOne = "exists_one", map, filter }

    struct MapEntry: Sendable, Hashable {
        var key: Expression
        var value: Expression
    }

    /// Every variable that is mentioned and not bound by a macro.
    func freeVariables(bound: Set<String> = []) -> Set<String> {
        switch self {
        case .literal: return []
        case .identifier(let name): return bound.contains(name) ? [] : [name]
        case .select(let operand, _), .presence(let operand, _), .unary(_, let operand):
            return operand.freeVariables(bound: bound)
        case .index(let a, let b), .binary(_, let a, let b):
            return a.freeVariables(bound: bound).union(b.freeVariables(bound: bound))
        case .list(let items): return items.reduce(into: []) { $0.formUnion($1.freeVariables(bound: bound)) }
        case .map(let entries):
            return entries.reduce(into: []) {
                $0.formUnion($1.key.freeVariables(bound: bound))
                $0.formUnion($1.value.freeVariables(bound: bound))
            }
        case .conditional(let a, let b, let c):
            return [a, b, c].reduce(into: []) { $0.formUnion($1.freeVariables(bound: bound)) }
        case .call(let target, _, let arguments):
            return ([target].compactMap { $0 } + arguments).reduce(into: []) { $0.formUnion($1.freeVariables(bound: bound)) }
        case .comprehension(_, let range, let variable, let bodies):
            return bodies.reduce(into: range.freeVariables(bound: bound)) {
                $0.formUnion($1.freeVariables(bound: bound.union([variable])))
            }
        }
    }
}

/// Why an expression can't be compiled, or has no value.
struct ExpressionError: Error, Sendable, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// A value behind one reference: a copy costs one retain, however many members the value has, and the first change of a copy copies it.
/// A plan of a thousand objects is sorted, filtered and passed on many times.
struct CopyOnWrite<Value: Sendable & Hashable>: Sendable, Hashable {
    /// Written only while one `CopyOnWrite` holds it.
    private final class Box: @unchecked Sendable {
        var value: Value

        init(_ value: Value) { self.value = value }
    }

    private var box: Box

    init(_ value: Value) { box = Box(value) }

    var value: Value {
        _read { yield box.value }
        _modify {
            if !isKnownUniquelyReferenced(&box) { box = Box(box.value) }
            yield &box.value
        }
    }

    static func == (left: Self, right: Self) -> Bool { left.box === right.box || left.box.value == right.box.value }

    func hash(into hasher: inout Hasher) { hasher.combine(box.value) }
}

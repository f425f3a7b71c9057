/// A set of completion indexes, written as `0-2,4`.
struct CompletedIndexes: Sendable, Hashable {
    private var indexes: Set<Int> = []

    init(_ text: String) {
        for part in text.split(separator: ",") {
            let ends = part.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, first <= last else { continue }
            indexes.formUnion(first...last)
        }
    }

    var count: Int { indexes.count }
    func contains(_ index: Int) -> Bool { indexes.contains(index) }
    mutating func insert(_ index: Int) { indexes.insert(index) }

    var text: String {
        var ranges: [(Int, Int)] = []
        for index in indexes.sorted() {
            if let last = ranges.last, last.1 == index - 1 { ranges[ranges.count - 1].1 = index } else { ranges.append((index, index)) }
        }
        return ranges.map { $0.0 == $0.1 ? "\($0.0)" : $0.0 == $0.1 - 1 ? "\($0.0),\($0.1)" : "\($0.0)-\($0.1)" }.joined(separator: ",")
    }
}

import Glibc

extension Array where Element: Sendable {
    /// Transforms all elements on as many threads as there are processors; answers stand in the elements' order.
    ///
    /// - Parameter minimumChunk: what a task of its own is worth; fewer elements are transformed by the caller.
    package func concurrentMap<Result: Sendable>(
        minimumChunk: Int = 64, _ transform: @escaping @Sendable (Element) -> Result
    ) async -> [Result] {
        let tasks = Swift.min(Swift.max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))), count / Swift.max(1, minimumChunk))
        if tasks < 2 { return map(transform) }
        let chunk = (count + tasks - 1) / tasks
        let parts = await withTaskGroup(of: (Int, [Result]).self) { group in
            for start in stride(from: 0, to: count, by: chunk) {
                let elements = self[start..<Swift.min(start + chunk, count)]
                group.addTask { (start, elements.map(transform)) }
            }
            var parts: [(Int, [Result])] = []
            for await part in group { parts.append(part) }
            return parts.sorted { $0.0 < $1.0 }
        }
        return parts.flatMap(\.1)
    }
}

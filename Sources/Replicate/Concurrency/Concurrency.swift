extension Sequence where Element: Sendable {
    /// Runs `body` on every element, at most `limit` at a time.
    ///
    /// Returns when all have finished. The first error cancels the rest and is thrown after they have stopped.
    /// ``Drained`` cancels nothing; it only keeps further elements from starting.
    package func forEachConcurrently(
        limit: Int,
        _ body: @escaping @Sendable (Element) async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            var pending = makeIterator()
            for _ in 0..<Swift.max(1, limit) {
                guard let element = pending.next() else { break }
                group.addTask { try await body(element) }
            }
            var drained: Drained?
            while true {
                do {
                    guard try await group.next() != nil else { break }
                } catch let error as Drained {
                    drained = error
                }
                guard drained == nil, let element = pending.next() else { continue }
                group.addTask { try await body(element) }
            }
            if let drained { throw drained }
        }
    }

    /// Runs `body` on every element, at most `limit` at a time, and returns the results in order.
    package func mapConcurrently<Result: Sendable>(
        limit: Int,
        _ body: @escaping @Sendable (Element) async throws -> Result
    ) async throws -> [Result] {
        let elements = Array(self)
        return try await withThrowingTaskGroup(of: (Int, Result).self) { group in
            var results = [Result?](repeating: nil, count: elements.count)
            var next = 0
            func addOne() {
                guard next < elements.count else { return }
                let (index, element) = (next, elements[next])
                next += 1
                group.addTask { (index, try await body(element)) }
            }
            for _ in 0..<Swift.max(1, limit) { addOne() }
            while let (index, result) = try await group.next() {
                results[index] = result
                addOne()
            }
            return results.compactMap { $0 }
        }
    }
}

extension Array {
    /// The elements in chunks of at most `size`.
    func chunked(_ size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, in order of first appearance.
    package func unique() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

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
    func unique() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}

/// Runs a piece of work once per key, however many callers ask for it at the same time.
///
/// A success is remembered. A failure is given to all callers that waited, and is then forgotten, so that the next
/// caller tries again. A cancelled caller cancels the work only if no other caller waits for it.
actor SingleFlight<Key: Hashable & Sendable, Value: Sendable> {
    /// The results of the work that has succeeded.
    ///
    /// Results are kept instead of tasks, because a task that has ended keeps kilobytes of its memory.
    private var done: [Key: Value] = [:]
    private var flights: [Key: Task<Value, any Error>] = [:]
    private var aboard: [Key: Set<Int>] = [:]
    private var nextPassenger = 0

    func run(_ key: Key, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        if let value = done[key] { return value }
        // The actor owns this task, and cancels it when the last caller that waits is cancelled.
        let flight = flights[key] ?? Task<Value, any Error> { try await body() }
        flights[key] = flight
        let passenger = nextPassenger
        nextPassenger += 1
        aboard[key, default: []].insert(passenger)
        do {
            let value = try await withTaskCancellationHandler {
                try await flight.value
            } onCancel: {
                Task { await self.leave(key, passenger, cancelling: flight) }
            }
            disembark(key, passenger)
            if flights[key] == flight {
                flights[key] = nil
                done[key] = value
            }
            return value
        } catch {
            disembark(key, passenger)
            if flights[key] == flight { flights[key] = nil }
            throw error
        }
    }

    /// The number of callers that wait for `key` now.
    func waiters(_ key: Key) -> Int { aboard[key]?.count ?? 0 }

    /// Forgets the result for `key`, so that the work can run again.
    func forget(_ key: Key) { (flights[key], done[key]) = (nil, nil) }

    private func leave(_ key: Key, _ passenger: Int, cancelling flight: Task<Value, any Error>) {
        // A caller that has its result already has nothing left to cancel.
        guard aboard[key]?.contains(passenger) == true else { return }
        disembark(key, passenger)
        guard aboard[key] == nil, flights[key] == flight else { return }
        flight.cancel()
        flights[key] = nil
    }

    private func disembark(_ key: Key, _ passenger: Int) {
        aboard[key]?.remove(passenger)
        if aboard[key]?.isEmpty == true { aboard[key] = nil }
    }
}

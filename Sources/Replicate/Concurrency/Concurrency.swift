extension Sequence where Element: Sendable {
    /// Runs `body` on every element, at most `limit` at a time.
    ///
    /// Returns when all have finished. The first error cancels the rest and is thrown after they have stopped;
    /// ``Drained`` only keeps further ones from beginning.
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

    /// The same, with a result for each element, in order.
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
    /// In pieces of at most `size`.
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

/// Does a thing once per key, however many ask for it at the same time.
///
/// A success is remembered. A failure is handed to those who were waiting, and forgotten, so that somebody else
/// may try again. One who is cancelled doesn't cancel the flight unless nobody else waits for it.
actor SingleFlight<Key: Hashable & Sendable, Value: Sendable> {
    /// What came of those that have landed.
    ///
    /// Not their tasks: a task that has ended keeps the memory that its functions needed, which is kilobytes.
    private var done: [Key: Value] = [:]
    private var flights: [Key: Task<Value, any Error>] = [:]
    private var aboard: [Key: Set<Int>] = [:]
    private var nextPassenger = 0

    func run(_ key: Key, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        if let value = done[key] { return value }
        // Owned by this actor; cancelled when the last passenger is.
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

    /// How many wait for `key` now.
    func waiters(_ key: Key) -> Int { aboard[key]?.count ?? 0 }

    /// Lets what was done be done once more.
    func forget(_ key: Key) { (flights[key], done[key]) = (nil, nil) }

    private func leave(_ key: Key, _ passenger: Int, cancelling flight: Task<Value, any Error>) {
        // Who has arrived already leaves nothing behind that could be called off.
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

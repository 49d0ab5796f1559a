/// Runs a piece of work once for each key, however many tasks request it at the same time.
///
/// The first task starts the work, and the others wait for its result. An error is thrown to every task that waits, and
/// is not remembered, so the next task tries again. A cancelled task returns at once if others still wait. The last one
/// cancels the work and waits for its end, so that nothing is left running.
public actor SingleFlight<Key: Hashable & Sendable, Value: Sendable> {
    private struct Flight {
        let number: Int
        let task: Task<Void, Never>
        var waiters: [Int: CheckedContinuation<Value, any Error>] = [:]
    }

    private let remembers: Bool
    /// Results and not their tasks: a task that has ended keeps kilobytes of memory.
    private var done: [Key: Value] = [:]
    private var flights: [Key: Flight] = [:]
    /// Running calls that no new task joins, by number: the key was forgotten, or the last waiter was cancelled.
    private var superseded: [Int: Flight] = [:]
    private var lastNumber = 0

    /// - Parameter remembers: Whether later calls get an earlier result, until ``forget(_:)``.
    public init(remembers: Bool = true) { self.remembers = remembers }

    /// Runs `body`, or waits for the call of the same key that is running.
    ///
    /// - Throws: What `body` throws; `CancellationError` if the calling task is cancelled.
    public func run(_ key: Key, _ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        try Task.checkCancellation()
        if let value = done[key] { return value }
        lastNumber += 1
        let ticket = lastNumber
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { enter(key, ticket, $0, body) }
        } onCancel: {
            // This task only removes one waiter.
            Task { await self.leave(key, ticket) }
        }
    }

    /// The number of tasks that wait for `key` now.
    public func waiters(_ key: Key) -> Int { flights[key]?.waiters.count ?? 0 }

    /// Forgets a result.
    ///
    /// Tasks that wait for a call that is running still get its result, which is not remembered.
    public func forget(_ key: Key) {
        done[key] = nil
        guard let flight = flights.removeValue(forKey: key) else { return }
        superseded[flight.number] = flight
    }

    private func enter(
        _ key: Key,
        _ ticket: Int,
        _ continuation: CheckedContinuation<Value, any Error>,
        _ body: @escaping @Sendable () async throws -> Value
    ) {
        // Cancelled before it could wait: the handler has run already, and found no waiter.
        guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
        if flights[key] == nil {
            lastNumber += 1
            let number = lastNumber
            // The task ends by itself, or is cancelled with the last waiter.
            let task = Task {
                let result: Result<Value, any Error>
                do { result = .success(try await body()) } catch { result = .failure(error) }
                self.end(key, number, result)
            }
            flights[key] = Flight(number: number, task: task)
        }
        flights[key]?.waiters[ticket] = continuation
    }

    private func leave(_ key: Key, _ ticket: Int) {
        if let flight = flights[key], flight.waiters[ticket] != nil {
            guard flight.waiters.count == 1 else {
                flights[key]?.waiters.removeValue(forKey: ticket)?.resume(throwing: CancellationError())
                return
            }
            flights[key] = nil
            superseded[flight.number] = flight
            flight.task.cancel()
            return
        }
        for (number, flight) in superseded where flight.waiters[ticket] != nil {
            guard flight.waiters.count == 1 else {
                superseded[number]?.waiters.removeValue(forKey: ticket)?.resume(throwing: CancellationError())
                continue
            }
            flight.task.cancel()
        }
    }

    private func end(_ key: Key, _ number: Int, _ result: Result<Value, any Error>) {
        let waiters: [CheckedContinuation<Value, any Error>]
        if let flight = flights[key], flight.number == number {
            flights[key] = nil
            if remembers, case .success(let value) = result { done[key] = value }
            waiters = Array(flight.waiters.values)
        } else {
            waiters = superseded.removeValue(forKey: number).map { Array($0.waiters.values) } ?? []
        }
        for waiter in waiters { waiter.resume(with: result) }
    }
}

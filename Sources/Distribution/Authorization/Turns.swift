/// Runs closures with the same key one after another, in the order of their calls.
actor Turns<Key: Hashable & Sendable> {
    private var taken: Set<Key> = []
    private var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]

    /// Runs `body` while no other closure for `key` runs.
    nonisolated func inTurn<Result: Sendable>(
        _ key: Key,
        _ body: () async throws -> Result
    ) async throws -> Result {
        await take(key)
        do {
            let result = try await body()
            await give(key)
            return result
        } catch {
            await give(key)
            throw error
        }
    }

    private func take(_ key: Key) async {
        guard !taken.insert(key).inserted else { return }
        // The running closure ends when it is cancelled, so this wait needs no cancellation of its own.
        await withCheckedContinuation { waiting[key, default: []].append($0) }
    }

    private func give(_ key: Key) {
        guard var queue = waiting[key], !queue.isEmpty else {
            waiting[key] = nil
            taken.remove(key)
            return
        }
        // The turn passes to the next waiter without being free in between.
        let next = queue.removeFirst()
        waiting[key] = queue
        next.resume()
    }
}

/// Lets those who change the same thing go one after another, in the order they came.
actor Turns<Key: Hashable & Sendable> {
    private var taken: Set<Key> = []
    private var waiting: [Key: [CheckedContinuation<Void, Never>]] = [:]

    /// Runs `body` while nobody else runs one for `key`.
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
        // Whoever has the turn ends when cancelled, and so the wait for it does.
        await withCheckedContinuation { waiting[key, default: []].append($0) }
    }

    private func give(_ key: Key) {
        guard var queue = waiting[key], !queue.isEmpty else {
            waiting[key] = nil
            taken.remove(key)
            return
        }
        // It goes on to the next in line without being free in between.
        let next = queue.removeFirst()
        waiting[key] = queue
        next.resume()
    }
}

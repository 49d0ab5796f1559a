internal import Content
internal import Platform

/// Destinations as they answer: a silent one keeps nobody waiting.
extension Batch {
    private enum Step<Value: Sendable>: Sendable {
        case looked(Int, (any Error)?)
        /// Whoever hasn't answered by now is late.
        case bell
        case done(Value)
    }

    /// Asks every destination what it holds, and runs `body` for those that answer in time of the first, together, and
    /// for each later one by itself.
    ///
    /// - Parameters:
    ///   - ids: For each destination, what to ask for.
    ///   - start: What everybody needs, and which destinations turned out useless meanwhile.
    ///   - body: Given the destinations by index.
    /// - Returns: What `body` returned, and why there is nothing of the other destinations.
    /// - Throws: What `start` and `body` throw.
    func asTheyAnswer<Start: Sendable, Value: Sendable>(
        _ ids: [[ManifestID]],
        asksSource: Bool,
        start: () async throws -> (Start, failures: [Int: any Error]),
        _ body: @escaping @Sendable (Start, [Int]) async throws -> Value
    ) async throws -> (values: [Value], failures: [Int: any Error]) {
        try await withThrowingTaskGroup(of: Step<Value>.self) { group in
            for index in targets.indices {
                group.addTask { .looked(index, await look(at: ids[index], index, asksSource: asksSource)) }
            }
            var (start, failures) = try await start()
            var values: [Value] = []
            var (awaited, running) = (targets.count, 0)
            var answered: [Int]? = []
            var isBellSet = false
            func run(_ indexes: [Int]) {
                guard !indexes.isEmpty else { return }
                running += 1
                group.addTask { [start] in .done(try await body(start, indexes)) }
            }
            while awaited > 0 || running > 0, let step = try await group.next() {
                switch step {
                case .looked(let index, let error):
                    awaited -= 1
                    if let error { failures[index] = failures[index] ?? error }
                    guard failures[index] == nil else { break }
                    if answered == nil { run([index]) } else { answered?.append(index) }
                case .bell: run(answered.take()?.sorted() ?? [])
                case .done(let value):
                    running -= 1
                    values.append(value)
                }
                if awaited == 0 {
                    run(answered.take()?.sorted() ?? [])
                } else if !isBellSet, answered?.isEmpty == false {
                    isBellSet = true
                    group.addTask { [clock = replicator.mover.gatherings.clock] in
                        try? await clock.sleep(for: Gatherings.waitForOthers)
                        return .bell
                    }
                }
            }
            group.cancelAll()
            return (values, failures)
        }
    }

    /// Asks one destination for its tags; a missing repository is no failure where it may be created.
    private func look(at ids: [ManifestID], _ index: Int, asksSource: Bool) async -> (any Error)? {
        do {
            let session = try targets[index].session.get()
            // A destination that is the source's own repository was asked together with it.
            guard !session.isSource || asksSource, !ids.isEmpty else { return nil }
            do {
                let reading = try await replicator.drain.abandoning {
                    try await session.repository.read(manifests: [], digests: ids)
                }
                try await session.learn(reading)
            } catch let error as CopyError where error.reason == .repositoryMissing {
                try await replicator.drain.abandoning {
                    try await session.beginEmpty(after: error, creating: options.createRepository)
                }
            }
            return nil
        } catch {
            return error
        }
    }
}

internal import Content
internal import Platform

/// What to ask a destination before planning an image for it.
enum Question: Sendable {
    /// Which of these ids it holds.
    case ids([ManifestID])
    /// All of its tags, because many of them are needed.
    case everyTag([ManifestID])
    /// Nothing, because the image can't be copied there.
    case none(any Error)
}

/// One or more destinations that have answered.
enum DestinationAnswer: Sendable {
    /// These destinations are copied to together.
    case ready([Int])
    case failed(Int, any Error)
}

extension RepositoryCopy {
    /// Asks every destination what it holds; a slow one doesn't delay the others.
    ///
    /// - Parameters:
    ///   - questions: One for each destination.
    ///   - body: Given the destinations as they answer: those that do within ``BlobMover/waitForOthers`` of the first
    ///     together, each later one alone. Questions that are open when it returns are called off.
    func withAnswers<Result>(
        to questions: [Question],
        _ body: (AsyncStream<DestinationAnswer>) async throws -> Result
    ) async throws -> Result {
        let (answers, answered) = AsyncStream<DestinationAnswer>.makeStream()
        let asking = Task {
            await ask(questions) { answered.yield($0) }
            answered.finish()
        }
        defer { asking.cancel() }
        return try await body(answers)
    }

    private func ask(_ questions: [Question], _ yield: @escaping @Sendable (DestinationAnswer) -> Void) async {
        await withTaskGroup(of: (index: Int, error: (any Error)?)?.self) { group in
            for (index, question) in questions.enumerated() {
                group.addTask { (index, await ask(question, at: index)) }
            }
            // The destinations that are copied to together; `nil` once the wait for them is over.
            var together: [Int]? = []
            var awaited = questions.count
            var isTimed = false
            func start() {
                if let ready = together.take(), !ready.isEmpty { yield(.ready(ready.sorted())) }
            }
            while awaited > 0, let answer = await group.next() {
                guard let answer else {
                    start()
                    continue
                }
                awaited -= 1
                if let error = answer.error {
                    yield(.failed(answer.index, error))
                } else if together == nil {
                    yield(.ready([answer.index]))
                } else {
                    together?.append(answer.index)
                }
                guard awaited > 0, !isTimed, together?.isEmpty == false else { continue }
                isTimed = true
                group.addTask { [clock = run.mover.clock] in
                    try? await clock.sleep(for: BlobMover.waitForOthers)
                    return nil
                }
            }
            group.cancelAll()
            start()
        }
    }

    /// Asks one destination; a missing repository is not a failure if it may be created.
    private func ask(_ question: Question, at index: Int) async -> (any Error)? {
        do {
            if case .none(let error) = question { throw error }
            let state = try destinations[index].state.get()
            do {
                try await run.drain.abandoning {
                    switch question {
                    case .ids(let ids): try await state.read(ids)
                    case .everyTag(let ids): try await state.readEveryTag(ids)
                    case .none: break
                    }
                }
            } catch let error as CopyError where error.reason == .repositoryMissing {
                try await run.drain.abandoning {
                    try await state.beginEmpty(after: error, creating: options.createRepository)
                }
            }
            return nil
        } catch {
            return error
        }
    }
}

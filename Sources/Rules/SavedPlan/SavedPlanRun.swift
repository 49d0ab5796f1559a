internal import Content
internal import Platform
package import Replicate

/// One execution of a saved plan: does what the plan says, and nothing else.
///
/// Repositories are worked on concurrently and reported in the plan's order. What is held in memory is what is being
/// worked on, and what waits for an earlier repository.
package struct SavedPlanRun: Sendable {
    let plan: SavedPlan
    let run: CopyRun
    /// Called with each line about a deletion, before it happens.
    let announce: @Sendable (String) -> Void

    /// - Parameter announce: Called with each line about a deletion, before it happens; on any thread.
    package init(
        _ plan: SavedPlan,
        in run: CopyRun,
        announce: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        (self.plan, self.run, self.announce) = (plan, run, announce)
    }

    /// Carries the plan out.
    ///
    /// After a drain has begun, no further repository is read from the plan.
    ///
    /// - Parameter report: Called for each repository of the plan. An error that it throws ends the run.
    /// - Throws: `CancellationError`, ``RuleFileError`` if the file was changed in place meanwhile, and what `report`
    ///   throws.
    package func outcomes(_ report: (RepositoryOutcome) async throws -> Void) async throws {
        do {
            try await carryOut(report)
        } catch {
            throw SavedPlan.explained(error, plan.name)
        }
    }

    private func carryOut(_ report: (RepositoryOutcome) async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Finished.self) { group in
            var repositories = plan.repositories
            var (begun, reported, running) = (0, 0, 0)
            var isRead = false
            var finished: [Int: RepositoryOutcome] = [:]
            var waiting = WaitingDeletions(plan.writersOfPruned)
            while true {
                while !isRead, running < RuleRun.parallelUnits, finished.count < RuleRun.mostWaiting || running == 0 {
                    guard !run.drain.isDraining, let repository = try repositories.next() else {
                        isRead = true
                        break
                    }
                    let place = begun
                    (begun, running) = (begun + 1, running + 1)
                    group.addTask {
                        let work = SavedRepositoryRun(repository, in: run, announce: announce)
                        return Finished(place: place, work: work, outcome: try await work.outcome())
                    }
                }
                guard let done = try await group.next() else { break }
                running -= 1
                if done.isDeleted || !waiting.concerns(done) {
                    finished[done.place] = done.outcome
                } else {
                    waiting.add(done)
                    if !done.work.deletesAnything { finished[done.place] = done.outcome }
                    let (ready, mayDelete) = waiting.ready(after: done)
                    for copied in ready {
                        guard mayDelete else {
                            finished[copied.place] = copied.work.spared(
                                after: copied.outcome,
                                isStopped: run.drain.isDraining
                            )
                            continue
                        }
                        running += 1
                        group.addTask { try await copied.deleting() }
                    }
                }
                while let outcome = finished.removeValue(forKey: reported) {
                    try await report(outcome)
                    reported += 1
                }
            }
            // After a stop, what else is copied there was not begun.
            for copied in waiting.rest {
                finished[copied.place] = copied.work.spared(after: copied.outcome, isStopped: true)
            }
            for (_, outcome) in finished.sorted(by: { $0.key < $1.key }) { try await report(outcome) }
        }
    }
}

/// A repository of a plan whose images were copied and, if ``isDeleted``, whose deletions were carried out too.
private struct Finished: Sendable {
    var place: Int
    var work: SavedRepositoryRun
    var outcome: RepositoryOutcome
    var isDeleted = false

    func deleting() async throws -> Finished {
        Finished(place: place, work: work, outcome: try await work.deleted(after: outcome), isDeleted: true)
    }
}

/// The deletions of a plan that wait until everything was copied to their repository.
private struct WaitingDeletions {
    /// How many entries of the plan still copy to each repository.
    private var writers: [ImageReference: Int]
    private var copied: [ImageReference: [Finished]] = [:]
    /// The repositories to which not everything was copied.
    private var incomplete: Set<ImageReference> = []

    init(_ writers: [ImageReference: Int]) { self.writers = writers }

    /// Whether the plan deletes something in the repository.
    func concerns(_ finished: Finished) -> Bool { destination(finished) != nil }

    private func destination(_ finished: Finished) -> ImageReference? {
        finished.work.planned.destination.flatMap { writers[$0] == nil ? nil : $0 }
    }

    /// Notes that a repository's images were copied, or not.
    mutating func add(_ finished: Finished) {
        guard let destination = destination(finished) else { return }
        writers[destination, default: 0] -= 1
        if !finished.outcome.isCopied { incomplete.insert(destination) }
        if finished.work.deletesAnything { copied[destination, default: []].append(finished) }
    }

    /// The entries whose deletions may begin now that `last` is copied, and whether everything was copied.
    mutating func ready(after last: Finished) -> ([Finished], mayDelete: Bool) {
        guard let destination = destination(last), writers[destination] == 0 else { return ([], false) }
        return (copied.removeValue(forKey: destination) ?? [], !incomplete.contains(destination))
    }

    /// The entries whose deletions can't begin any more.
    var rest: [Finished] { copied.values.flatMap(\.self) }
}

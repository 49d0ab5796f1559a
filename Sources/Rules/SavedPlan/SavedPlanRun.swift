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

    package init(_ plan: SavedPlan, in run: CopyRun) { (self.plan, self.run) = (plan, run) }

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
        try await withThrowingTaskGroup(of: (Int, RepositoryOutcome).self) { group in
            var repositories = plan.repositories
            var (begun, reported, running) = (0, 0, 0)
            var isRead = false
            var finished: [Int: RepositoryOutcome] = [:]
            while true {
                while !isRead, running < RuleRun.parallelUnits, finished.count < RuleRun.mostWaiting || running == 0 {
                    guard !run.drain.isDraining, let repository = try repositories.next() else {
                        isRead = true
                        break
                    }
                    let place = begun
                    (begun, running) = (begun + 1, running + 1)
                    group.addTask { (place, try await SavedRepositoryRun(repository, in: run).outcome()) }
                }
                guard let (place, outcome) = try await group.next() else { break }
                running -= 1
                finished[place] = outcome
                while let outcome = finished.removeValue(forKey: reported) {
                    try await report(outcome)
                    reported += 1
                }
            }
        }
    }
}

internal import Content
package import FoundationEssentials
internal import Platform
package import Replicate

/// One run of rules over whole registries: lists both sides, compares, and plans or copies what differs.
///
/// Repositories are worked on concurrently and reported in the order of rules and repositories. What is held in memory
/// is what is being worked on, and what waits for an earlier repository.
package struct RuleRun: Sendable {
    /// How far a run goes.
    package enum Mode: Sendable, Equatable {
        /// Compares the listings only.
        case compare
        /// Reads what differs, and decides about each image.
        case plan
        /// Copies what differs.
        case carryOut
        /// Asks both sides about every manifest and blob.
        case verify(VerifyOptions)

        /// Whether images without a tag are listed whatever a rule selects.
        var listsEveryImage: Bool { if case .verify = self { true } else { false } }
    }

    let replicator: Replicator
    let run: CopyRun
    let rules: [Rule]
    let mode: Mode
    let now: Date
    /// Rules of the same file that are not carried out, so that what they select is not pruned.
    let beside: [Rule]
    /// The gates of the rules.
    let admissions: RuleAdmissions
    /// Makes further referrers of the images of a rule, such as records; `nil` makes none.
    let additions: @Sendable (Rule) -> (any ReferrerMaking)?
    /// Called with each line about a deletion, before it happens.
    let announce: @Sendable (String) -> Void

    /// The most groups of repositories that are worked on at once.
    static let parallelUnits = 8
    /// The most groups that may be finished and wait for an earlier one.
    static let mostWaiting = 32

    /// - Parameters:
    ///   - now: The time that ages are measured from.
    ///   - beside: The other rules of the file. What they may have copied is not pruned.
    ///   - admissions: The gates of the rules; a rule whose gates are not among them copies nothing.
    ///   - additions: Makes further referrers of the images that a rule copies, such as records.
    ///   - announce: Called with each line about a deletion, before it happens; on any thread.
    package init(
        _ rules: [Rule],
        _ mode: Mode,
        by replicator: Replicator,
        in run: CopyRun,
        now: Date,
        beside: [Rule] = [],
        admissions: RuleAdmissions = .none,
        additions: @escaping @Sendable (Rule) -> (any ReferrerMaking)? = { _ in nil },
        announce: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        (self.rules, self.mode, self.replicator, self.run, self.now) = (rules, mode, replicator, run, now)
        (self.beside, self.admissions, self.announce) = (beside, admissions, announce)
        self.additions = additions
    }

    /// Carries the rules out.
    ///
    /// - Parameter report: Called for each rule, source repository and destination repository: in the order of rules,
    ///   then of repositories, then of destinations. An error that it throws ends the run.
    ///   After the run was stopped, what has begun is finished and reported, and nothing else is.
    /// - Throws: ``Drained`` if the run was stopped before it began, `CancellationError`, and what `report` throws.
    package func outcomes(_ report: (RepositoryOutcome) async throws -> Void) async throws {
        var (jobs, failures) = try await jobs()
        let loops = JobLoops.find(in: jobs.map(\.job))
        for (index, reason) in loops {
            jobs[index].loop = OutcomeProblem(
                reason: "loop",
                reason,
                remedy: "exclude the repository under from:, or write to another registry or name"
            )
        }
        var ledger = BlobLedger()
        var unreported = failures[...]
        /// Reports a rule without repositories in its place among the others.
        func reportInOrder(_ outcomes: [RepositoryOutcome]) async throws {
            for var outcome in outcomes {
                while let failure = unreported.first, failure.ruleIndex <= outcome.ruleIndex {
                    unreported.removeFirst()
                    try await report(failure)
                }
                ledger.count(&outcome)
                try await report(outcome)
            }
        }
        let known = jobs
        // A rule without repositories has failed if its source could not be listed.
        let failed = Set(failures.filter { !$0.problems.isEmpty }.map(\.ruleIndex))
        let idle = Set(failures.map(\.ruleIndex)).subtracting(failed)
        let pruneGuard = PruneGuard(
            known.map(\.job),
            beside: beside,
            failed: failed.sorted().map { rules[$0] },
            idle: idle.sorted().map { rules[$0] }
        )
        let units = JobUnit.groups(of: known.map(\.job))
        try await withThrowingTaskGroup(of: [(Int, [RepositoryOutcome])].self) { group in
            var unstarted = units[...]
            var running = 0
            var finished: [Int: [RepositoryOutcome]] = [:]
            var next = 0
            while true {
                // What has started is finished, and nothing else begins.
                if run.drain.isDraining { unstarted = [] }
                while running < Self.parallelUnits, finished.count < Self.mostWaiting || running == 0,
                    let unit = unstarted.popFirst()
                {
                    running += 1
                    group.addTask {
                        let members = unit.jobs.map { known[$0] }
                        let work = UnitRun(self, members, at: unit.jobs, pruneGuard)
                        return Array(zip(unit.jobs, try await work.outcomes()))
                    }
                }
                guard let done = try await group.next() else { break }
                running -= 1
                for (index, outcomes) in done { finished[index] = outcomes }
                while let outcomes = finished.removeValue(forKey: next) {
                    try await reportInOrder(outcomes)
                    next += 1
                }
            }
            // After a stop, those before may not have begun.
            for (_, outcomes) in finished.sorted(by: { $0.key < $1.key }) { try await reportInOrder(outcomes) }
        }
        for failure in unreported { try await report(failure) }
    }

    /// A job, with its place in the file.
    struct PlacedJob: Sendable {
        var job: RuleJob
        var ruleIndex: Int
        /// Why it must not run.
        var loop: OutcomeProblem?
    }

    /// The source repositories of all rules, and a failure for each rule whose registry can't be listed.
    private func jobs() async throws -> ([PlacedJob], [RepositoryOutcome]) {
        var listings: [RuleRegistry: Result<[RepositoryName], OutcomeProblem>] = [:]
        var jobs: [PlacedJob] = []
        var failures: [RepositoryOutcome] = []
        for (index, rule) in rules.enumerated() {
            let registry = rule.source.registry
            if rule.source.fixedRepositories == nil, listings[registry] == nil {
                listings[registry] = try await list(registry)
            }
            var names: [RepositoryName] = []
            if let fixed = rule.source.fixedRepositories {
                names = fixed
            } else {
                switch listings[registry] {
                case .success(let all): names = all.filter { rule.source.pattern(selecting: $0) != nil }
                case .failure(let problem): failures.append(failure(problem, of: rule, index))
                case nil: break
                }
            }
            for name in names.sorted(by: { $0.value < $1.value }) {
                guard let pattern = rule.source.pattern(selecting: name) else { continue }
                jobs.append(PlacedJob(job: RuleJob(rule, name, selectedBy: pattern), ruleIndex: index))
            }
            if names.isEmpty, case .success = listings[registry] ?? .success([]) {
                var outcome = failure(nil, of: rule, index)
                outcome.notes = ["the source has no repository that the rule selects"]
                failures.append(outcome)
            }
        }
        return (jobs, failures)
    }

    private func list(_ registry: RuleRegistry) async throws -> Result<[RepositoryName], OutcomeProblem> {
        do {
            if case .layout(let directory) = registry.place {
                return .success(try LayoutDirectory.repositories(in: directory))
            }
            let location = registry.reference(to: .unnamed).registry
            let listed = try await run.drain.abandoning { [replicator] in
                try await replicator.repositories(of: location, registry.options)
            }
            return .success(listed.compactMap { $0.reference?.repository })
        } catch let error as CopyError {
            var problem = OutcomeProblem(error)
            if error.isAboutListOfRepositories { problem.remedy = Self.adviceWithoutList }
            return .failure(problem)
        } catch let problem as OutcomeProblem {
            return .failure(problem)
        }
    }

    private static let adviceWithoutList =
        "name each repository under from.repository, without * and re:; many registries list their repositories to "
        + "administrators only, or not at all"

    private func failure(_ problem: OutcomeProblem?, of rule: Rule, _ index: Int) -> RepositoryOutcome {
        let none = rule.source.registry.reference(to: .unnamed)
        var outcome = RepositoryOutcome(rule: rule.name, ruleIndex: index, source: none)
        outcome.problems = [problem].compactMap { $0 }
        return outcome
    }
}

extension CopyError {
    /// Whether the registry has no list of its repositories, or denies it.
    fileprivate var isAboutListOfRepositories: Bool {
        circumstance == .deniedListOfRepositories || reason == .unsupported(.listOfRepositories)
    }
}

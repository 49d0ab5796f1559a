package import Content
internal import Replicate

/// What one rule does with one source repository at one destination repository.
package struct RepositoryOutcome: Sendable {
    package var rule: String
    /// The places of the rule and of the destination in the rule, for the order of a report.
    package var ruleIndex: Int
    package var destinationIndex: Int
    package var source: ImageReference
    /// `nil` if it is not known, because the source could not be read or selects nothing.
    package var destination: ImageReference?
    /// Whether the repository is created, and the prefix of the creation template that does it, if one does.
    package var creates = false
    package var template: String?
    /// Which tags the rule selects; `nil` if the source could not be listed.
    package var selection: TagSelection?
    package var images: [ImageOutcome] = []
    /// Why nothing could be planned for the repository as a whole.
    package var problems: [OutcomeProblem] = []
    package var notes: [String] = []
    /// Whether a signal stopped the run before both sides were read.
    package var isStopped = false
    /// Whether both sides were read to the end, so that nothing is missing from ``images``.
    package var isWhole: Bool { !isStopped && problems.allSatisfy(\.isAboutPruning) }

    init(rule: String, ruleIndex: Int, destinationIndex: Int = 0, source: ImageReference) {
        self.rule = rule
        (self.ruleIndex, self.destinationIndex) = (ruleIndex, destinationIndex)
        self.source = source
    }

    /// Whether fewer tags are selected than the rule's `minTags`.
    package var hasTooFewTags: Bool { selection?.wanted != nil }

    /// Whether anything would be done, or is refused.
    package var hasDifferences: Bool {
        creates || images.contains { $0.action.isDifference } || problems.contains { $0.kind == .refused }
    }

    /// Whether every selected image was copied, or was there already, so that what is left over may be pruned.
    package var allowsPruning: Bool {
        guard let selection, selection.wanted == nil, !images.isEmpty else { return false }
        return isCopied
    }

    /// Whether nothing that was to be copied has failed, was refused or stopped.
    var isCopied: Bool {
        isWhole
            && images.allSatisfy { image in
                switch image.state {
                case .planned, .done: image.action != .refuse
                case .refused, .failed, .stopped: false
                }
            }
    }
}

/// Counts over many repositories.
package struct OutcomeTotals: Sendable, Equatable {
    /// Tags by action; an image without a tag counts as one.
    package var tags: [PlannedAction: Int] = [:]
    package var repositories = 0
    package var repositoriesToCreate = 0
    package var work = ImageOutcome.Work()
    package var failed = 0
    package var refused = 0
    package var stopped = 0
    package var leftOut = 0
    /// What `verify` found, without what it has repaired.
    package var differences = 0
    package var repaired = 0
    /// The images with ``differences``.
    package var differing = 0
    /// Whether anything would be done, or is refused.
    package var hasDifferences = false
    /// Whether deletions were refused, while the copies were made.
    package var refusesDeletions = false
    /// The kinds of all failures, for the exit status.
    package var kinds: Set<OutcomeProblem.Kind> = []
    /// Whether anything was done, was there already, or is planned without trouble.
    package var hasSuccess = false

    package init() {}

    package mutating func add(_ outcome: RepositoryOutcome) {
        repositories += 1
        if outcome.creates { repositoriesToCreate += 1 }
        if outcome.hasDifferences { hasDifferences = true }
        for problem in outcome.problems { add(problem) }
        if outcome.isStopped { stopped += 1 }
        if outcome.hasTooFewTags { add(OutcomeProblem.tooFewTags(at: outcome.source)) }
        for image in outcome.images {
            let actions = image.tags.isEmpty ? [image.action] : image.tags.map(\.action)
            let remaining = image.differences.count { !$0.isRepaired }
            for action in actions where image.isDecided {
                // A tag may be right although content of its image is missing.
                tags[action == .keep && remaining > 0 ? image.action : action, default: 0] += 1
            }
            work = work + image.work
            leftOut += image.leftOut.count
            differences += remaining
            repaired += image.differences.count - remaining
            if remaining > 0 { differing += 1 }
            switch image.state {
            case .planned, .done: hasSuccess = true
            case .refused(let problems): problems.prefix(1).forEach { add($0) }
            case .failed(let problem): add(problem)
            case .stopped: stopped += 1
            }
        }
    }

    private mutating func add(_ problem: OutcomeProblem) {
        if problem.isAboutPruning { refusesDeletions = true } else { kinds.insert(problem.kind) }
        if problem.kind == .refused { refused += 1 } else { failed += 1 }
    }

    /// The exit status of a run that carries out.
    ///
    /// One kind of failure gives its status; several kinds, or failures beside successes, give 1. Deletions that are
    /// refused give 3 although the copies were made.
    ///
    /// - Source: docs/cli.md, "Exit status"
    package var exitStatus: Int32 {
        guard let only = kinds.first else { return stopped > 0 ? 1 : refusesDeletions ? 3 : 0 }
        guard kinds.count == 1, !hasSuccess, stopped == 0 else { return 1 }
        switch only {
        case .failed: return 1
        case .refused: return 3
        case .notPermitted: return 4
        }
    }

    /// The exit status of a plan: an error beats a difference, and a refusal is a difference.
    package var planExitStatus: Int32 {
        let errors = kinds.subtracting([.refused])
        if errors == [.notPermitted], !hasSuccess { return 4 }
        if !errors.isEmpty { return 1 }
        return hasDifferences ? 2 : 0
    }

    /// The exit status of a dry run: that of its errors; differences and refusals are what it was asked to show.
    package var dryRunExitStatus: Int32 { planExitStatus == 2 ? 0 : planExitStatus }
}

extension OutcomeProblem {
    /// The failure of a repository of which a rule selects fewer tags than `minTags`.
    package static func tooFewTags(at source: ImageReference) -> OutcomeProblem {
        OutcomeProblem(
            reason: "tooFewTags",
            "\(source) has fewer tags that are selected than minTags, so nothing of it is written or pruned",
            remedy: "look at the source's tags with ls, or lower minTags",
            kind: .failed
        )
    }
}

extension ImageOutcome {
    /// Whether it is known what is done with the tags; not so after a failure.
    fileprivate var isDecided: Bool {
        switch state {
        case .planned, .done, .refused: true
        case .failed, .stopped: false
        }
    }
}

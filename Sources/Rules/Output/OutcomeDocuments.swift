internal import AWSIdentity
package import Content
internal import FoundationEssentials
internal import Replicate

/// The JSON of one repository of `plan`, `sync` or `verify`, a member of `repositories`.
///
/// Its schema is `config/plan.schema.json`. Members may be added but are never renamed within a major `formatVersion`.
package struct OutcomeEntry: Encodable, Sendable {
    package var rule: String
    package var source: String
    package var destination: String?
    package var createsRepository: Bool
    package var creationTemplate: String?
    package var stages: [RuleExplanationDocument.Stage]?
    package var images: [ImageEntry]
    package var problems: [ProblemEntry]
    package var notes: [String]

    package init(_ outcome: RepositoryOutcome) {
        rule = outcome.rule
        source = "\(outcome.source)"
        destination = outcome.destination.map { "\($0)" }
        createsRepository = outcome.creates
        creationTemplate = outcome.template
        stages = outcome.selection?.stages.map(RuleExplanationDocument.Stage.init)
        images = outcome.images.map(ImageEntry.init)
        problems = outcome.problems.map(ProblemEntry.init)
        if outcome.hasTooFewTags { problems.append(ProblemEntry(.tooFewTags(at: outcome.source))) }
        notes = outcome.notes
    }

    package struct ImageEntry: Encodable, Sendable {
        package var action: PlannedAction
        package var status: String
        package var source: String
        package var digest: Digest?
        package var mediaType: MediaType?
        package var tags: [TagEntry]
        package var bytes: Int64
        package var bytesThere: Int64
        package var bytesMountable: Int64
        package var manifests: Int
        package var referrers: Int
        package var requests: Int
        package var seconds: Double?
        package var error: ProblemEntry?
        package var refusals: [ProblemEntry]?
        package var referrersLeftOut: [ProblemEntry]?
        package var notes: [String]?
        /// Whether a deletion takes the image, or only some of its tags; absent for others.
        package var deletesImage: Bool?
        /// The command that undoes a deletion; absent for others, and if nothing holds the image any more.
        package var restore: String?
        /// Only of `verify`.
        package var differences: [DifferenceEntry]?

        init(_ image: ImageOutcome) {
            differences = image.differences.isEmpty ? nil : image.differences.map(DifferenceEntry.init)
            action = image.action
            source = "\(image.source)"
            (digest, mediaType) = (image.digest, image.mediaType)
            tags = image.tags.map {
                let after = $0.action == .delete ? nil : image.digest
                return TagEntry(tag: $0.tag, action: $0.action, before: $0.before, after: after, reason: $0.reason)
            }
            restore = image.restore
            deletesImage = image.action == .delete ? image.deletesImage : nil
            (bytes, bytesThere) = (image.work.bytes, image.work.bytesThere)
            bytesMountable = image.work.bytesMountable
            (manifests, referrers, requests) = (image.work.manifests, image.work.referrers, image.work.requests)
            seconds = image.seconds
            notes = image.notes.isEmpty ? nil : image.notes
            referrersLeftOut = image.leftOut.isEmpty ? nil : image.leftOut.map(ProblemEntry.init)
            switch image.state {
            case .planned: status = "planned"
            case .done: status = "done"
            case .stopped: status = "stopped"
            case .failed(let problem): (status, error) = ("failed", ProblemEntry(problem))
            case .refused(let problems):
                status = "refused"
                error = problems.first.map(ProblemEntry.init)
                refusals = problems.map(ProblemEntry.init)
            }
        }
    }

    package struct TagEntry: Encodable, Sendable {
        package var tag: Tag
        package var action: PlannedAction
        package var before: Digest?
        package var after: Digest?
        package var reason: String?
    }

    package struct ProblemEntry: Encodable, Sendable {
        package var reason: String
        package var kind: OutcomeProblem.Kind
        package var cause: String
        package var remedy: String?
        package var requestId: String?

        package init(_ problem: OutcomeProblem) {
            (reason, kind, cause) = (problem.reason, problem.kind, problem.text)
            (remedy, requestId) = (problem.remedy, problem.requestID)
        }
    }
}

/// The members of the document of `plan` and `sync` that stand beside `repositories`.
package struct OutcomeSummary: Encodable, Sendable {
    package var command: String
    package var formatVersion = "1.0"
    package var exitCode: Int
    package var rules: String?
    package var summary: Counts
    package var requests: Int
    package var seconds: Double

    package struct Counts: Encodable, Sendable {
        package var repositories: Int
        package var repositoriesToCreate: Int
        package var add: Int
        package var move: Int
        package var keep: Int
        package var skip: Int
        package var refuse: Int
        package var delete: Int
        package var failed: Int
        package var stopped: Int
        package var bytes: Int64
        package var bytesThere: Int64
        package var bytesMountable: Int64
        package var plannedRequests: Int
        package var estimatedSeconds: Double?
        package var estimatedDollars: Double?
        /// Only of `verify`.
        package var differences: Int?
        package var repaired: Int?
    }

    package init(
        command: String,
        exitCode: Int,
        rules: String?,
        _ totals: OutcomeTotals,
        _ estimate: TransferEstimate?,
        requests: Int,
        seconds: Double
    ) {
        (self.command, self.exitCode, self.rules) = (command, exitCode, rules)
        (self.requests, self.seconds) = (requests, seconds)
        summary = Counts(
            repositories: totals.repositories,
            repositoriesToCreate: totals.repositoriesToCreate,
            add: totals.tags[.add] ?? 0,
            move: totals.tags[.move] ?? 0,
            keep: totals.tags[.keep] ?? 0,
            skip: totals.tags[.skip] ?? 0,
            refuse: totals.refused,
            delete: totals.tags[.delete] ?? 0,
            failed: totals.failed,
            stopped: totals.stopped,
            bytes: totals.work.bytes,
            bytesThere: totals.work.bytesThere,
            bytesMountable: totals.work.bytesMountable,
            plannedRequests: totals.work.requests,
            estimatedSeconds: estimate?.seconds,
            estimatedDollars: estimate?.dollars,
            differences: command == "verify" ? totals.differences : nil,
            repaired: command == "verify" ? totals.repaired : nil
        )
    }
}

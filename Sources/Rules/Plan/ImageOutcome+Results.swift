package import Content
package import Replicate

/// Turns results of the engine into outcomes.
extension ImageOutcome {
    init(_ plan: Plan) {
        var tags = plan.tags.filter { !$0.isReferrer }.map(TagOutcome.init)
        let refusals = plan.refusals.map(OutcomeProblem.init)
        // Gates are about the image, so that none of its tags is set.
        if let denied = plan.imageRefusals.first(where: { $0.reason.name == "gateDenied" }) {
            for index in tags.indices { (tags[index].action, tags[index].reason) = (.refuse, denied.cause) }
        }
        self.init(
            source: plan.source.tagged(plan.source.tag, digest: plan.root.digest),
            digest: plan.root.digest,
            mediaType: plan.root.mediaType,
            tags: tags,
            state: refusals.isEmpty ? .planned : .refused(refusals)
        )
        if !refusals.isEmpty {
            action = .refuse
        } else {
            work = Work(plan)
            uncounted = plan.blobs.map { BlobLedger.Blob(digest: $0.digest, size: $0.size) }
            // A signature that is missing is something to do, although the tag stays.
            if action == .keep, !plan.isDone { action = .add }
        }
        leftOut = plan.referrerFailures.map { OutcomeProblem($0.error) }
        notes = plan.notes
        if plan.source.digest != digest { sourceDigest = plan.source.digest }
    }

    init(_ receipt: CopyReceipt) {
        let tags = receipt.tags.map(TagOutcome.init)
        self.init(
            source: receipt.source.tagged(receipt.source.tag, digest: receipt.digest),
            digest: receipt.digest,
            mediaType: receipt.mediaType,
            tags: tags,
            state: .done
        )
        if action == .keep, receipt.changedAnything { action = .add }
        work.bytes = receipt.bytesMoved
        work.blobs = receipt.blobsMoved + receipt.blobsMounted
        work.manifests = receipt.manifestsPut
        work.referrers = receipt.referrers
        leftOut = receipt.referrerFailures.map { OutcomeProblem($0.error) }
        notes = receipt.notes
    }

    /// - Parameters:
    ///   - image: What was to be copied.
    ///   - source: The image's repository.
    init(_ problem: OutcomeProblem, _ image: ImageToCopy, at index: Int, from source: ImageReference) {
        let isRefused = problem.kind == .refused
        let action: PlannedAction = isRefused ? .refuse : .keep
        self.init(
            source: source.tagged(image.image.tags.first, digest: image.image.digest),
            digest: image.image.digest,
            mediaType: image.image.mediaType,
            tags: (image.tags[index] ?? []).map { TagOutcome($0, action, reason: problem.text) },
            action: action,
            state: isRefused ? .refused([problem]) : .failed(problem)
        )
    }
}

extension ImageOutcome.TagOutcome {
    fileprivate init(_ planned: Plan.PlannedTag) {
        switch planned.action {
        case .set: self.init(planned.tag, .add)
        case .move(let held): self.init(planned.tag, .move, before: held)
        case .keep: self.init(planned.tag, .keep, before: planned.digest)
        case .skip(let held): self.init(planned.tag, .skip, before: held, reason: "ifExists is skip")
        case .refuse(let error): self.init(planned.tag, .refuse, before: error.heldDigest, reason: error.cause)
        }
    }

    fileprivate init(_ result: CopyReceipt.TagResult) {
        let action: PlannedAction =
            switch result.outcome {
            case .set: .add
            case .moved: .move
            case .unchanged: .keep
            case .skipped: .skip
            }
        let reason = action == .skip ? "ifExists is skip" : nil
        self.init(result.tag, action, before: result.previous, reason: reason)
    }
}

extension CopyError {
    /// The digest that the tag holds instead, if the error is about one.
    fileprivate var heldDigest: Digest? {
        switch reason {
        case .tagImmutable(_, let holds, _), .tagMoved(_, _, let holds): holds
        case .tagHolds(_, let holds, _): holds
        default: nil
        }
    }
}

extension RepositoryOutcome {
    /// The outcomes of a dry run of one copy, by destination repository.
    package static func outcomes(of results: [CopyResult], from source: ImageReference) -> [RepositoryOutcome] {
        var outcomes: [RepositoryOutcome] = []
        var places: [ImageReference: Int] = [:]
        func place(_ destination: ImageReference) -> Int {
            if let known = places[destination.bare] { return known }
            var outcome = RepositoryOutcome(
                rule: "copy",
                ruleIndex: 0,
                destinationIndex: outcomes.count,
                source: source
            )
            outcome.destination = destination.bare
            outcomes.append(outcome)
            places[destination.bare] = outcomes.count - 1
            return outcomes.count - 1
        }
        for result in results {
            switch result {
            case .planned(let plan):
                let index = place(plan.destination)
                outcomes[index].creates = outcomes[index].creates || plan.createsRepository
                outcomes[index].template = plan.creationTemplate
                outcomes[index].images.append(ImageOutcome(plan))
            case .done(let receipt): outcomes[place(receipt.destination)].images.append(ImageOutcome(receipt))
            case .failed(let source, let destination, let error):
                let problem = OutcomeProblem(error)
                outcomes[place(destination)].images.append(
                    ImageOutcome(
                        source: source,
                        digest: source.digest,
                        tags: [],
                        action: problem.kind == .refused ? .refuse : .keep,
                        state: problem.kind == .refused ? .refused([problem]) : .failed(problem)
                    )
                )
            case .cancelled(let source, let destination, _):
                outcomes[place(destination)].images.append(
                    ImageOutcome(source: source, digest: source.digest, tags: [], state: .stopped)
                )
            }
        }
        var ledger = BlobLedger()
        for index in outcomes.indices { ledger.count(&outcomes[index]) }
        return outcomes
    }
}

package import Content
package import Replicate

/// The JSON document that `--output json` prints, on success and on failure.
///
/// Its schema is `config/output.schema.json`. Members may be added but are never renamed while `version` stays the
/// same.
package struct CopyDocument: Encodable, Sendable {
    package var version = 1
    package var command: String
    package var exitCode: Int
    package var results: [Entry]
    /// Why the command could not try anything at all.
    package var error: Failure?
    /// The number of all requests that were sent, including those for tokens and to STS.
    package var requests: Int
    package var seconds: Double
    /// The caller's ARN, if it was found out.
    package var caller: String?
    /// Why there are no results although nothing failed.
    package var note: String?
    /// Notices about the selection as a whole, for example what it leaves out.
    package var notices: [String]?
    /// Tags that were set although their images then failed, as `HOST/REPO:TAG@DIGEST`; absent if there are none.
    package var setBeforeFailure: [String]?
    /// What the gates of a promotion decided; absent if there are none.
    package var gates: [GateReport]?

    package init(
        command: String,
        exitCode: Int,
        results: [CopyResult],
        error: Failure?,
        requests: Int,
        seconds: Double,
        caller: String? = nil,
        note: String? = nil,
        setBeforeFailure: [String] = [],
        notices: [String] = [],
        gates: [GateReport] = []
    ) {
        self.command = command
        self.exitCode = exitCode
        self.results = results.map(Entry.init)
        self.error = error
        self.requests = requests
        self.seconds = seconds
        self.caller = caller
        self.note = note
        self.notices = notices.isEmpty ? nil : notices
        self.setBeforeFailure = setBeforeFailure.isEmpty ? nil : setBeforeFailure
        self.gates = gates.isEmpty ? nil : gates
    }

    /// Creates the document of a command line that could not be understood.
    package init(command: String, usage text: String) {
        self.init(command: command, exitCode: 64, results: [], error: nil, requests: 0, seconds: 0)
        error = Failure(usage: text)
    }

    /// The result for one image at one destination.
    package struct Entry: Encodable, Sendable {
        package var status: String
        package var source: String
        package var destination: String
        package var digest: Digest?
        package var mediaType: MediaType?
        package var tags: [TagEntry]
        package var blobs: BlobCounts?
        package var manifestsPut: Int?
        package var referrers: Int?
        /// The manifests of the records that were put beside the image; absent if there are none.
        package var records: [Digest]?
        /// What was missing below manifests that the destination held, and was copied again; absent if nothing was.
        package var repaired: Repaired?
        package var notes: [String]
        /// Signatures, SBOMs and attestations that were left out; absent if none were.
        package var referrersLeftOut: [LeftOutReferrer]?
        package var plan: PlanEntry?
        package var error: Failure?
        /// All refusals that a dry run found; absent if there are none.
        package var refusals: [Failure]?
        /// What was left to do when a signal stopped the copy.
        package var left: CopyResult.Remainder?

        init(_ result: CopyResult) {
            (tags, notes) = ([], [])
            switch result {
            case .done(let receipt):
                status = receipt.changedAnything ? "done" : "unchanged"
                (source, destination) = ("\(receipt.source)", "\(receipt.destination)")
                (digest, mediaType, notes) = (receipt.digest, receipt.mediaType, receipt.notes)
                tags = receipt.tags.map {
                    TagEntry(tag: $0.tag, outcome: $0.outcome.rawValue, previous: $0.previous)
                }
                blobs = BlobCounts(
                    moved: receipt.blobsMoved,
                    mounted: receipt.blobsMounted,
                    there: receipt.blobsThere,
                    bytesMoved: receipt.bytesMoved
                )
                (manifestsPut, referrers) = (receipt.manifestsPut, receipt.referrers)
                records = receipt.addedReferrers.isEmpty ? nil : receipt.addedReferrers
                referrersLeftOut = LeftOutReferrer.list(receipt.referrerFailures)
                if receipt.manifestsRepaired + receipt.blobsRepaired > 0 {
                    repaired = Repaired(manifests: receipt.manifestsRepaired, blobs: receipt.blobsRepaired)
                }
            case .planned(let plan):
                status = "planned"
                (source, destination) = ("\(plan.source)", "\(plan.destination)")
                (digest, mediaType, notes) = (plan.root.digest, plan.root.mediaType, plan.notes)
                tags = plan.tags.filter { !$0.isReferrer }.map(TagEntry.init)
                self.plan = PlanEntry(plan)
                if let refusal = plan.refusal {
                    (status, error) = ("failed", Failure(refusal))
                    refusals = plan.refusals.map(Failure.init)
                }
                referrersLeftOut = LeftOutReferrer.list(plan.referrerFailures)
            case .failed(let from, let to, let failure):
                (status, error) = ("failed", Failure(failure))
                (source, destination) = (failure.name(of: from), "\(to)")
            case .cancelled(let from, let to, let remainder):
                (status, left) = ("cancelled", remainder)
                (source, destination) = ("\(from)", "\(to)")
            }
        }
    }

    package struct TagEntry: Encodable, Sendable {
        package var tag: Tag
        package var outcome: String
        package var previous: Digest?

        init(tag: Tag, outcome: String, previous: Digest?) {
            (self.tag, self.outcome, self.previous) = (tag, outcome, previous)
        }

        init(_ planned: Plan.PlannedTag) {
            switch planned.action {
            case .set: self.init(tag: planned.tag, outcome: "set", previous: nil)
            case .move(let held): self.init(tag: planned.tag, outcome: "moved", previous: held)
            case .keep: self.init(tag: planned.tag, outcome: "unchanged", previous: nil)
            case .skip(let held): self.init(tag: planned.tag, outcome: "skipped", previous: held)
            case .refuse: self.init(tag: planned.tag, outcome: "refused", previous: nil)
            }
        }
    }

    /// One referrer that was left out; without `digest` and `tag`, the referrers that could not be listed.
    package struct LeftOutReferrer: Encodable, Sendable {
        package var digest: Digest?
        package var tag: Tag?
        package var subject: Digest?
        package var error: Failure

        package init(_ failure: ReferrerFailure) {
            (digest, tag, subject) = (failure.digest, failure.tag, failure.subject)
            error = Failure(failure.error)
        }

        package static func list(_ failures: [ReferrerFailure]) -> [LeftOutReferrer]? {
            failures.isEmpty ? nil : failures.map(LeftOutReferrer.init)
        }
    }

    package struct Repaired: Encodable, Sendable {
        package var manifests: Int
        package var blobs: Int
    }

    package struct BlobCounts: Encodable, Sendable {
        package var moved: Int
        package var mounted: Int
        package var there: Int
        package var bytesMoved: Int64
    }

    /// The plan that a dry run made.
    package struct PlanEntry: Encodable, Sendable {
        package var manifests: [Item]
        package var blobs: [Item]
        package var blobsThere: Int
        package var bytesToMove: Int64
        package var createsRepository: Bool
        /// The prefix of the template by which ECR creates the repository on push.
        package var creationTemplate: String?
        /// The settings, in words, with which the repository is created like the source's; absent if there are none.
        package var creationSettings: [String]?
        package var referrerTags: [TagEntry]

        package struct Item: Encodable, Sendable {
            package var digest: Digest
            package var mediaType: MediaType
            package var size: Int64
            package var role: String
        }

        init(_ plan: Plan) {
            manifests = plan.manifestsToPut.map { planned in
                Item(
                    digest: planned.manifest.digest,
                    mediaType: planned.manifest.mediaType,
                    size: Int64(planned.manifest.byteCount),
                    role: planned.role.rawValue
                )
            }
            blobs = plan.blobs.map { Item(digest: $0.digest, mediaType: $0.mediaType, size: $0.size, role: "blob") }
            blobsThere = plan.blobsThere
            bytesToMove = plan.bytesToMove
            createsRepository = plan.createsRepository
            creationTemplate = plan.creationTemplate
            creationSettings = plan.creationSettings.isEmpty ? nil : plan.creationSettings
            referrerTags = plan.tags.filter(\.isReferrer).map(TagEntry.init)
        }
    }

    package struct Failure: Encodable, Sendable {
        package var operation: String
        package var side: String
        package var image: String
        package var cause: String
        package var remedy: String
        package var kind: String
        /// The reason for programs to branch on, for example `repositoryMissing`.
        package var reason: String
        package var requestId: String?
        /// The credentials that were used, if the error is about permissions or credentials.
        package var credentials: String?

        /// Creates the failure of a command line that could not be understood, so that nothing was tried.
        package init(usage text: String) {
            (operation, side, image) = ("reading the command line", "", "")
            let parts = text.split(separator: "\n  next: ", maxSplits: 1)
            (cause, kind, reason) = (parts.first.map(String.init) ?? text, "usage", "usage")
            remedy = parts.count > 1 ? String(parts[1]) : "see --help"
        }

        /// Creates the failure of a command that could not be set up; `text` may contain lines that say what to do
        /// next.
        package init(settingUp command: String, _ text: String) {
            let parts = text.split(separator: "\n  next: ", maxSplits: 1)
            (operation, side, image, kind, reason) = (command, "", "", "failed", "rejected")
            cause = "could not begin: \(parts.first.map(String.init) ?? text)"
            remedy = parts.count > 1 ? String(parts[1]) : "run again with --log-level debug to see every request"
        }

        package init(_ error: CopyError) {
            (operation, side, image) = (error.operation, error.side.rawValue, error.place)
            (cause, remedy, requestId) = (error.cause, error.remedy, error.requestID)
            credentials = error.credentials
            reason = error.reason.name
            kind =
                switch error.kind {
                case .failed: "failed"
                case .refused: "refused"
                case .notPermitted: "notPermitted"
                }
        }
    }
}

extension CopyError {
    /// How the document names the source image: by a name that no reference can have, if the error is about one.
    fileprivate func name(of source: ImageReference) -> String {
        if case .name = subject { place } else { "\(source)" }
    }
}

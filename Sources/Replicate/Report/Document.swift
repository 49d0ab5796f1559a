public import Content

/// The JSON that `--output json` prints: one document, on success and on failure.
///
/// Its schema is `config/output.schema.json`; members are added, never renamed, while `version` stays.
public struct CopyDocument: Encodable, Sendable {
    public var version = 1
    public var command: String
    public var exitCode: Int
    public var results: [Entry]
    /// Why nothing could be tried at all.
    public var error: Failure?
    /// Everything that was sent over the wire, tokens and STS included.
    public var requests: Int
    public var seconds: Double
    /// Who asked, where that was found out.
    public var caller: String?
    /// Why there are no results where nothing failed.
    public var note: String?
    /// What is to be known of the selection as a whole, if anything: what it leaves out.
    public var notices: [String]?
    /// Tags that were set for images that then failed, as `HOST/REPO:TAG@DIGEST`, if there are any.
    public var setBeforeFailure: [String]?

    public init(
        command: String,
        exitCode: Int,
        results: [CopyResult],
        error: CopyError?,
        requests: Int,
        seconds: Double,
        caller: String? = nil,
        note: String? = nil,
        setBeforeFailure: [String] = [],
        notices: [String] = []
    ) {
        self.command = command
        self.exitCode = exitCode
        self.results = results.map(Entry.init)
        self.error = error.map(Failure.init)
        self.requests = requests
        self.seconds = seconds
        self.caller = caller
        self.note = note
        self.notices = notices.isEmpty ? nil : notices
        self.setBeforeFailure = setBeforeFailure.isEmpty ? nil : setBeforeFailure
    }

    /// The document of a command that could not be understood.
    public init(command: String, usage text: String) {
        self.init(command: command, exitCode: 64, results: [], error: nil, requests: 0, seconds: 0)
        error = Failure(usage: text)
    }

    /// One image at one destination.
    public struct Entry: Encodable, Sendable {
        public var status: String
        public var source: String
        public var destination: String
        public var digest: Digest?
        public var mediaType: MediaType?
        public var tags: [TagEntry]
        public var blobs: BlobCounts?
        public var manifestsPut: Int?
        public var referrers: Int?
        /// What had been lost below manifests that the destination held, and was brought; absent if nothing was.
        public var repaired: Repaired?
        public var notes: [String]
        /// Signatures, SBOMs and attestations that were left out, if any were.
        public var referrersLeftOut: [LeftOutReferrer]?
        public var plan: PlanEntry?
        public var error: Failure?
        /// Of a plan that a signal cut short.
        public var left: Remainder?

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
                referrersLeftOut = LeftOutReferrer.list(plan.referrerFailures)
            case .failed(let from, let to, let failure):
                (status, source, destination, error) = ("failed", from, to, Failure(failure))
            case .cancelled(let from, let to, let remainder):
                (status, source, destination, left) = ("cancelled", from, to, remainder)
            }
        }
    }

    public struct TagEntry: Encodable, Sendable {
        public var tag: Tag
        public var outcome: String
        public var previous: Digest?

        init(tag: Tag, outcome: String, previous: Digest?) {
            (self.tag, self.outcome, self.previous) = (tag, outcome, previous)
        }

        init(_ planned: Plan.PlannedTag) {
            switch planned.action {
            case .set: self.init(tag: planned.tag, outcome: "set", previous: nil)
            case .move(let held): self.init(tag: planned.tag, outcome: "moved", previous: held)
            case .keep: self.init(tag: planned.tag, outcome: "unchanged", previous: nil)
            case .skip(let held): self.init(tag: planned.tag, outcome: "skipped", previous: held)
            }
        }
    }

    /// One referrer that was left out; without `digest` and `tag`, those that could not be listed.
    public struct LeftOutReferrer: Encodable, Sendable {
        public var digest: Digest?
        public var tag: Tag?
        public var subject: Digest?
        public var error: Failure

        public init(_ failure: ReferrerFailure) {
            (digest, tag, subject) = (failure.digest, failure.tag, failure.subject)
            error = Failure(failure.error)
        }

        public static func list(_ failures: [ReferrerFailure]) -> [LeftOutReferrer]? {
            failures.isEmpty ? nil : failures.map(LeftOutReferrer.init)
        }
    }

    public struct Repaired: Encodable, Sendable {
        public var manifests: Int
        public var blobs: Int
    }

    public struct BlobCounts: Encodable, Sendable {
        public var moved: Int
        public var mounted: Int
        public var there: Int
        public var bytesMoved: Int64
    }

    /// What a dry run found.
    public struct PlanEntry: Encodable, Sendable {
        public var manifests: [Item]
        public var blobs: [Item]
        public var blobsThere: Int
        public var bytesToMove: Int64
        public var createsRepository: Bool
        /// The prefix of the template by which ECR creates the repository on push.
        public var creationTemplate: String?
        public var referrerTags: [TagEntry]

        public struct Item: Encodable, Sendable {
            public var digest: Digest
            public var mediaType: MediaType
            public var size: Int64
            public var role: String
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
            referrerTags = plan.tags.filter(\.isReferrer).map(TagEntry.init)
        }
    }

    public struct Failure: Encodable, Sendable {
        public var operation: String
        public var side: String
        public var image: String
        public var cause: String
        public var remedy: String
        public var kind: String
        /// For programs to branch on, for example `repositoryMissing`.
        public var reason: String
        public var requestId: String?
        /// Which were used, where it is about who may.
        public var credentials: String?

        /// A command line that can't be understood, so that nothing was tried.
        public init(usage text: String) {
            (operation, side, image) = ("reading the command line", "", "")
            (cause, remedy, kind, reason) = (text, "see --help", "usage", "usage")
        }

        init(_ error: CopyError) {
            (operation, side, image) = (error.operation, error.side.rawValue, error.image)
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

/// What a process says about its results when it ends.
///
/// - Source: README.md#exit-codes
public enum ExitStatus {
    public static let done: Int32 = 0
    public static let failed: Int32 = 1
    public static let refused: Int32 = 3
    public static let notPermitted: Int32 = 4

    /// One kind of failure gives its code; several kinds, or some images done and some failed, give 1.
    public static func of(_ results: [CopyResult]) -> Int32 {
        let codes = Set(results.map(of))
        return codes.count == 1 ? codes.first ?? done : codes.isEmpty ? done : failed
    }

    /// One that was stopped is not done, whatever stopped it.
    private static func of(_ result: CopyResult) -> Int32 {
        switch result {
        case .done, .planned: done
        case .failed(_, _, let error): of(error)
        case .cancelled: failed
        }
    }

    public static func of(_ error: CopyError) -> Int32 {
        switch error.kind {
        case .failed: failed
        case .refused: refused
        case .notPermitted: notPermitted
        }
    }
}

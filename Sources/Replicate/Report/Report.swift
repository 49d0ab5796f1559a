public import Content

/// What was done for one image at one destination.
public struct CopyReceipt: Sendable {
    public struct TagResult: Sendable, Equatable {
        public enum Outcome: String, Sendable { case set, moved, unchanged, skipped }
        public var tag: Tag
        public var outcome: Outcome
        /// The digest that the tag pointed at before, if it was another image.
        public var previous: Digest?

        public init(tag: Tag, outcome: Outcome, previous: Digest? = nil) {
            self.tag = tag
            self.outcome = outcome
            self.previous = previous
        }
    }

    public var source: ImageReference
    /// The repository, without a tag.
    public var destination: ImageReference
    public var digest: Digest
    public var mediaType: MediaType
    public var tags: [TagResult]
    public var blobsMoved = 0
    public var blobsMounted = 0
    public var blobsThere = 0
    public var bytesMoved: Int64 = 0
    public var manifestsPut = 0
    public var referrers = 0
    /// The manifests that this run made and added to the image, such as a record of its promotion.
    public var addedReferrers: [Digest] = []
    /// What was missing below manifests that the destination held, and was copied again.
    public var manifestsRepaired = 0
    public var blobsRepaired = 0
    public var notes: [String] = []
    /// The referrers that were left out although the image was copied.
    public var referrerFailures: [ReferrerFailure] = []

    public init(
        source: ImageReference,
        destination: ImageReference,
        digest: Digest,
        mediaType: MediaType,
        tags: [TagResult]
    ) {
        self.source = source
        self.destination = destination
        self.digest = digest
        self.mediaType = mediaType
        self.tags = tags
    }

    /// The lines for standard output: one for each tag that now points at the image, or the digest if no tag does.
    public var lines: [String] {
        let held = tags.filter { $0.outcome != .skipped }
        if tags.isEmpty { return ["\(destination)@\(digest)"] }
        return held.map { "\(destination):\($0.tag)@\(digest)" }
    }

    /// Whether anything was written.
    public var changedAnything: Bool {
        manifestsPut > 0 || blobsMoved > 0 || blobsMounted > 0 || !addedReferrers.isEmpty
            || tags.contains { $0.outcome == .set || $0.outcome == .moved }
    }
}

/// The outcome for one image at one destination.
public enum CopyResult: Sendable {
    case done(CopyReceipt)
    case planned(Plan)
    case failed(source: ImageReference, destination: ImageReference, CopyError)
    /// The copy was stopped; `left` is what remains of its plan, or `nil` if there was no plan yet.
    case cancelled(source: ImageReference, destination: ImageReference, left: Remainder?)

    public var error: CopyError? {
        if case .failed(_, _, let error) = self { error } else { nil }
    }

    /// The referrers that were left out, or will be.
    public var referrerFailures: [ReferrerFailure] {
        switch self {
        case .done(let receipt): receipt.referrerFailures
        case .planned(let plan): plan.referrerFailures
        case .failed, .cancelled: []
        }
    }
}

extension CopyResult {
    /// The part of a plan that was not carried out.
    public struct Remainder: Sendable, Equatable, Codable {
        public var blobs: Int
        /// The compressed bytes of those blobs.
        public var bytes: Int64
        public var manifests: Int

        public init(blobs: Int, bytes: Int64, manifests: Int) {
            self.blobs = blobs
            self.bytes = bytes
            self.manifests = manifests
        }
    }
}

/// An event during a copy, for programs that show progress.
public enum CopyEvent: Sendable {
    /// The filter matched none of the repository's tags; `tags` is how many it has.
    case nothingSelected(from: ImageReference, tags: Int)
    case planned(Plan)
    case blobStarted(Descriptor, to: ImageReference)
    /// An earlier run had sent the bytes of the blob up to this position.
    case blobResumed(Descriptor, to: ImageReference, at: Int64)
    /// This many more bytes of the blob were sent; negative if the destination lost some.
    case blobProgress(Digest, to: ImageReference, bytes: Int)
    /// An attempt failed and will be repeated; its bytes no longer count.
    case blobRestarted(Digest, to: ImageReference, reason: String)
    /// The last attempt failed, for the reason that the image's error gives; its bytes no longer count.
    case blobGivenUp(Digest, to: ImageReference)
    case blobMoved(Descriptor, to: ImageReference)
    case blobMounted(Descriptor, to: ImageReference, from: RepositoryName)
    case manifestPut(Digest, tag: Tag?, to: ImageReference)
    case finished(CopyReceipt)
    case failed(source: ImageReference, destination: ImageReference, CopyError)
    /// Something to know about the selection as a whole, for example what it leaves out.
    case notice(String)
}

public import Content

/// What was done with one image at one destination.
public struct CopyReceipt: Sendable {
    public struct TagResult: Sendable, Equatable {
        public enum Outcome: String, Sendable { case set, moved, unchanged, skipped }
        public var tag: Tag
        public var outcome: Outcome
        /// What the tag held before, if that was another image.
        public var previous: Digest?

        public init(tag: Tag, outcome: Outcome, previous: Digest? = nil) {
            self.tag = tag
            self.outcome = outcome
            self.previous = previous
        }
    }

    public var source: ImageReference
    /// The repository, without tag.
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
    /// What was missing below manifests that the destination held, and was brought.
    public var manifestsRepaired = 0
    public var blobsRepaired = 0
    public var notes: [String] = []
    /// Referrers that were left out, while the image was copied.
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

    /// The lines that standard output gets: one per tag that now holds the image, or the digest where none does.
    public var lines: [String] {
        let held = tags.filter { $0.outcome != .skipped }
        if tags.isEmpty { return ["\(destination)@\(digest)"] }
        return held.map { "\(destination):\($0.tag)@\(digest)" }
    }

    /// Whether anything was written.
    public var changedAnything: Bool {
        manifestsPut > 0 || blobsMoved > 0 || blobsMounted > 0
            || tags.contains { $0.outcome == .set || $0.outcome == .moved }
    }
}

/// What of a plan was not carried out.
public struct Remainder: Sendable, Equatable, Codable {
    public var blobs: Int
    /// Of those blobs, compressed.
    public var bytes: Int64
    public var manifests: Int

    public init(blobs: Int, bytes: Int64, manifests: Int) {
        self.blobs = blobs
        self.bytes = bytes
        self.manifests = manifests
    }
}

/// How one image ended at one destination.
public enum CopyResult: Sendable {
    case done(CopyReceipt)
    case planned(Plan)
    case failed(source: String, destination: String, CopyError)
    /// Stopped before it was done, with what is left of its plan; `nil` if there was none yet.
    case cancelled(source: String, destination: String, left: Remainder?)

    public var error: CopyError? {
        if case .failed(_, _, let error) = self { error } else { nil }
    }

    /// Referrers that were left out, or will be.
    public var referrerFailures: [ReferrerFailure] {
        switch self {
        case .done(let receipt): receipt.referrerFailures
        case .planned(let plan): plan.referrerFailures
        case .failed, .cancelled: []
        }
    }
}

/// What happens during a copy, for whoever shows it.
public enum CopyEvent: Sendable {
    /// No tag passed the filter, of so many that the repository has.
    case nothingSelected(from: ImageReference, tags: Int)
    case planned(Plan)
    case blobStarted(Descriptor, to: ImageReference)
    /// An earlier run had brought so many bytes of it.
    case blobResumed(Descriptor, to: ImageReference, at: Int64)
    /// So many more bytes of the blob were handed to the destination; fewer than none if it has lost some.
    case blobProgress(Digest, to: ImageReference, bytes: Int)
    /// A try failed, and there is another; its bytes no longer count.
    case blobRestarted(Digest, to: ImageReference, reason: String)
    /// A try failed as any other would, which the image's error tells; its bytes no longer count.
    case blobGivenUp(Digest, to: ImageReference)
    case blobMoved(Descriptor, to: ImageReference)
    case blobMounted(Descriptor, to: ImageReference, from: RepositoryName)
    case manifestPut(Digest, tag: Tag?, to: ImageReference)
    case finished(CopyReceipt)
    case failed(source: String, destination: String, CopyError)
    /// What the reader should know of the selection as a whole, for example what it leaves out.
    case notice(String)
}

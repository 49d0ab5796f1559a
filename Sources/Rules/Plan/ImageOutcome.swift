package import Content
package import Replicate
internal import Reporting

/// What a plan does with one tag, or with one image.
///
/// - Source: docs/architecture.md#whole-registries
package enum PlannedAction: String, Sendable, Codable, CaseIterable {
    case add, move, keep, skip, refuse, delete

    /// The mark that stands before it in text.
    package var mark: String {
        switch self {
        case .add: "+"
        case .move: "~"
        case .keep: "="
        case .skip: "."
        case .refuse: "!"
        case .delete: "-"
        }
    }

    /// Whether a plan with it exits with 2.
    package var isDifference: Bool {
        switch self {
        case .add, .move, .refuse, .delete: true
        case .keep, .skip: false
        }
    }
}

/// Why something was refused, skipped or failed, for people and for programs.
package struct OutcomeProblem: Error, Sendable, Hashable {
    /// The name of the reason for programs, for example `tagImmutable`.
    package var reason: String
    /// One line without a full stop.
    package var text: String
    /// What to do about it; `nil` if there is nothing to do.
    package var remedy: String?
    package var kind: Kind
    /// The service's request id, for a support case.
    package var requestID: String?

    /// The kind, which decides the exit status.
    package enum Kind: String, Sendable, Codable { case failed, refused, notPermitted }

    package init(reason: String, _ text: String, remedy: String? = nil, kind: Kind = .refused) {
        (self.reason, self.text, self.remedy, self.kind) = (reason, text, remedy, kind)
    }

    package init(_ error: CopyError) {
        reason = error.reason.name
        text = error.headline
        remedy = error.remedy
        requestID = error.requestID
        kind =
            switch error.kind {
            case .failed: .failed
            case .refused: .refused
            case .notPermitted: .notPermitted
            }
    }
}

/// What is done, or would be done, with one image at one destination repository.
package struct ImageOutcome: Sendable {
    /// The image at the source, with its tag if it has one, and its digest.
    package var source: ImageReference
    package var digest: Digest?
    /// The digest at the source, if it differs because only some platforms are copied.
    package var sourceDigest: Digest?
    package var mediaType: MediaType?
    package var tags: [TagOutcome]
    package var action: PlannedAction
    package var state: State
    package var work = Work()
    /// The blobs that the destination lacks, until ``BlobLedger`` has counted them.
    var uncounted: [BlobLedger.Blob] = []
    /// Referrers that were left out, or will be.
    package var leftOut: [OutcomeProblem] = []
    package var notes: [String] = []
    /// The command that undoes a deletion; `nil` for others, and if nothing holds the image any more.
    package var restore: String?
    /// For a deletion: whether the image is deleted, not only some of its tags.
    package var deletesImage = false
    /// What `verify` found missing or different at the destination, and what it has repaired.
    package var differences: [ContentDifference] = []
    /// How long the copy took; `nil` for a plan.
    package var seconds: Double?

    package enum State: Sendable, Equatable {
        /// Nothing has been done: this is a plan.
        case planned
        case done
        /// The first is the reason for the exit status.
        case refused([OutcomeProblem])
        case failed(OutcomeProblem)
        /// A signal stopped the run before the image was finished.
        case stopped
    }

    package struct TagOutcome: Sendable, Hashable {
        package var tag: Tag
        package var action: PlannedAction
        /// The digest that the tag holds before, if it holds one.
        package var before: Digest?
        package var reason: String?
        /// The tag of the source that this tag is made from; `nil` if that is not known.
        package var source: Tag?

        package init(_ tag: Tag, _ action: PlannedAction, before: Digest? = nil, reason: String? = nil) {
            (self.tag, self.action, self.before, self.reason) = (tag, action, before, reason)
        }
    }

    /// How much is to be done for an image, or was done.
    package struct Work: Sendable, Hashable {
        /// Compressed bytes that are moved.
        package var bytes: Int64 = 0
        /// Bytes that are at the destination already.
        package var bytesThere: Int64 = 0
        /// Bytes that the destination's registry has in another repository that this run knows.
        package var bytesMountable: Int64 = 0
        package var blobs = 0
        package var manifests = 0
        package var referrers = 0
        package var requests = 0

        package static func + (left: Self, right: Self) -> Self {
            Work(
                bytes: left.bytes + right.bytes,
                bytesThere: left.bytesThere + right.bytesThere,
                bytesMountable: left.bytesMountable + right.bytesMountable,
                blobs: left.blobs + right.blobs,
                manifests: left.manifests + right.manifests,
                referrers: left.referrers + right.referrers,
                requests: left.requests + right.requests
            )
        }
    }

    package init(
        source: ImageReference,
        digest: Digest?,
        mediaType: MediaType? = nil,
        tags: [TagOutcome],
        action: PlannedAction? = nil,
        state: State
    ) {
        (self.source, self.digest, self.mediaType, self.tags, self.state) = (source, digest, mediaType, tags, state)
        self.action = action ?? Self.action(of: tags)
    }

    /// The action of an image: the one of its tags that matters most.
    static func action(of tags: [TagOutcome]) -> PlannedAction {
        let order: [PlannedAction] = [.refuse, .move, .add, .delete, .skip, .keep]
        return order.first { action in tags.contains { $0.action == action } } ?? .keep
    }
}

package import Content
package import ECRAPI
package import FoundationEssentials
package import Replicate

/// A condition that an image must meet before it is promoted.
///
/// All gates of a promotion are evaluated at the source, side by side, before anything is written; each gives one
/// decision, and only ``GateDecision/Result/passed`` lets the image pass.
///
/// - Source: docs/architecture.md
package protocol Gate: Sendable {
    /// The gate's name in reports, records and rule files, such as `scan` or `signature`.
    var name: String { get }

    /// Decides about an image.
    ///
    /// What can't be found out is the result ``GateDecision/Result/unknown`` with its reason, not an error.
    ///
    /// - Throws: `CancellationError` only.
    func decide(about candidate: GateCandidate) async throws -> GateDecision
}

/// An image that gates decide about, pinned by its digest.
package struct GateCandidate: Sendable {
    /// The image at the source, with the tag that was asked for, if any, and its digest.
    package var image: ImageReference
    /// The tags of the source by which the image was chosen; none if it was chosen by its digest.
    package var tags: [Tag]
    /// The manifest that would be put at the destination.
    package var root: Manifest
    /// Reads more of the source repository.
    package var source: any GateSource

    /// - Parameter tags: `nil` for the tag of `image` alone.
    package init(image: ImageReference, tags: [Tag]? = nil, root: Manifest, source: any GateSource) {
        (self.image, self.root, self.source) = (image, root, source)
        self.tags = tags ?? [image.tag].compactMap { $0 }
    }

    package var digest: Digest { root.digest }
}

/// Reads what gates need of a source repository, with the identity of the source.
package protocol GateSource: Sendable {
    /// The manifest with this digest; `nil` if the repository doesn't have it.
    ///
    /// - Throws: An error whose description is fit for people, or `CancellationError`.
    func manifest(_ digest: Digest) async throws -> Manifest?

    /// The manifest that a tag holds; `nil` if there is no such tag.
    func manifest(tagged tag: Tag) async throws -> Manifest?

    /// The manifests whose subject is `digest`; `nil` if the registry doesn't list referrers.
    func referrers(of digest: Digest) async throws -> [Descriptor]?

    /// The bytes of a blob, checked against its digest and size.
    ///
    /// - Parameter limit: The most bytes to read; a larger blob is an error.
    func blob(_ descriptor: Descriptor, upTo limit: Int) async throws -> [UInt8]

    /// What the registry knows about images beside their content; `nil` where the registry is not ECR.
    var facts: (any GateFacts)? { get }
}

extension GateSource {
    package var facts: (any GateFacts)? { nil }
}

/// What ECR knows about the images of a repository beside their content.
package protocol GateFacts: Sendable {
    /// When the registry received an image; `nil` if it doesn't say.
    ///
    /// - Throws: An error whose description is fit for people, or `CancellationError`.
    func pushTime(of digest: Digest) async throws -> Date?

    /// Which tags are immutable; `nil` if the repository doesn't say.
    func fixedTags() async throws -> TagImmutability?

    /// Reads the result of an image's last scan, page by page.
    ///
    /// - Parameters:
    ///   - pageSize: The most findings of one page.
    ///   - page: Called with each page; its error ends the reading.
    /// - Returns: Whether there is a result; `false` for an image that was never scanned.
    func readScan(
        of digest: Digest,
        pageSize: Int,
        _ page: (DescribeImageScanFindings.Response) throws -> Void
    ) async throws -> Bool
}

/// What one gate decided about an image.
package struct GateDecision: Sendable, Hashable {
    package enum Result: String, Sendable, Hashable {
        case passed, failed
        /// The condition could not be decided; an image does not pass then.
        case unknown
    }

    /// One thing that the decision rests on: a finding, a signature, an attestation.
    package struct Evidence: Sendable, Hashable {
        /// What it is, in a few words for people, without control characters.
        package var text: String
        /// The manifest or blob that it was read from, if it is one.
        package var digest: Digest?

        package init(_ text: String, digest: Digest? = nil) { (self.text, self.digest) = (text, digest) }
    }

    /// The gate's name.
    package var gate: String
    package var result: Result
    /// Why, in one line for people.
    package var reason: String
    package var evidence: [Evidence]
    /// What the user can do about a result that is not ``Result/passed``, as an imperative.
    package var remedy: String?

    package init(
        _ gate: String,
        _ result: Result,
        _ reason: String,
        evidence: [Evidence] = [],
        remedy: String? = nil
    ) {
        (self.gate, self.result, self.reason) = (gate, result, reason)
        (self.evidence, self.remedy) = (evidence, remedy)
    }
}

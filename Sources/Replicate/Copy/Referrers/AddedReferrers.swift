package import Content
internal import Wire

/// Makes referrers that a run adds to an image at its destination, such as a record of its promotion.
package protocol ReferrerMaking: Sendable {
    /// Returns the referrers to add; none if what they would say is there already.
    ///
    /// It is called for each image at each destination when everything that the image names is there, before a tag is
    /// set. What it returns is put before the tags.
    ///
    /// - Throws: An error with which the image fails, so that no tag is set; `CancellationError`.
    func referrers(for tagging: Tagging) async throws -> [AddedReferrer]
}

/// A referrer that a run adds to an image: a manifest whose subject is the image, and the blobs that it names.
package struct AddedReferrer: Sendable {
    package var manifest: Manifest
    /// The content of the manifest's blobs.
    package var blobs: [[UInt8]]
    /// What to tell the user about it; `nil` for nothing.
    package var note: String?

    package init(_ manifest: Manifest, blobs: [[UInt8]], note: String? = nil) {
        (self.manifest, self.blobs, self.note) = (manifest, blobs, note)
    }
}

/// An image that is complete at its destination, and whose tags are about to be set.
package struct Tagging: Sendable {
    /// The image at the source, as it was asked for.
    package let source: ImageReference
    package let root: Manifest
    /// The destination's repository, without a tag.
    package let destination: ImageReference
    /// The image's own tags, each with what happens to it; none for an image that gets no tag.
    package let tags: [Plan.PlannedTag]
    private let state: DestinationState

    init(_ plan: Plan, at state: DestinationState) {
        (source, root, destination) = (plan.source, plan.root, plan.destination)
        tags = plan.tags.filter { !$0.isReferrer }
        self.state = state
    }

    /// Reads manifests at the destination whose subject is `digest`.
    ///
    /// - Parameter isWanted: Whether a listed referrer is to be read; a registry without the referrers API lists only
    ///   digests, all of which are read.
    /// - Throws: ``CopyError``, `CancellationError`
    package func referrers(of digest: Digest, where isWanted: (Descriptor) -> Bool) async throws -> [Manifest] {
        // What was missing when the run began has no referrers.
        guard await !state.isNew else { return [] }
        return try await state.repository.manifests(referringTo: digest, where: isWanted)
    }
}

/// The blobs of a referrer that a run makes, in memory.
private struct HeldBlobs: BlobReader {
    let reference: ImageReference
    let contents: [Digest: [UInt8]]

    var side: CopyError.Side { .source }
    /// No registry has this key, so that no blob is mounted from here.
    var registryKey: String { "memory" }

    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        Set(blobs.map(\.digest)).subtracting(contents.keys)
    }

    func source(of blob: Descriptor) async throws -> RelaySource {
        guard let content = contents[blob.digest] else {
            throw CopyError(.blobMissing(blob.digest), side: side, image: reference, operation: "adding a referrer")
        }
        return .bytes(content)
    }
}

extension Copier {
    /// Puts the referrers that ``CopyOptions/additions`` makes.
    ///
    /// - Returns: The referrers that were put.
    func addReferrers() async throws -> [AddedReferrer] {
        let tags = plan.tags.filter { !$0.isReferrer }
        let isSkipped = !tags.isEmpty && tags.allSatisfy { if case .skip = $0.action { true } else { false } }
        guard let additions = options.additions, !isSkipped else { return [] }
        let added = try await state.repository.explained("recording the copy", .digest(plan.root.digest)) {
            try await additions.referrers(for: Tagging(plan, at: state))
        }
        for referrer in added { try await put(referrer) }
        return added
    }

    private func put(_ referrer: AddedReferrer) async throws {
        let blobs = referrer.manifest.blobs
        let held = HeldBlobs(
            reference: state.repository.reference,
            contents: Dictionary(
                referrer.blobs.map { (Digest(of: $0), $0) },
                uniquingKeysWith: { first, _ in first }
            )
        )
        let missing = try await state.missing(blobs, areMade: true)
        try await blobs.filter { missing.contains($0.digest) }.forEachConcurrently(limit: Self.parallelBlobs) { blob in
            _ = try await mover.move(BlobTransfer(blob, from: held, to: state.repository))
            state.noteMoved(blob.digest)
        }
        try await state.repository.put(referrer.manifest, tag: nil)
        await state.didPut(referrer.manifest.digest, tag: nil)
        report(.manifestPut(referrer.manifest.digest, tag: nil, to: state.repository.reference))
    }
}

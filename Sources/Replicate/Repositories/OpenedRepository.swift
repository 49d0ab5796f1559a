package import Content
package import ECRAPI

/// A repository that a command reads and writes without copying: its tags, its referrers, small blobs.
package struct OpenedRepository: Sendable {
    private let repository: any ImageRepository
    /// Reads of it, as gates need them.
    package let access: SourceAccess

    init(_ repository: any ImageRepository, _ run: CopyRun, _ options: SideOptions) {
        self.repository = repository
        access = SourceAccess(repository, run, options)
    }

    /// The repository, without tag and digest.
    package var reference: ImageReference { repository.reference }

    /// The digest that a tag holds; `nil` if there is no such tag.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    package func digest(of tag: Tag) async throws -> Digest? {
        let reading = try await repository.read(manifests: [], digests: [.tag(tag)])
        if let reason = reading.failures[.tag(tag)] {
            throw CopyError(
                reason,
                side: repository.side,
                image: repository.reference.tagged(tag),
                operation: "reading the tag"
            )
        }
        return reading.digests[.tag(tag)]
    }

    /// The manifest with this digest; `nil` if there is none.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    package func manifest(_ digest: Digest) async throws -> Manifest? { try await access.manifest(digest) }

    /// Reads manifests whose subject is `digest`.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    package func referrers(of digest: Digest, where isWanted: (Descriptor) -> Bool) async throws -> [Manifest] {
        try await repository.manifests(referringTo: digest, where: isWanted)
    }

    /// The bytes of a small blob, checked against its digest and size.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    package func blob(_ descriptor: Descriptor, upTo limit: Int) async throws -> [UInt8] {
        try await access.blob(descriptor, upTo: limit)
    }
}

extension CopyRun {
    /// Opens a repository.
    ///
    /// - Throws: ``CopyError``, `CancellationError`
    package func repository(
        of reference: ImageReference,
        _ side: CopyError.Side,
        _ options: SideOptions
    ) async throws -> OpenedRepository {
        OpenedRepository(try await opener.open(reference, side: side, options), self, options)
    }
}

extension ImageRepository {
    /// Reads the manifests whose subject is `digest`.
    ///
    /// - Parameter isWanted: Whether a listed referrer is to be read; a registry without the referrers API lists only
    ///   digests, all of which are read.
    func manifests(referringTo digest: Digest, where isWanted: (Descriptor) -> Bool) async throws -> [Manifest] {
        var digests: [Digest]
        if let listing = try await referrers(of: digest) {
            if let interruption = listing.interruption { throw interruption }
            digests = listing.entries.filter(isWanted).map(\.digest).unique()
        } else {
            digests = try await ownList(ofReferrersTo: digest).map { $0.sorted() } ?? []
        }
        digests = Array(digests.prefix(ReferrerBudget.most))
        guard !digests.isEmpty else { return [] }
        let reading = try await read(digests.map { .digest($0) })
        return digests.compactMap { reading.manifests[.digest($0)] }.filter { $0.subject?.digest == digest }
    }
}

extension CopyRun {
    /// A client of KMS in a key's region, with the identity of a side.
    ///
    /// - Throws: `IdentityError`
    package func keyService(in region: String, _ options: SideOptions) throws -> KMSClient {
        try opener.kms(region: region, options)
    }
}

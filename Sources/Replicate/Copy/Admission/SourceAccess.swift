package import Content
package import ECRAPI
package import FoundationEssentials
internal import HTTPTypes
internal import Platform
internal import Wire

/// Reads of one repository, with the identity of its side.
///
/// Gates decide by what they read here at the source, and look at the copy at the destination. Every method throws ``CopyError`` with its side, image and operation, or
/// `CancellationError`.
package struct SourceAccess: Sendable {
    private let repository: any ImageRepository
    private let run: CopyRun
    private let options: SideOptions

    init(_ repository: any ImageRepository, _ run: CopyRun, _ options: SideOptions = SideOptions()) {
        (self.repository, self.run, self.options) = (repository, run, options)
    }

    /// The repository, without tag and digest.
    package var reference: ImageReference { repository.reference }

    /// A client of KMS in a key's region, with the identity of the side.
    ///
    /// - Throws: `IdentityError`
    package func keyService(in region: String) throws -> KMSClient { try run.keyService(in: region, options) }

    /// The clock for waits, on which tests never sleep.
    package var clock: any Clock<Duration> { run.mover.retry.clock }

    /// The present time.
    package var now: Date { run.opener.now() }

    /// The manifest with this digest; `nil` if the repository doesn't have it.
    package func manifest(_ digest: Digest) async throws -> Manifest? { try await manifest(.digest(digest)) }

    /// The manifest that a tag holds; `nil` if there is no such tag.
    package func manifest(tagged tag: Tag) async throws -> Manifest? { try await manifest(.tag(tag)) }

    private func manifest(_ id: ManifestID) async throws -> Manifest? {
        let reading = try await repository.read([id])
        if let reason = reading.failures[id] {
            throw CopyError(
                reason,
                side: repository.side,
                image: repository.reference.tagged(id.tag, digest: id.digest),
                operation: "reading the manifest"
            )
        }
        return reading.manifests[id]
    }

    /// Reads manifests with as few requests as the registry allows; the result lacks those that it doesn't have.
    package func manifests(_ digests: [Digest]) async throws -> [Digest: Manifest] {
        let ids = digests.unique().map { ManifestID.digest($0) }
        guard !ids.isEmpty else { return [:] }
        let reading = try await repository.read(ids)
        var found: [Digest: Manifest] = [:]
        for (id, manifest) in reading.manifests { if let digest = id.digest { found[digest] = manifest } }
        // What was postponed, because the answer was too large, is read one by one.
        for id in ids where found[id.digest ?? .ofNothing] == nil {
            guard let digest = id.digest, reading.failures[id] != nil || reading.postponed.contains(id) else {
                continue
            }
            found[digest] = try await manifest(digest)
        }
        return found
    }

    /// The manifests whose subject is `digest`; `nil` if the registry doesn't list referrers.
    ///
    /// - Throws: ``CopyError`` also if the list is not complete.
    package func referrers(of digest: Digest) async throws -> [Descriptor]? {
        guard let listing = try await repository.referrers(of: digest) else { return nil }
        if let interruption = listing.interruption { throw interruption }
        return listing.entries
    }

    /// When the registry received an image; `nil` where it doesn't say.
    package func pushTime(of digest: Digest) async throws -> Date? {
        try await repository.facts?.pushTime(of: digest).map { Date(timeIntervalSince1970: $0) }
    }

    /// Which tags of the repository are immutable; `nil` where the registry has no such setting.
    package func fixedTags() async throws -> TagImmutability? { try await repository.facts?.fixedTags() }

    /// Whether the registry is ECR, which scans images and knows when it received them.
    package var isECR: Bool { repository.facts != nil }

    /// Reads the result of an image's last scan, page by page, so that no more than a page is held.
    ///
    /// - Parameters:
    ///   - pageSize: The most findings of one page.
    ///   - page: Called with each page; its error ends the reading.
    /// - Returns: Whether there is a result; `false` for an image that was never scanned, and where the registry is not
    ///   ECR.
    package func readScan(
        of digest: Digest,
        pageSize: Int,
        _ page: (DescribeImageScanFindings.Response) throws -> Void
    ) async throws -> Bool {
        try await repository.facts?.readScan(of: digest, pageSize: pageSize, page) ?? false
    }

    // MARK: Blobs

    /// The bytes of a small blob, checked against its digest and size.
    ///
    /// - Parameter limit: The most bytes to read; a larger blob is an error.
    package func blob(_ blob: Descriptor, upTo limit: Int) async throws -> [UInt8] {
        guard blob.size <= Int64(limit) else {
            throw failure(blob, .unsupported(.other("the blob has \(blob.size) bytes, more than the \(limit) allowed")))
        }
        if let content = blob.knownContent, Digest(of: content) == blob.digest { return content }
        let registry = repository.reference.registryName
        let retry = run.mover.retry.spending(run.mover.budgets.of(repository.side, registry)).labelled { _ in
            SideLabel.metadata(repository.side, registry: registry)
        }
        do {
            return try await retry.run { _ in try await download(blob) }
        } catch let failure as BlobFailure {
            throw failure.error
        }
    }

    private func download(_ blob: Descriptor) async throws -> [UInt8] {
        var download = try await BlobDownload.open(blob, from: repository)
        while true {
            let bytes: [UInt8]
            switch download.address {
            case .bytes(let content): bytes = content
            case .file(let region):
                bytes = try await repository.explained("reading a blob") {
                    try await FileWork.run { _ in try region.read(at: 0, count: Int(blob.size) + 1) }
                }
            case .request(var request):
                request.largestAnswer = max(Int(blob.size), WireRequest.largestSmallAnswer)
                let answer: WireResponse
                do {
                    answer = try await run.opener.sender.answer(to: request)
                } catch let error as WireError {
                    throw BlobFailure(download.explain(error), error.retryAdvice)
                }
                guard answer.status == .ok else {
                    try await download.next(after: answer)
                    continue
                }
                bytes = answer.body
            }
            guard bytes.count == blob.size, Digest(of: bytes) == blob.digest else {
                let detail = "its \(bytes.count) bytes hash to \(Digest(of: bytes))"
                throw BlobFailure(failure(blob, .corrupt(expected: blob.digest, detail: detail)), .never)
            }
            return bytes
        }
    }

    private func failure(_ blob: Descriptor, _ reason: CopyError.Reason) -> CopyError {
        CopyError(
            reason,
            side: repository.side,
            image: repository.reference,
            operation: "downloading \(blob.digest)"
        )
    }
}

internal import Content
internal import Distribution
internal import Wire

/// A repository in any OCI registry, where every manifest and every blob is a request of its own under `/v2`.
///
/// - Source: OCI distribution-spec 1.1
struct PlainImageRepository: ImageRepository {
    let reference: ImageReference
    let side: CopyError.Side
    let registryKey: String
    let client: RegistryClient
    let pacer: Pacer

    /// The most requests in flight for one bulk question.
    static let parallelCalls = 32
    /// The most manifests to read at once if each may have the greatest size.
    static let fewManifests = 4
    /// The size limit in bytes when many manifests are read at once; images of a hundred layers have 30 KiB.
    static let usualManifest = 128 << 10

    func read(manifests: [ManifestID], digests: [ManifestID]) async throws -> Reading {
        var reading = Reading()
        let wanted = Set(manifests)
        // On a long link, requests must not wait for the responses to earlier ones.
        async let heads = heads(of: digests.unique().filter { !wanted.contains($0) })
        // When many are read at once, they may not all have the greatest size; the large ones are then read one after
        // another.
        let limit = wanted.count > Self.fewManifests ? Self.usualManifest : Manifest.largestByteCount
        let read = try await wanted.mapConcurrently(limit: Self.parallelCalls) { id in
            try await explained("reading the manifest", id) { (id, try await manifest(id, upTo: limit)) }
        }
        var large: [ManifestID] = []
        for (id, found) in read {
            switch found {
            case .found(let manifest): reading.note(manifest, id)
            case .larger: large.append(id)
            case .none: break
            }
        }
        for id in large {
            guard !reading.isFull else {
                reading.postponed.insert(id)
                continue
            }
            let found = try await explained("reading the manifest", id) {
                try await manifest(id, upTo: Manifest.largestByteCount)
            }
            if case .found(let manifest) = found { reading.note(manifest, id) }
        }
        for (id, digest) in try await heads { reading.digests[id] = digest }
        return reading
    }

    private func heads(of ids: [ManifestID]) async throws -> [(ManifestID, Digest?)] {
        try await ids.mapConcurrently(limit: Self.parallelCalls) { id in
            try await explained("asking for the manifest", id) {
                (
                    id,
                    try await orNothing {
                        try await client.manifestDigest(id.manifestReference, of: reference.repository)
                    }
                )
            }
        }
    }

    private enum Found { case found(Manifest), larger, none }

    private func manifest(_ id: ManifestID, upTo limit: Int) async throws -> Found {
        do {
            let manifest = try await orNothing {
                try await client.manifest(id.manifestReference, of: reference.repository, upTo: limit)
            }
            return manifest.map { .found($0) } ?? .none
        } catch let error as WireError where error.reason == .answerTooLarge && limit < Manifest.largestByteCount {
            return .larger
        }
    }

    /// Runs a request; a missing destination counts as empty, because a push will create it.
    private func orNothing<Value: Sendable>(_ question: () async throws -> Value?) async throws -> Value? {
        do {
            return try await question()
        } catch let error as RegistryError where error.kind == .repositoryMissing && side == .destination {
            return nil
        }
    }

    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        let digests = blobs.map(\.digest).unique()
        let answers = try await digests.mapConcurrently(limit: Self.parallelCalls) { digest in
            try await explained("asking for a blob", .digest(digest)) {
                (digest, try await client.blobExists(digest, in: reference.repository))
            }
        }
        return Set(answers.filter { !$0.1 }.map(\.0))
    }

    func source(of blob: Descriptor) async throws -> RelaySource {
        try await explained("reading a blob", .digest(blob.digest)) {
            try await pacer.admitRelay(PlainPacing.bucket)
            return .request(try await client.blobRequest(blob.digest, in: reference.repository))
        }
    }

    func sourceRefused(_ answer: WireResponse, to request: WireRequest) async {
        pacer.noteRelay(answer, PlainPacing.bucket)
        // The result shows when the blob is requested again.
        _ = await client.downloadFailure(answer, to: request)
    }

    func prepare(forBlobs count: Int, isCertain: Bool) async { client.warm(connections: count) }

    func receive(_ incoming: any IncomingBlob) async throws -> BlobReception {
        let upload = RegistryUpload(
            client: client,
            place: self,
            pacer: pacer,
            bucket: PlainPacing.bucket,
            operation: "uploading"
        )
        let started = try await explained("starting an upload") { try await upload.start(incoming) }
        switch started {
        case .mounted: return .mounted
        case .session(let session): try await upload.send(incoming, to: session)
        }
        return .stored
    }

    func put(_ manifest: Manifest, tag: Tag?) async throws {
        if let subject = tag?.subject, manifest.kind == .index {
            // A list of referrers, to which others add entries, is never replaced.
            return try await explained("listing referrers", .tag(try Tag(listingReferrersTo: subject))) {
                try await client.list(
                    manifest.children,
                    asReferrersTo: subject,
                    in: reference.repository,
                    preferring: manifest
                )
            }
        }
        let id: ManifestID = tag.map { .both($0, manifest.digest) } ?? .digest(manifest.digest)
        try await explained("storing the manifest", id) {
            let stored: StoredManifest
            do {
                stored = try await client.putManifest(
                    manifest,
                    as: tag.map { .tag($0) } ?? .digest(manifest.digest),
                    in: reference.repository
                )
            } catch let error as RegistryError where error.kind == .foreignLayersRefused {
                throw CopyError(refusing: manifest.foreignBlobs, error, id, by: self)
            } catch let error as RegistryError where error.kind == .tagImmutable {
                guard let tag else { throw error }
                // Some registries also report this for the same digest, so the tag is read.
                let held = try await client.manifestDigest(.tag(tag), of: reference.repository)
                guard held != manifest.digest else { return }
                throw CopyError(
                    .tagImmutable(tag: tag, holds: held, wanted: manifest.digest),
                    side: side,
                    image: reference.tagged(tag),
                    operation: "storing the manifest",
                    requestID: error.requestID
                )
            }
            if let subject = manifest.subject?.digest, !stored.isListed {
                try await client.list([manifest.listing], asReferrersTo: subject, in: reference.repository)
            }
        }
    }

    /// The most pages of tags to read for one image; 20,000 tags if the pages are full.
    static let mostTagPages = 20
    /// The deadline of each page; an optional request should not delay a copy for long.
    static let tagPageDeadline: Duration = .seconds(20)

    func listDigestTags() async throws -> DigestTagListing? {
        struct Enough: Error {}
        var listing = DigestTagListing()
        var pages = 0
        do {
            try await client.limited(toAttempts: 1).tagPages(of: reference.repository, deadline: Self.tagPageDeadline) {
                tags in
                guard pages < Self.mostTagPages else { throw Enough() }
                pages += 1
                listing.add(tags.compactMap { try? Tag(parsing: $0) })
            }
        } catch is Enough {
            listing.isWhole = false
            listing.trouble = "the list of tags has more than \(Self.mostTagPages) pages"
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            listing.isWhole = false
            let explained = CopyError(explaining: error, repository: self, "listing tags")
            listing.trouble = "the tags could not be listed (\(explained.cause))"
        }
        return listing
    }

    func ownList(ofReferrersTo subject: Digest) async throws -> Set<Digest>? {
        try await explained("listing referrers", .digest(subject)) {
            do {
                if let known = try await client.referrers(of: subject, in: reference.repository) {
                    return Set(known.entries.map(\.digest))
                }
            } catch let error as RegistryError where error.kind == .repositoryMissing {
                return []
            }
            return Set(try await client.listedReferrers(of: subject, in: reference.repository).map(\.digest))
        }
    }

    func referrers(of digest: Digest) async throws -> ReferrerListing? {
        let operation = "listing referrers"
        return try await explained(operation, .digest(digest)) {
            do {
                guard let list = try await client.referrers(of: digest, in: reference.repository) else { return nil }
                let interruption = list.interruption.map {
                    CopyError(explaining: $0, repository: self, operation, .digest(digest))
                }
                return ReferrerListing(list.entries, oddEntries: list.oddEntries, interruption: interruption)
            } catch let error as RegistryError where error.kind == .repositoryMissing {
                // An image was just read from this repository, so this doesn't answer the request.
                return nil
            }
        }
    }

    func immutability() async throws -> TagImmutability? { nil }

    /// What was found out about the stored login while the repository was read; `nil` if the registry asked for none.
    var login: LoginNote? {
        client.loginNote(of: reference.repository)
    }

    func listTagNames() async throws -> [String] {
        try await explained("listing tags") { try await client.tags(of: reference.repository) }
    }

    func list() async throws -> ImageListing {
        let names = try await listTagNames()
        var listing = ImageListing()
        let tags = listing.usable(names)
        var reading = try await read(
            manifests: [],
            digests: tags.filter { $0.fits(.distribution) }.map { .tag($0) }
        )
        // A registry may refuse an invalid tag with any error, which says nothing about the other tags.
        let odd = try await tags.filter { !$0.fits(.distribution) }.mapConcurrently(limit: Self.parallelCalls) { tag in
            do {
                return (tag, Result<Digest?, CopyError>.success(try await digest(of: tag)))
            } catch let error as CopyError {
                return (tag, .failure(error))
            }
        }
        for (tag, answer) in odd {
            switch answer {
            case .success(let digest): reading.digests[.tag(tag)] = digest
            case .failure(let error): reading.failures[.tag(tag)] = error.reason
            }
        }
        var byDigest: [Digest: [Tag]] = [:]
        for (id, digest) in reading.digests {
            if let tag = id.tag { byDigest[digest, default: []].append(tag) }
        }
        listing.images = byDigest.map { ListedImage(digest: $0.key, tags: $0.value.sorted()) }
            .sorted { $0.digest < $1.digest }
        for tag in tags where reading.digests[.tag(tag)] == nil {
            listing.unusableTags.append(
                ImageSelection.UnusableTag(name: tag.value, reason: reading.failures[.tag(tag)] ?? .imageMissing)
            )
        }
        return listing
    }

    private func digest(of tag: Tag) async throws -> Digest? {
        try await read(manifests: [], digests: [.tag(tag)]).digests[.tag(tag)]
    }

    /// Does nothing, because a plain registry creates a repository on push.
    func create() async throws {}
}

extension ManifestID {
    /// The tag if there is one, otherwise the digest; that both agree is checked in the response.
    var manifestReference: ManifestReference {
        switch self {
        case .tag(let tag), .both(let tag, _): .tag(tag)
        case .digest(let digest): .digest(digest)
        }
    }
}

extension Reading {
    fileprivate mutating func note(_ manifest: Manifest, _ id: ManifestID) {
        if let digest = id.digest, manifest.digest != digest {
            failures[id] = .tagMismatch
        } else {
            manifests[id] = manifest
            digests[id] = manifest.digest
        }
    }
}

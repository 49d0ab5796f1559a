internal import Content
internal import FoundationEssentials
internal import Platform
internal import Wire

/// An image layout on this machine, as a repository, for moves between networks that aren't connected.
///
/// Tags are the `org.opencontainers.image.ref.name` of entries of `index.json`. A blob is written under a temporary
/// name, and gets its own name once it is complete and verified. A manifest without a tag is a file among the blobs; it
/// has an entry only if it has a subject, or if nothing else leads to it.
///
/// - Source: OCI image-spec 1.1, `image-layout.md`
struct LayoutImageRepository: ImageRepository {
    let reference: ImageReference
    let side: CopyError.Side
    let registryKey: String
    private let store: LayoutStore
    private let reader: LayoutReader

    /// - Parameter store: The layout's files, for tests.
    init(_ reference: ImageReference, _ store: LayoutStore, side: CopyError.Side) {
        self.reference = reference.bare
        self.side = side
        self.store = store
        reader = LayoutReader(store, reference.bare, side: side)
        registryKey = "oci:\(store.path)"
    }

    /// - Parameter place: Where the files are; ``LayoutPlace`` has already separated a name after the path.
    init(_ reference: ImageReference, _ place: LayoutPlace, side: CopyError.Side, clock: any Clock<Duration>) {
        self.reference = reference.bare
        self.side = side
        store = LayoutStore(path: place.path, clock: clock)
        reader = LayoutReader(store, reference.bare, side: side, scope: place.scope)
        registryKey = "oci:\(place.path)"
    }

    /// Always true, since a file can be lost or damaged without the layout knowing.
    var checksContent: Bool { true }

    // MARK: Reading

    func read(manifests: [ManifestID], digests: [ManifestID]) async throws -> Reading {
        try await explained("reading the layout") {
            try await FileWork.run { _ in try reader.read(manifests: manifests, digests: digests) }
        }
    }

    func list() async throws -> ImageListing {
        try await explained("listing the layout") { try await FileWork.run { _ in try reader.listing() } }
    }

    func soleImage() async throws -> ManifestID? {
        try await explained("reading the layout") { try await FileWork.run { _ in try reader.soleImage() } }
    }

    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        try await explained("looking for blobs") { try await reader.missing(blobs) }
    }

    func source(of blob: Descriptor) async throws -> RelaySource {
        try await explained("reading a blob") { try await FileWork.run { _ in try reader.source(of: blob) } }
    }

    // MARK: Writing

    /// Makes the layout; it is made when the first blob or manifest is put.
    func create() async throws {
        try await explained("making the layout") {
            try await FileWork.run { _ in
                _ = try reader.index()
                try store.make()
            }
        }
    }

    func receive(_ incoming: any IncomingBlob) async throws -> BlobReception {
        try await create()
        do {
            try incoming.noteOpened()
            _ = try await incoming.send(to: .file(store.blobPath(incoming.blob.digest)))
            return .stored
        } catch {
            throw uploadFailure(error, incoming.blob)
        }
    }

    func put(_ manifest: Manifest, tag: Tag?) async throws {
        try await create()
        try await explained("storing the manifest", tag.map { .both($0, manifest.digest) } ?? .digest(manifest.digest))
        {
            guard let tag else {
                try await FileWork.run { _ in try store.write(manifest) }
                if manifest.subject != nil { try await enter(manifest) }
                return
            }
            try await store.change { index in
                let stored = try merged(manifest, under: tag, index)
                try store.write(stored)
                var entry = stored.descriptor
                let name = reader.name(tag)
                entry.annotations = [ImageLayout.tagAnnotation: name]
                if stored.subject != nil { entry.artifactType = stored.listing.artifactType }
                let held = index.entries.filter { $0.tagText == name }
                guard held.count != 1 || held[0].digest != stored.digest else { return }
                index.remove { $0.tagText == name || ($0.imageNames.isEmpty && $0.digest == stored.digest) }
                index.append(entry)
            }
        }
    }

    func keepUntagged(_ root: Manifest) async throws {
        try await explained("storing the manifest", .digest(root.digest)) { try await enter(root) }
    }

    /// Adds an entry without a tag, unless there is one already.
    private func enter(_ manifest: Manifest) async throws {
        try await store.change { index in
            guard !index.entries.contains(where: { $0.digest == manifest.digest }) else { return }
            var entry = manifest.descriptor
            if manifest.subject != nil { entry.artifactType = manifest.listing.artifactType }
            index.append(entry)
        }
    }

    /// Merges a list of referrers with the entries listed already; any other manifest stays as it is.
    private func merged(_ manifest: Manifest, under tag: Tag, _ index: IndexText) throws -> Manifest {
        guard tag.subject != nil, manifest.kind == .index,
            let held = index.entries.first(where: { $0.tagText == tag.value }),
            // A damaged list is replaced.
            let current = try? store.manifest(held.digest, as: held.mediaType), current.kind == .index
        else { return manifest }
        return try current.listing(manifest.children, preferring: manifest)
    }

    // MARK: Referrers

    func referrers(of digest: Digest) async throws -> ReferrerListing? {
        try await explained("looking for referrers", .digest(digest)) {
            ReferrerListing(try await FileWork.run { _ in try reader.referrers(of: digest) })
        }
    }

    func listDigestTags() async throws -> DigestTagListing? {
        DigestTagListing(of: try await list().images.flatMap(\.tags))
    }

    func ownList(ofReferrersTo subject: Digest) async throws -> Set<Digest>? {
        Set(try await referrers(of: subject)?.entries.map(\.digest) ?? [])
    }

    func immutability() async throws -> TagImmutability? { nil }
}

extension Descriptor {
    /// The name of an entry of `index.json`, unchanged.
    fileprivate var tagText: String? { annotations[ImageLayout.tagAnnotation] }
}

internal import Content
internal import FoundationEssentials
internal import Platform
internal import Wire

/// An image layout on this machine, as a repository: for moves across a gap that no wire crosses.
///
/// Tags are the `org.opencontainers.image.ref.name` of entries of `index.json`. Blobs arrive under a temporary name
/// and get their own when they are whole and right; what has no tag is a file among the blobs, and has an entry only
/// if it refers to something, or nothing else leads to it.
///
/// - Source: OCI image-spec 1.1, `image-layout.md`
struct LayoutImageRepository: ImageRepository {
    let reference: ImageReference
    let side: CopyError.Side
    let registryKey: String
    private let store: LayoutStore
    private let referrerMap = Lock<ReferrerMap?>(nil)

    /// What refers to what, by one state of `index.json`.
    private struct ReferrerMap: Sendable {
        var index: Digest
        var referrers: [Digest: [Descriptor]]
    }

    init(_ reference: ImageReference, _ layout: ImageLayout, side: CopyError.Side, clock: any Clock<Duration>) {
        self.reference = reference.bare
        self.side = side
        let here = FileManager.default.currentDirectoryPath
        let path = layout.path.hasPrefix("/") ? layout.path : "\(here)/\(layout.path)"
        store = LayoutStore(path: path, clock: clock)
        registryKey = "oci:\(path)"
    }

    // MARK: Reading

    func read(manifests: [ManifestID], digests: [ManifestID]) async throws -> Reading {
        try await explained("reading the layout") {
            var reading = Reading()
            guard try isThere() else { return reading }
            let index = try store.index()
            let wanted = Set(manifests)
            let ids = (manifests + digests).unique()
            let (byTag, byDigest) = first(of: ids, in: index)
            for id in ids {
                let named = id.tag.map { byTag[$0.value] }
                // A tag that isn't there.
                if case .some(nil) = named { continue }
                let entry = named ?? id.digest.flatMap { byDigest[$0] }
                guard let digest = entry?.digest ?? id.digest else { continue }
                if let asked = id.digest, digest != asked {
                    reading.failures[id] = .tagMismatch
                    continue
                }
                guard let manifest = try store.manifest(digest, as: entry?.mediaType) else { continue }
                reading.digests[id] = digest
                if wanted.contains(id) { reading.manifests[id] = manifest }
            }
            return reading
        }
    }

    /// The first entry of each tag and each digest that `ids` name, in one walk: both lists may be long.
    private func first(
        of ids: [ManifestID],
        in index: IndexText
    ) -> (byTag: [String: Descriptor], byDigest: [Digest: Descriptor]) {
        let (tags, digests) = (Set(ids.compactMap(\.tag?.value)), Set(ids.compactMap(\.digest)))
        var byTag: [String: Descriptor] = [:]
        var byDigest: [Digest: Descriptor] = [:]
        for entry in index.entries {
            if let tag = entry.tagText, tags.contains(tag), byTag[tag] == nil { byTag[tag] = entry }
            if digests.contains(entry.digest), byDigest[entry.digest] == nil { byDigest[entry.digest] = entry }
        }
        return (byTag, byDigest)
    }

    func list() async throws -> ImageListing {
        try await explained("listing the layout") {
            guard try isThere() else { return ImageListing() }
            var images: [ListedImage] = []
            var places: [Digest: Int] = [:]
            for entry in try store.index().entries {
                guard let tag = entry.tag else { continue }
                if let place = places[entry.digest] {
                    images[place].tags.append(tag)
                } else {
                    places[entry.digest] = images.count
                    images.append(ListedImage(digest: entry.digest, tags: [tag], mediaType: entry.mediaType))
                }
            }
            return ImageListing(images: images)
        }
    }

    func soleImage() async throws -> ManifestID? {
        try await explained("reading the layout") {
            guard try isThere() else { return nil }
            let entries = try store.index().entries.filter { entry in
                guard entry.tag.map({ !ReferrerFinder.isDigestTag($0) }) ?? true else { return false }
                return (try? store.manifest(entry.digest, as: entry.mediaType))?.subject == nil
            }
            let digests = entries.map(\.digest).unique()
            guard digests.count == 1, let digest = digests.first else {
                let tags = entries.compactMap(\.tag).map(\.value).sorted().joined(separator: ", ")
                throw LayoutError(
                    "the layout holds \(digests.count) images\(tags.isEmpty ? "" : ": \(tags)")",
                    remedy: digests.isEmpty
                        ? "put an image into it first, or name another directory"
                        : "name one of them, as in \(reference):TAG or \(reference)@DIGEST"
                )
            }
            let tags = entries.compactMap(\.tag)
            return tags.count == 1 ? .both(tags[0], digest) : .digest(digest)
        }
    }

    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        Set(blobs.filter { store.size(of: $0.digest) != $0.size }.map(\.digest))
    }

    func source(of blob: Descriptor) async throws -> RelaySource { .file(store.blobPath(blob.digest)) }

    /// Whether there is anything to read.
    ///
    /// - Throws: ``LayoutError`` if there is no layout and there ought to be.
    private func isThere() throws -> Bool {
        switch try store.state() {
        case .layout: return true
        case .missing, .empty:
            guard side == .destination else {
                throw LayoutError(
                    "there is no image layout at \(store.path)",
                    remedy: "name the directory that its oci-layout is in"
                )
            }
            return false
        }
    }

    // MARK: Writing

    /// A layout is made where the first thing is put.
    func create() async throws {
        try await explained("making the layout") {
            _ = try isThere()
            try store.make()
        }
    }

    func startUpload(of blob: Descriptor, mountingFrom sibling: RepositoryName?) async throws -> UploadStart {
        try await create()
        return .open(.file(store.blobPath(blob.digest)))
    }

    func upload(_ blob: Descriptor, to upload: OpenUpload) async throws -> RelaySink {
        .file(store.blobPath(blob.digest))
    }

    /// Files give no answers.
    func explainUpload(_ answer: WireResponse, of blob: Descriptor, sent: WireRequest) async throws -> UploadRefusal? {
        nil
    }

    func closeUpload(_ upload: OpenUpload) async {}

    func put(_ manifest: Manifest, tag: Tag?) async throws {
        try await create()
        try await explained("storing the manifest", tag.map { .both($0, manifest.digest) } ?? .digest(manifest.digest))
        {
            guard let tag else {
                try store.write(manifest)
                if manifest.subject != nil { try await enter(manifest) }
                return
            }
            try await store.change { index in
                let stored = try merged(manifest, under: tag, index)
                try store.write(stored)
                var entry = stored.descriptor
                entry.annotations = [ImageLayout.tagAnnotation: tag.value]
                if stored.subject != nil { entry.artifactType = stored.listing.artifactType }
                let held = index.entries.filter { $0.tagText == tag.value }
                guard held.count != 1 || held[0].digest != stored.digest else { return }
                index.remove { $0.tagText == tag.value || ($0.tagText == nil && $0.digest == stored.digest) }
                index.append(entry)
            }
        }
    }

    func keepUntagged(_ root: Manifest) async throws {
        try await explained("storing the manifest", .digest(root.digest)) { try await enter(root) }
    }

    /// An entry without a tag, unless there is one already.
    private func enter(_ manifest: Manifest) async throws {
        try await store.change { index in
            guard !index.entries.contains(where: { $0.digest == manifest.digest }) else { return }
            var entry = manifest.descriptor
            if manifest.subject != nil { entry.artifactType = manifest.listing.artifactType }
            index.append(entry)
        }
    }

    /// A list of referrers takes in what is listed already; anything else is what it is.
    private func merged(_ manifest: Manifest, under tag: Tag, _ index: IndexText) throws -> Manifest {
        guard tag.subject != nil, manifest.kind == .index,
            let held = index.entries.first(where: { $0.tagText == tag.value }),
            let current = try store.manifest(held.digest, as: held.mediaType), current.kind == .index
        else { return manifest }
        return try current.listing(manifest.children, preferring: manifest)
    }

    // MARK: Referrers

    func referrers(of digest: Digest) async throws -> ReferrerListing? {
        try await explained("looking for referrers", .digest(digest)) {
            guard try isThere() else { return ReferrerListing([]) }
            let index = try store.index()
            let state = Digest(of: index.bytes)
            if let known = referrerMap.withLock({ $0 }), known.index == state {
                return ReferrerListing(known.referrers[digest] ?? [])
            }
            let map = ReferrerMap(index: state, referrers: referrers(in: index))
            referrerMap.withLock { $0 = map }
            return ReferrerListing(map.referrers[digest] ?? [])
        }
    }

    func listDigestTags() async throws -> DigestTagListing? {
        DigestTagListing(of: try await list().images.flatMap(\.tags))
    }

    func ownList(ofReferrersTo subject: Digest) async throws -> Set<Digest>? {
        Set(try await referrers(of: subject)?.entries.map(\.digest) ?? [])
    }

    private func referrers(in index: IndexText) -> [Digest: [Descriptor]] {
        var all: [Digest: [Descriptor]] = [:]
        func note(_ referrer: Descriptor, _ subject: Digest) {
            guard !all[subject, default: []].contains(where: { $0.digest == referrer.digest }) else { return }
            all[subject, default: []].append(referrer)
        }
        for entry in index.entries {
            // One that can't be read refers to nothing that anybody could copy.
            guard let manifest = try? store.manifest(entry.digest, as: entry.mediaType) else { continue }
            if let subject = manifest.subject?.digest { note(manifest.listing, subject) }
            if let subject = entry.tag?.subject { for child in manifest.children { note(child, subject) } }
        }
        return all
    }

    func immutability() async throws -> TagImmutability? { nil }
}

extension Descriptor {
    /// The tag of an entry of `index.json`, as it stands there.
    fileprivate var tagText: String? { annotations[ImageLayout.tagAnnotation] }
    /// The same, if it is one that can be asked for; some tools write whole references there.
    fileprivate var tag: Tag? { tagText.flatMap { try? Tag(parsing: $0) } }
}

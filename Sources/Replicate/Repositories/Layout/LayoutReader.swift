internal import Content
internal import Platform
internal import Wire

/// The files of an image layout, in a directory or in an archive.
protocol LayoutFiles: Sendable {
    /// The absolute path of the directory or the archive.
    var path: String { get }

    /// Returns the index; `nil` if there is no layout.
    func index() throws -> IndexText?

    /// - Parameter type: The media type that the descriptor states.
    /// - Returns: `nil` if the manifest doesn't exist.
    /// - Throws: ``DamagedManifest`` if its bytes have another digest, `LayoutError`, `ManifestError`, `SystemError`
    func manifest(_ digest: Digest, as type: MediaType?) throws -> Manifest?

    /// Returns the file region of a blob, whose hash is not verified yet; `nil` if it doesn't exist.
    func blob(_ digest: Digest) throws -> FileRegion?
}

/// Reads an image layout for one side of a copy.
struct LayoutReader: Sendable {
    let files: any LayoutFiles
    let reference: ImageReference
    let side: CopyError.Side
    /// The part of the requested names before the tag, for example `docker.io/library/alpine`.
    let scope: String?
    private let referrerMap = Lock<ReferrerMap?>(nil)
    /// The blobs whose hash was verified.
    private let sound = Lock<Set<Digest>>([])

    /// The referrers of each subject, for one state of the index.
    private struct ReferrerMap: Sendable {
        var index: IndexText
        var referrers: [Digest: [Descriptor]]
    }

    init(_ files: any LayoutFiles, _ reference: ImageReference, side: CopyError.Side, scope: String? = nil) {
        (self.files, self.reference, self.side, self.scope) = (files, reference, side, scope)
    }

    /// The number of bytes to read from a file at a time for hashing.
    static let chunk = 1 << 20
    /// The most files to hash at once: more don't make a disk faster, and each takes a core.
    static let parallelHashes = 2

    /// Reads the index.
    ///
    /// - Throws: ``LayoutError`` if there is no layout although there must be one.
    func index() throws -> IndexText? {
        if let index = try files.index() { return index }
        guard side == .destination else {
            throw LayoutError(
                "there is no image layout at \(files.path)",
                remedy: "name the directory that contains oci-layout"
            )
        }
        return nil
    }

    // MARK: Manifests

    func read(manifests: [ManifestID], digests: [ManifestID]) throws -> Reading {
        var reading = Reading()
        guard let index = try index() else { return reading }
        let wanted = Set(manifests)
        let ids = (manifests + digests).unique()
        // A tag that is written replaces only the entry listed under exactly that name.
        let byName = LayoutNames(index.entries).find(
            Set(ids.compactMap { $0.tag.map(name) }),
            isExact: side == .destination
        )
        let byDigest = first(of: Set(ids.compactMap(\.digest)), in: index)
        for id in ids {
            var entry = id.digest.flatMap { byDigest[$0] }
            if let tag = id.tag {
                switch byName[name(tag)] {
                case nil: continue
                case .success(let named)?: entry = named
                case .failure(let ambiguity)?:
                    if let digest = id.digest, ambiguity.choices.contains(where: { $0.entry.digest == digest }) {
                        break
                    }
                    reading.failures[id] = reason(ambiguity)
                    continue
                }
            }
            guard let digest = entry?.digest ?? id.digest else { continue }
            if let asked = id.digest, digest != asked {
                reading.failures[id] = .tagMismatch
                continue
            }
            guard let manifest = try manifest(digest, as: entry?.mediaType) else {
                // The tag is taken although its manifest is lost and must be copied again.
                if id.tag != nil, side == .destination {
                    reading.digests[id] = digest
                    reading.lost.insert(digest)
                } else if entry != nil {
                    reading.failures[id] = .unsupported(
                        .damagedLayout(
                            "the layout lists \(digest) and does not hold it: blobs/sha256/\(digest.hex) is missing"
                        )
                    )
                }
                continue
            }
            reading.digests[id] = digest
            if wanted.contains(id) { reading.manifests[id] = manifest }
        }
        return reading
    }

    /// Reads a manifest; at a destination, a damaged one counts as lost and is written again.
    private func manifest(_ digest: Digest, as type: MediaType?) throws -> Manifest? {
        do {
            return try files.manifest(digest, as: type)
        } catch let damaged as DamagedManifest {
            guard side == .destination else { throw damaged.layoutError }
            return nil
        } catch is ManifestError where side == .destination {
            return nil
        }
    }

    /// The name of an image with this tag in the layout; a digest tag may be about any image, so it never has a prefix.
    func name(_ tag: Tag) -> String {
        guard let scope, !ReferrerFinder.isDigestTag(tag) else { return tag.value }
        return "\(scope):\(tag)"
    }

    /// The first entry of each of `digests`, in one pass, because both lists may be long.
    private func first(of digests: Set<Digest>, in index: IndexText) -> [Digest: Descriptor] {
        guard !digests.isEmpty else { return [:] }
        var found: [Digest: Descriptor] = [:]
        for entry in index.entries where digests.contains(entry.digest) && found[entry.digest] == nil {
            found[entry.digest] = entry
        }
        return found
    }

    // MARK: Names

    /// Lists every image, and the entries that can't be read as one.
    func listing() throws -> ImageListing {
        let odd = try index()?.oddEntries ?? []
        return ImageListing(
            images: try list(),
            unusableTags: odd.map { entry in
                let name = "manifests[\(entry.position)] of index.json"
                return ImageSelection.UnusableTag(
                    name: name,
                    reason: .unsupported(.damagedLayout(entry.reason))
                )
            }
        )
    }

    private func list() throws -> [ListedImage] {
        guard let index = try index() else { return [] }
        let names = LayoutNames(index.entries)
        let (choices, shared) = (names.choices, names.sharedTags)
        return choices.map { choice in
            var image = ListedImage(
                digest: choice.entry.digest,
                tags: choice.tags.filter { !shared.contains($0) },
                mediaType: choice.entry.mediaType
            )
            image.sharedTags = choice.tags.filter { shared.contains($0) }
            image.names = choice.names.filter { name in !choice.tags.contains { $0.value == name } }
            if choice.tags.isEmpty {
                let manifest = try? files.manifest(choice.entry.digest, as: choice.entry.mediaType)
                image.subject = manifest?.subject?.digest
            }
            return image
        }
    }

    func soleImage() throws -> ManifestID? {
        guard let index = try index() else { return nil }
        let names = LayoutNames(index.entries)
        let all = names.choices
        if let scope {
            switch names.find([scope])[scope] {
            case .success(let entry)?: return .digest(entry.digest)
            case .failure(let ambiguity)?: throw refusal(ambiguity)
            case nil:
                throw LayoutError(
                    "no image of the layout is called '\(quotable(scope, upTo: 200))': it holds "
                        + (all.isEmpty ? "none" : all.shown),
                    remedy: "name one of these, as in \(place)@DIGEST"
                )
            }
        }
        let choices = all.filter { choice in
            guard choice.tags.allSatisfy({ !ReferrerFinder.isDigestTag($0) }) else { return false }
            return (try? files.manifest(choice.entry.digest, as: choice.entry.mediaType))?.subject == nil
        }
        guard choices.count == 1, let choice = choices.first else {
            throw LayoutError(
                "the layout holds \(choices.count) images\(choices.isEmpty ? "" : ": \(choices.shown)")",
                remedy: choices.isEmpty
                    ? "put an image into it first, or name another"
                    : "name one of them, as in \(place):TAG or \(place)@DIGEST"
            )
        }
        return choice.tags.count == 1 ? .both(choice.tags[0], choice.entry.digest) : .digest(choice.entry.digest)
    }

    /// The layout's reference, without a name in it.
    private var place: String {
        guard let scope else { return "\(reference)" }
        return String("\(reference)".dropLast(scope.count + 1))
    }

    private func refusal(_ ambiguity: LayoutNames.Ambiguity) -> LayoutError {
        LayoutError(Self.cause(ambiguity), remedy: "name one by its digest, as in \(example(ambiguity))")
    }

    private func reason(_ ambiguity: LayoutNames.Ambiguity) -> CopyError.Reason {
        .unsupported(.ambiguousName(Self.cause(ambiguity), example: example(ambiguity)))
    }

    static func cause(_ ambiguity: LayoutNames.Ambiguity) -> String {
        "\(ambiguity.choices.count) images of the layout are called '\(quotable(ambiguity.name, upTo: 200))': "
            + ambiguity.choices.shown
    }

    /// One of the images by its digest.
    private func example(_ ambiguity: LayoutNames.Ambiguity) -> String {
        ambiguity.choices.first.map { "\(place)@\($0.entry.digest)" } ?? "\(place)@DIGEST"
    }

    // MARK: Blobs

    /// Returns those of `blobs` that don't exist; at a destination, also those with the wrong hash.
    ///
    /// A source's blobs are hashed when they are moved.
    func missing(_ blobs: [Descriptor]) async throws -> Set<Digest> {
        let answers = try await blobs.mapConcurrently(limit: Self.parallelHashes) { (blob: Descriptor) in
            (blob.digest, try await holds(blob))
        }
        return Set(answers.filter { !$0.1 }.map(\.0))
    }

    private func holds(_ blob: Descriptor) async throws -> Bool {
        guard let region = try files.blob(blob.digest), region.byteCount == blob.size else { return false }
        guard side == .destination, !sound.withLock({ $0.contains(blob.digest) }) else { return true }
        let found = try await FileWork.run { try region.digest(isCancelled: $0) }
        guard found == blob.digest else { return false }
        sound.withLock { _ = $0.insert(blob.digest) }
        return true
    }

    func source(of blob: Descriptor) throws -> RelaySource {
        guard let region = try files.blob(blob.digest) else {
            throw CopyError(
                .blobMissing(blob.digest),
                side: side,
                image: reference,
                operation: "reading \(blob.digest)"
            )
        }
        return .file(region)
    }

    // MARK: Referrers

    func referrers(of digest: Digest) throws -> [Descriptor] {
        guard let index = try index() else { return [] }
        if let known = referrerMap.withLock({ $0 }), known.index == index { return known.referrers[digest] ?? [] }
        let map = ReferrerMap(index: index, referrers: referrers(in: index))
        referrerMap.withLock { $0 = map }
        return map.referrers[digest] ?? []
    }

    private func referrers(in index: IndexText) -> [Digest: [Descriptor]] {
        var all: [Digest: [Descriptor]] = [:]
        func note(_ referrer: Descriptor, _ subject: Digest) {
            guard !all[subject, default: []].contains(where: { $0.digest == referrer.digest }) else { return }
            all[subject, default: []].append(referrer)
        }
        for entry in index.entries {
            // A manifest that can't be read has no subject that could be copied.
            guard let manifest = try? files.manifest(entry.digest, as: entry.mediaType) else { continue }
            if let subject = manifest.subject?.digest { note(manifest.listing, subject) }
            if let subject = entry.imageTag?.subject { for child in manifest.children { note(child, subject) } }
        }
        return all
    }
}

extension FileRegion {
    /// Hashes the whole region; call it on a thread that may wait for the disk.
    ///
    /// - Throws: `CancellationError`, or the file system's error.
    func digest(isCancelled: () -> Bool) throws -> Digest {
        var hasher = SHA256Hasher()
        var position: Int64 = 0
        while position < byteCount {
            guard !isCancelled() else { throw CancellationError() }
            let chunk = try read(at: position, count: LayoutReader.chunk)
            guard !chunk.isEmpty else { break }
            hasher.update(chunk)
            position += Int64(chunk.count)
        }
        return hasher.finishDigest()
    }
}

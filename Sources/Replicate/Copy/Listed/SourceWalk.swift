internal import Content
internal import Platform

/// Reads what the source has of some images, in as few requests as the registry allows, and keeps no bytes.
///
/// At ECR the listing names every digest tag and every referrer with its subject, so nothing is asked about them.
/// Indexes are read first, and a request that would not be full is filled with untagged images, which are likely the
/// children of these indexes: N manifests then take ⌈N/100⌉ `BatchGetImage`.
struct SourceWalk {
    private let source: SourceListing
    private let options: CheckOptions
    private(set) var content = SourceContent()
    /// The manifests to read.
    private var queue: [Int] = []
    /// Untagged images of the listing that may be needed.
    private var candidates: ArraySlice<ListedImage>
    private var pieceSize = SourceReader.pieceSize
    /// Where platforms are selected: the target of each root, once the root was read.
    private var narrowed: [Int: Narrowed?] = [:]
    /// Reads the platform of a single image.
    private let platform: (Manifest) async throws -> ImagePlatform?
    /// The single images among the roots, if their platform decides.
    private var singles: [(number: Int, outline: Manifest)] = []
    /// The content of children that an index embeds, for those that the source does not hold.
    private var embedded: [Int: Descriptor] = [:]
    /// Entries of indexes whose media type doesn't say whether they are manifests.
    private var unsure: [Int: [(parent: Int, entry: Descriptor)]] = [:]
    /// Layers that the source need not hold.
    private var foreign: [(node: Int, layer: Descriptor)] = []
    /// Lists of referrers, by node.
    private var lists: [Int: Manifest] = [:]

    private struct Narrowed {
        var result: Result<Int, CopyError>
        var notes: [String] = []
    }

    /// - Parameter platform: Reads the platform of a single image; `nil` if it has none.
    init(
        _ source: SourceListing,
        _ options: CheckOptions,
        platform: @escaping (Manifest) async throws -> ImagePlatform?
    ) {
        (self.source, self.options, self.platform) = (source, options, platform)
        let untagged = source.referrers == nil ? [] : source.images ?? []
        candidates =
            untagged.filter { image in
                image.tags.isEmpty && image.subject == nil && !image.isArchived
                    && image.mediaType?.isImageManifest == true
            }[...]
    }

    /// - Throws: ``CopyError`` if the source can't be read.
    mutating func read(_ images: [ListedImage]) async throws -> SourceContent {
        for image in images {
            let root = content.number(of: image.digest, image.mediaType)
            content.images.append(SourceContent.Image(root: root))
            if options.platforms.isEmpty {
                need(root)
            } else if narrowed[root] == nil {
                narrowed[root] = .some(nil)
                queue.append(root)
            }
        }
        try await readQueue()
        try await matchSingles()
        try await readQueue()
        takeTargets()
        if options.referrers == .all, source.referrers == nil {
            try await findReferrers()
            try await readQueue()
        }
        dropDeadEntries()
        try await settleBlobs()
        return content
    }

    // MARK: Reading

    private mutating func readQueue() async throws {
        while !queue.isEmpty {
            let piece = nextPiece()
            let answer = try await source.from.readSeparately(
                manifests: piece.map { .digest(content.nodes[$0].digest) },
                endingOn: { !$0.isAboutOneManifest }
            )
            var postponed: [Int] = []
            for number in piece {
                let id = ManifestID.digest(content.nodes[number].digest)
                if let manifest = answer.reading.manifests[id] {
                    record(manifest, at: number)
                } else if let error = answer.failures[id] {
                    fail(number, error)
                } else if answer.reading.postponed.contains(id) {
                    postponed.append(number)
                } else if let entry = embedded[number], let data = entry.data,
                    let manifest = try? Manifest(bytes: data, mediaType: entry.mediaType)
                {
                    record(manifest, at: number)
                } else {
                    content.nodes[number].state = .absent
                    if let root = narrowed[number], root == nil { fail(number, missing(number)) }
                }
            }
            if !postponed.isEmpty { pieceSize = SourceReader.largePieceSize }
            // What one manifest of the piece needs may have been read with the same piece.
            queue = (postponed + queue).unique().filter { content.nodes[$0].isUnread }
        }
    }

    private mutating func nextPiece() -> [Int] {
        queue = queue.filter(mayHaveChildren) + queue.filter { !mayHaveChildren($0) }
        var piece = Array(queue.prefix(pieceSize))
        queue.removeFirst(piece.count)
        guard pieceSize == SourceReader.pieceSize, piece.first.map(mayHaveChildren) == true else { return piece }
        while piece.count % ECRImageRepository.idsPerCall != 0, let candidate = candidates.popFirst() {
            guard content.number(of: candidate.digest) == nil else { continue }
            piece.append(content.number(of: candidate.digest, candidate.mediaType))
        }
        return piece
    }

    private func mayHaveChildren(_ number: Int) -> Bool { content.nodes[number].mediaType?.isIndex ?? true }

    private mutating func fail(_ number: Int, _ error: CopyError) {
        content.nodes[number].state = .failed(error)
        if narrowed[number] != nil { narrowed[number] = Narrowed(result: .failure(error)) }
    }

    private func missing(_ number: Int) -> CopyError {
        failure(.imageMissing, content.nodes[number].digest)
    }

    private mutating func record(_ manifest: Manifest, at number: Int) {
        content.nodes[number].state = .read
        content.nodes[number].mediaType = manifest.mediaType
        if content.nodes[number].isList, let subject = content.nodes[number].listSubject {
            lists[number] = manifest
            content.nodes[number].children = manifest.listedDigests(about: subject).map {
                content.number(of: $0, nil)
            }
        } else {
            for entry in manifest.children {
                let child = content.number(of: entry.digest, entry.mediaType)
                content.nodes[number].children.append(child)
                if entry.data != nil { embedded[child] = entry }
                if !entry.mediaType.isManifest { unsure[child, default: []].append((number, entry)) }
            }
        }
        content.nodes[number].blobs = manifest.blobs.map { content.number(of: $0) }
        foreign += manifest.foreignBlobs.map { (number, $0) }
        if narrowed[number] != nil { narrow(manifest, at: number) }
        if content.nodes[number].isNeeded { for child in content.nodes[number].children { need(child) } }
    }

    /// Marks a manifest, what it names and what refers to it as needed, as far as the listing tells.
    private mutating func need(_ number: Int) {
        var waiting = [number]
        while let next = waiting.popLast() {
            guard !content.nodes[next].isNeeded else { continue }
            content.nodes[next].isNeeded = true
            if content.nodes[next].isUnread {
                queue.append(next)
            } else {
                waiting += content.nodes[next].children
            }
            guard options.referrers == .all, let index = source.referrers else { continue }
            let digest = content.nodes[next].digest
            for entry in index.listing(of: digest).entries {
                let referrer = content.number(of: entry.digest, entry.mediaType)
                content.nodes[next].referrers.append(referrer)
                waiting.append(referrer)
            }
            for tag in (source.digestTags.listing.tags[digest] ?? []).sorted() {
                guard let held = source.digestTagged[tag], held != digest else { continue }
                let tagged = content.number(of: held, nil)
                content.nodes[next].tagged.append(SourceContent.Tagged(tag: tag, node: tagged))
                content.nodes[tagged].listSubject = content.nodes[tagged].listSubject ?? tag.subject
                waiting.append(tagged)
            }
        }
    }

    // MARK: Platforms

    /// Takes single images for one of the selected platforms, or for none, as they are.
    private mutating func matchSingles() async throws {
        for (number, image) in singles {
            do {
                let platform = try await self.platform(image)
                if let reason = PlatformSelection(wanted: options.platforms).refusal(of: platform) {
                    fail(number, failure(reason, image.digest))
                } else {
                    narrowed[number] = Narrowed(result: .success(number))
                    need(number)
                }
            } catch let error as CopyError where !error.endsRun {
                fail(number, error)
            }
        }
        singles = []
    }

    private func failure(_ reason: CopyError.Reason, _ digest: Digest) -> CopyError {
        let image = source.reference.tagged(nil, digest: digest)
        return CopyError(reason, side: .source, image: image, operation: "reading the image")
    }

    /// Replaces a root by what the selected platforms make of it.
    private mutating func narrow(_ root: Manifest, at number: Int) {
        guard root.kind == .index || !options.matchesSingleImages else {
            singles.append((number, root.outline()))
            return
        }
        do {
            let selected = try PlatformSelection(wanted: options.platforms).narrow(root)
            let target: Int
            switch selected.root {
            case .whole: target = number
            case .child(let entry): target = content.number(of: entry.digest, entry.mediaType)
            case .made(let manifest):
                target = content.number(of: manifest.digest, manifest.mediaType)
                // It is in no registry yet, so nothing refers to it.
                content.nodes[target].isNeeded = true
                record(manifest, at: target)
            }
            narrowed[number] = Narrowed(result: .success(target), notes: selected.notes)
            need(target)
        } catch {
            fail(number, failure(error.reason, root.digest))
        }
    }

    private mutating func takeTargets() {
        for index in content.images.indices {
            let root = content.images[index].root
            if let target = narrowed[root] ?? nil {
                content.images[index].notes = target.notes
                switch target.result {
                case .success(let number): content.images[index].root = number
                case .failure(let error): content.images[index].failure = error
                }
            }
            let node = content.nodes[content.images[index].root]
            if content.images[index].failure == nil, !node.isRead {
                content.images[index].failure = node.failure ?? missing(content.images[index].root)
            }
        }
    }

    // MARK: Referrers

    /// Asks for the referrers of each image, at registries whose listing doesn't have them.
    private mutating func findReferrers() async throws {
        let targets = content.images.filter { $0.failure == nil }.map(\.root).unique()
        let subjects = targets.map { target in
            // An index that is made of the selected platforms is in no registry.
            content.reachable(from: [target]).map { content.nodes[$0].digest }
                .filter { options.platforms.isEmpty || $0 != content.nodes[target].digest || isStored(target) }
        }
        let finder = ReferrerFinder(
            reader: SourceReader(source.from, digestTags: source.digestTags),
            repository: source.from
        )
        let found = try await subjects.mapConcurrently(limit: CopyRun.parallelImages) { subjects in
            try await finder.findAll(about: subjects)
        }
        for (target, referrers) in zip(targets, found) {
            for index in content.images.indices where content.images[index].root == target {
                content.images[index].leftOut += referrers.failures.map(\.error)
            }
            for (tag, manifest) in referrers.tagged {
                let node = content.number(of: manifest.digest, manifest.mediaType)
                content.nodes[node].listSubject = content.nodes[node].listSubject ?? tag.subject
                let subject = tag.digestTagSubject.flatMap { content.number(of: $0) } ?? target
                let entry = SourceContent.Tagged(tag: tag, node: node)
                if !content.nodes[subject].tagged.contains(where: { $0.tag == tag }) {
                    content.nodes[subject].tagged.append(entry)
                }
                if content.nodes[node].isUnread { record(manifest, at: node) }
                need(node)
            }
            for digest in referrers.digests {
                let node = content.number(of: digest, nil)
                let subject = referrers.subjects[digest].flatMap { content.number(of: $0) } ?? target
                if subject != node, !content.nodes[subject].referrers.contains(node) {
                    content.nodes[subject].referrers.append(node)
                }
                need(node)
            }
        }
    }

    /// Whether the source holds a manifest, which an index made of selected platforms is not.
    private func isStored(_ number: Int) -> Bool {
        narrowed.keys.contains(number) || content.nodes.contains { $0.children.contains(number) }
    }

    /// Removes the entries of lists that the source no longer has, as a copy does.
    private mutating func dropDeadEntries() {
        for (number, list) in lists.sorted(by: { $0.key < $1.key }) {
            let alive = content.nodes[number].children.filter { !content.nodes[$0].isAbsent }
            guard alive.count < content.nodes[number].children.count else { continue }
            let digests = Set(alive.map { content.nodes[$0].digest })
            let rest = try? list.listing { !digests.contains($0.digest) }
            let replacement = alive.isEmpty ? nil : rest.map { content.number(of: $0.digest, $0.mediaType) }
            if let replacement {
                content.nodes[replacement].state = .read
                content.nodes[replacement].isNeeded = true
                content.nodes[replacement].listSubject = content.nodes[number].listSubject
                content.nodes[replacement].children = alive
            }
            for node in content.nodes.indices {
                content.nodes[node].tagged = content.nodes[node].tagged.compactMap { tagged in
                    guard tagged.node == number else { return tagged }
                    return replacement.map { SourceContent.Tagged(tag: tagged.tag, node: $0) }
                }
            }
        }
        lists = [:]
    }

    // MARK: Blobs

    /// Asks the source for the content that it need not hold as a blob, and expects it at the destination if it does.
    private mutating func settleBlobs() async throws {
        var asked: [(node: Int, blob: Descriptor)] = foreign.filter { content.nodes[$0.node].isNeeded }
            .map { ($0.node, $0.layer) }
        for (child, entries) in unsure.sorted(by: { $0.key < $1.key }) where content.nodes[child].isAbsent {
            for (parent, entry) in entries where content.nodes[parent].isNeeded {
                content.nodes[parent].children.removeAll { $0 == child }
                asked.append((parent, entry))
            }
        }
        guard !asked.isEmpty else { return }
        let missing: Set<Digest>
        do {
            missing = try await source.from.missing(asked.map(\.blob))
        } catch let error as CopyError where error.kind == .notPermitted {
            return
        }
        for (node, blob) in asked where !missing.contains(blob.digest) {
            let number = content.number(of: blob)
            if !content.nodes[node].blobs.contains(number) { content.nodes[node].blobs.append(number) }
        }
    }
}

extension CopyError {
    /// Whether the error is about the bytes or the name of one manifest, so that others may be read.
    var isAboutOneManifest: Bool {
        switch reason {
        case .corrupt, .badManifest, .unsupported, .tagUnfit: true
        default: false
        }
    }
}

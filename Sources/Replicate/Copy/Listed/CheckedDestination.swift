package import Content
internal import Platform

/// A destination repository that is compared with a source.
package struct CheckedDestination: Sendable {
    /// The repository, without tag and digest.
    package let reference: ImageReference
    /// Whether the repository does not exist.
    package let isMissing: Bool
    /// What each tag holds; `nil` where the registry must be asked for single tags.
    package let tags: [Tag: Digest]?
    let repository: any ImageRepository

    /// Whether the registry adds entries to its own lists of referrers, so that the digest of a list may differ.
    var mergesLists: Bool {
        switch repository.reference.registry {
        case .ecr, .callersOwn: false
        case .plain, .layout: true
        }
    }
}

/// What a destination has of some content, by the numbers of ``SourceContent``.
struct ContentFaults: Sendable {
    enum Fault: Sendable, Equatable {
        case missing, archived
        case corrupt(String)
    }

    var tags: [Tag: Digest] = [:]
    /// The manifests that are not as they should be.
    var manifests: [Int: Fault] = [:]
    /// The blobs that are not as they should be.
    var blobs: [Int: Fault] = [:]
    /// The referrers that the registry's own lists name, where it keeps such lists, by subject.
    var listed: [Digest: Set<Digest>] = [:]
}

/// Asks a destination for tags, manifests and blobs in bulk.
struct DestinationQuestions: Sendable {
    let destination: CheckedDestination
    let content: SourceContent
    let options: CheckOptions
    let mover: BlobMover

    private var repository: any ImageRepository { destination.repository }

    /// - Parameters:
    ///   - roots: The images' manifests.
    ///   - tags: The images' tags.
    /// - Throws: ``CopyError`` if the destination can't be read.
    func faults(under roots: [Int], tags: [Tag]) async throws -> ContentFaults {
        let reachable = content.reachable(from: roots)
        let nodes = reachable.filter { number in
            let node = content.nodes[number]
            return node.isRead && !(node.isList && destination.mergesLists)
        }
        let digestTags = reachable.flatMap { content.nodes[$0].tagged }.filter { tagged in
            !(content.nodes[tagged.node].isList && destination.mergesLists)
        }
        async let manifests = manifests(nodes)
        async let blobs = blobs(nodes.flatMap { content.nodes[$0].blobs }.unique())
        async let held = held(tags + digestTags.map(\.tag))
        async let listed = listed(reachable)
        var faults = ContentFaults()
        faults.tags = try await held
        faults.listed = try await listed
        (faults.manifests, faults.blobs) = (try await manifests, try await blobs)
        if options.isDeep {
            let there = nodes.flatMap { content.nodes[$0].blobs }.unique().filter { [faults] in faults.blobs[$0] == nil
            }
            faults.blobs.merge(try await hash(there)) { first, _ in first }
        }
        return faults
    }

    private func held(_ tags: [Tag]) async throws -> [Tag: Digest] {
        if let known = destination.tags { return known }
        var held: [Tag: Digest] = [:]
        for piece in tags.unique().chunked(SourceReader.pieceSize) {
            let reading = try await repository.read(manifests: [], digests: piece.map { .tag($0) })
            for tag in piece {
                if let reason = reading.failures[.tag(tag)] { throw failure(reason, .tag(tag), "reading the tag") }
                held[tag] = reading.digests[.tag(tag)]
            }
        }
        return held
    }

    private func manifests(_ nodes: [Int]) async throws -> [Int: ContentFaults.Fault] {
        var faults: [Int: ContentFaults.Fault] = [:]
        var waiting = nodes[...]
        var pieceSize = SourceReader.pieceSize
        while !waiting.isEmpty {
            let piece = Array(waiting.prefix(pieceSize))
            waiting.removeFirst(piece.count)
            let ids = piece.map { ManifestID.digest(content.nodes[$0].digest) }
            // The bytes are hashed as they are read.
            let answer = try await repository.readSeparately(
                manifests: options.isDeep ? ids : [],
                digests: options.isDeep ? [] : ids,
                endingOn: { !$0.isAboutOneManifest }
            )
            var postponed: [Int] = []
            for (number, id) in zip(piece, ids) {
                let digest = content.nodes[number].digest
                if let error = answer.failures[id] {
                    switch error.reason {
                    case .archived: faults[number] = .archived
                    case .corrupt(_, let detail): faults[number] = .corrupt(detail)
                    case .badManifest(let error): faults[number] = .corrupt("\(error)")
                    default: throw error
                    }
                } else if answer.reading.postponed.contains(id) {
                    postponed.append(number)
                } else if answer.reading.digests[id] != digest || answer.reading.lost.contains(digest) {
                    faults[number] = .missing
                }
            }
            if !postponed.isEmpty { pieceSize = SourceReader.largePieceSize }
            waiting = (postponed + waiting)[...]
        }
        return faults
    }

    private func blobs(_ numbers: [Int]) async throws -> [Int: ContentFaults.Fault] {
        var faults: [Int: ContentFaults.Fault] = [:]
        // ECR can't hold a blob without bytes, and refuses the question.
        let isECR = !destination.mergesLists
        let asked = numbers.filter { !isECR || content.blobs[$0].digest != .ofNothing }
        for number in numbers where isECR && content.blobs[number].digest == .ofNothing { faults[number] = .missing }
        for piece in asked.chunked(SourceReader.pieceSize) {
            let missing = try await repository.missing(piece.map { content.blobs[$0].descriptor })
            for number in piece where missing.contains(content.blobs[number].digest) { faults[number] = .missing }
        }
        return faults
    }

    /// What the registry's own lists of referrers name, where it keeps such lists.
    private func listed(_ nodes: [Int]) async throws -> [Digest: Set<Digest>] {
        guard options.referrers == .all, destination.mergesLists else { return [:] }
        let subjects = nodes.filter { number in
            let node = content.nodes[number]
            return !node.referrers.isEmpty || node.tagged.contains { content.nodes[$0.node].isList }
        }.map { content.nodes[$0].digest }
        let lists = try await subjects.mapConcurrently(limit: DestinationState.parallelQuestions) {
            [repository] subject in (subject, try await repository.ownList(ofReferrersTo: subject))
        }
        return Dictionary(lists.compactMap { subject, list in list.map { (subject, $0) } }) { first, _ in first }
    }

    // MARK: Bytes

    /// The most blobs that are downloaded at once; the admission of the run limits them further.
    private static let parallelDownloads = Admission.mostAtOnce

    /// Downloads blobs, and returns those whose bytes are not what they should be.
    private func hash(_ numbers: [Int]) async throws -> [Int: ContentFaults.Fault] {
        let results = try await numbers.mapConcurrently(limit: Self.parallelDownloads) { number in
            (number, try await mover.fault(of: content.blobs[number].descriptor, at: repository))
        }
        return Dictionary(results.compactMap { number, fault in fault.map { (number, $0) } }) { first, _ in first }
    }

    private func failure(_ reason: CopyError.Reason, _ id: ManifestID, _ operation: String) -> CopyError {
        let image = repository.reference.tagged(id.tag, digest: id.digest)
        return CopyError(reason, side: .destination, image: image, operation: operation)
    }
}

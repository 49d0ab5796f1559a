internal import Content
internal import Platform

/// What one run knows about blobs: which repository holds them, and which destinations still need them.
///
/// A run has one index, so that all its images share what each has learned.
final class BlobIndex: Sendable {
    private struct Wish: Hashable, Sendable {
        var source: String
        var digest: Digest
    }

    private struct State: Sendable {
        /// The blobs that were found at a place, or moved to it, by place.
        var held: [String: Set<Digest>] = [:]
        /// A repository that holds the blob, by registry and digest.
        var holders: [String: [Digest: RepositoryName]] = [:]
        /// The number of mounts that a registry has declined, by registry.
        var declines: [String: Int] = [:]
        /// Destinations that lack a blob and will soon ask for it.
        var wanted: [Wish: [any BlobReceiver]] = [:]
        /// Places that are served by themselves, because they kept others waiting or have failed.
        var alone: Set<String> = []
        /// The moves that have been counted for one of the images that needed them.
        var counted: Set<BlobTransfer.Key> = []
    }

    /// How many mounts a registry may decline before no more are requested.
    static let mostDeclines = 2

    private let state = Lock(State())

    // MARK: Holding

    func holds(_ digest: Digest, at place: any RepositoryPlace) -> Bool {
        state.withLock { $0.held[place.placeKey]?.contains(digest) ?? false }
    }

    func note(_ digests: some Sequence<Digest>, at place: any RepositoryPlace) {
        state.withLock { $0.held[place.placeKey, default: []].formUnion(digests) }
    }

    /// Notes that this run has put a blob into a repository, which others of its registry may mount it from.
    func noteMoved(_ digest: Digest, to place: any RepositoryPlace) {
        state.withLock { state in
            state.held[place.placeKey, default: []].insert(digest)
            state.holders[place.registryKey, default: [:]][digest] = place.reference.repository
        }
    }

    /// Notes that a repository has lost a blob which it was believed to hold.
    func noteLost(_ digest: Digest, at place: any RepositoryPlace) {
        state.withLock { state in _ = state.held[place.placeKey]?.remove(digest) }
    }

    /// Marks a move as counted, and returns whether it was not counted before.
    func countsFirst(_ transfer: BlobTransfer) -> Bool {
        state.withLock { $0.counted.insert(transfer.key).inserted }
    }

    // MARK: Mounting

    func noteDecline(of registry: String) {
        state.withLock { $0.declines[registry, default: 0] += 1 }
    }

    /// A repository of the destination's registry that holds the blob, so that it may be mounted from there.
    func sibling(for transfer: BlobTransfer) -> RepositoryName? {
        let registry = transfer.destination.registryKey
        let holder = state.withLock { state -> RepositoryName? in
            guard state.declines[registry, default: 0] < Self.mostDeclines else { return nil }
            if let known = state.holders[registry]?[transfer.blob.digest] { return known }
            return transfer.source.registryKey == registry ? transfer.source.reference.repository : nil
        }
        return holder == transfer.destination.reference.repository ? nil : holder
    }

    // MARK: Several destinations

    /// Notes that a destination lacks these blobs and will soon ask for them.
    func want(_ blobs: [Descriptor], from source: any BlobReader, at destination: any BlobReceiver) {
        state.withLock { state in
            for blob in blobs {
                state.wanted[Wish(source: source.placeKey, digest: blob.digest), default: []].append(destination)
            }
        }
    }

    /// Takes that back for a destination whose image has failed.
    func stopWanting(_ blobs: [Descriptor], from source: any BlobReader, at destination: any BlobReceiver) {
        state.withLock { state in
            for blob in blobs {
                let wish = Wish(source: source.placeKey, digest: blob.digest)
                state.wanted[wish]?.removeAll { $0.placeKey == destination.placeKey }
            }
        }
    }

    /// Serves a destination by itself from now on.
    func separate(_ destination: any BlobReceiver) {
        _ = state.withLock { $0.alone.insert(destination.placeKey) }
    }

    /// The destinations that a blob is downloaded for at once, the transfer's own among them.
    func destinations(for transfer: BlobTransfer) -> [any BlobReceiver] {
        let destination = transfer.destination
        return state.withLock { state in
            guard !state.alone.contains(destination.placeKey) else { return [destination] }
            var seen: Set<String> = []
            let wish = Wish(source: transfer.source.placeKey, digest: transfer.blob.digest)
            let all = (state.wanted[wish] ?? []).filter {
                !state.alone.contains($0.placeKey) && seen.insert($0.placeKey).inserted
            }
            return all.contains { $0.placeKey == destination.placeKey } ? all : [destination]
        }
    }

    /// Those of `destinations` that are not served by themselves meanwhile.
    func together(_ destinations: [any BlobReceiver]) -> [any BlobReceiver] {
        state.withLock { state in destinations.filter { !state.alone.contains($0.placeKey) } }
    }
}

/// One blob to move, with its source and its destination.
struct BlobTransfer: Sendable {
    let blob: Descriptor
    let source: any BlobReader
    let destination: any BlobReceiver

    init(_ blob: Descriptor, from source: any BlobReader, to destination: any BlobReceiver) {
        (self.blob, self.source, self.destination) = (blob, source, destination)
    }

    /// The identity of a transfer: equal for two transfers of one blob to one place, whatever their source.
    struct Key: Hashable, Sendable {
        var place: String
        var digest: Digest
    }

    var key: Key { Key(place: destination.placeKey, digest: blob.digest) }
}

internal import Content
internal import Platform

/// Which destinations want the same blob from the same source, so that it is read once for all of them.
///
/// - Source: docs/architecture.md#several-destinations
final class Gatherings: Sendable {
    private struct State {
        /// By source and digest, those who have announced that they lack it.
        var wanting: [String: [any ImageRepository]] = [:]
        /// Those who kept others waiting, or have given up.
        var alone: Set<String> = []
    }

    private let state = Lock(State())
    let clock: any Clock<Duration>

    /// How long those whose upload is open wait for the rest.
    static let waitForOthers: Duration = .seconds(2)

    init(clock: any Clock<Duration>) { self.clock = clock }

    /// Says that a destination lacks these blobs and will soon ask for them.
    func announce(_ blobs: [Descriptor], from source: any ImageRepository, to destination: any ImageRepository) {
        state.withLock { state in
            for blob in blobs {
                state.wanting[Self.key(blob.digest, source), default: []].append(destination)
            }
        }
    }

    /// Takes that back, for one whose image has failed.
    func withdraw(_ blobs: [Descriptor], from source: any ImageRepository, to destination: any ImageRepository) {
        state.withLock { state in
            for blob in blobs {
                let key = Self.key(blob.digest, source)
                state.wanting[key]?.removeAll { $0.placeKey == destination.placeKey }
            }
        }
    }

    /// From now on this one goes by itself, or not at all.
    func leave(_ destination: any ImageRepository) {
        _ = state.withLock { $0.alone.insert(destination.placeKey) }
    }

    /// All who want the blob, `destination` with them; that one alone if nobody else does.
    func company(
        for digest: Digest,
        from source: any ImageRepository,
        of destination: any ImageRepository
    ) -> [any ImageRepository] {
        state.withLock { state in
            guard !state.alone.contains(destination.placeKey) else { return [destination] }
            var seen: Set<String> = []
            let others = (state.wanting[Self.key(digest, source)] ?? []).filter {
                !state.alone.contains($0.placeKey) && seen.insert($0.placeKey).inserted
            }
            return others.contains { $0.placeKey == destination.placeKey } ? others : [destination]
        }
    }

    /// Those of them who haven't left meanwhile.
    func together(_ company: [any ImageRepository]) -> [any ImageRepository] {
        state.withLock { state in company.filter { !state.alone.contains($0.placeKey) } }
    }

    /// Opens an upload at each, side by side; who is late or fails is left out, and goes alone from then on.
    func open<Opening: Sendable>(
        _ company: [any ImageRepository],
        _ body: @escaping @Sendable (any ImageRepository) async throws -> Opening
    ) async -> [(any ImageRepository, Opening)] {
        let opened = await withTaskGroup(of: (Int, Opening?).self) { group in
            for (index, destination) in company.enumerated() {
                group.addTask { (index, try? await body(destination)) }
            }
            var opened: [Int: Opening] = [:]
            var left = company.count
            while left > 0, let (index, opening) = await group.next() {
                // The bell: whoever isn't here is late.
                guard index >= 0 else { break }
                left -= 1
                guard let opening else { continue }
                opened[index] = opening
                guard opened.count == 1, left > 0 else { continue }
                group.addTask { [clock] in
                    try? await clock.sleep(for: Self.waitForOthers)
                    return (-1, nil)
                }
            }
            group.cancelAll()
            return opened
        }
        for (index, destination) in company.enumerated() where opened[index] == nil { leave(destination) }
        return opened.sorted { $0.key < $1.key }.map { (company[$0.key], $0.value) }
    }

    private static func key(_ digest: Digest, _ source: any ImageRepository) -> String {
        "\(source.placeKey)/\(digest)"
    }
}

import Content
import Platform
import TestClouds
import Wire

@testable import Replicate

/// A test bench: the engine between two fake repositories, without sockets and without real waits.
struct Bench: Sendable {
    let calls = CallLog()
    let source: FakeRepository
    let destination: FakeRepository
    let relay: FakeRelay
    let events = Lock<[CopyEvent]>([])
    let waits = Lock<[Duration]>([])
    let jobs: Int?

    init(
        destination name: String = "to/app",
        registry: String? = nil,
        jobs: Int? = nil,
        takesIndexesOfBlobs: Bool = true,
        gate: (@Sendable () async throws -> Void)? = nil
    ) throws {
        source = try FakeRepository(.source, "from/app", calls)
        destination = try FakeRepository(
            .destination,
            name,
            calls,
            registry: registry,
            takesIndexesOfBlobs: takesIndexesOfBlobs
        )
        relay = FakeRelay(calls, gate: gate)
        relay.connect(source, destination)
        self.jobs = jobs
    }

    /// A bench with an image of `layers` layers at the source, tagged `v1`, and three destinations.
    static func withThreeDestinations(
        layers: Int,
        jobs: Int? = nil
    ) async throws -> (bench: Bench, destinations: [FakeRepository], image: FakeImage) {
        let bench = try Bench(jobs: jobs)
        let image = try FakeImage.image("app", layers: (0..<layers).map { "layer \($0)" })
        try await bench.source.seed(image, tag: "v1")
        let others = try (2...3).map {
            try FakeRepository(.destination, "to\($0)/app", bench.calls, registry: "d\($0).test")
        }
        others.forEach { bench.relay.connect($0) }
        return (bench, [bench.destination] + others, image)
    }

    func mover(attempts: Int = 8) -> BlobMover { replicator(attempts: attempts).run.mover }

    /// A mover on a clock on which waiting takes no time: a destination without an open upload is late at once.
    func impatientMover() -> BlobMover {
        let engine = replicator()
        return BlobMover(
            relay: relay,
            large: engine.run.mover.large,
            retry: engine.run.mover.retry,
            budgets: engine.opener.budgets,
            jobs: nil,
            clock: InstantClock(),
            report: { _ in }
        )
    }

    func replicator(attempts: Int = 8, drain: Drain = Drain()) -> TestEngine {
        let retry = RetryPolicy(
            attempts: attempts,
            clock: InstantClock(),
            jitter: { 1 },
            onRetry: { [waits] _, wait, _ in waits.withLock { $0.append(wait) } }
        )
        return TestEngine(
            opener: .forTests(RefusingSender(), retry),
            relay: relay,
            retry: retry,
            source: SideOptions(),
            destination: SideOptions(),
            jobs: jobs,
            drain: drain,
            report: { [events] event in events.withLock { $0.append(event) } }
        )
    }

    /// - Parameters:
    ///   - places: Destinations with their own tags; by default the bench's own destination, without a tag.
    func repositoryCopy(
        _ source: String,
        to places: [(repository: FakeRepository, tag: String?)]? = nil,
        tags: [String] = [],
        _ options: CopyOptions = CopyOptions(referrers: .none),
        replicator: TestEngine? = nil
    ) throws -> RepositoryCopy {
        let from = self.source
        let further = try tags.map { try Tag(parsing: $0) }
        let destinations = try (places ?? [(destination, nil)]).map { place in
            let tag = try place.tag.map { try Tag(parsing: $0) }
            return Destination(
                reference: DestinationReference(
                    registry: place.repository.reference.registry,
                    repository: place.repository.reference.repository,
                    tag: tag
                ),
                place: place.repository.placeKey,
                tags: ([tag].compactMap { $0 } + further).unique(),
                state: .success(
                    DestinationState(
                        place.repository,
                        isSource: place.repository === from,
                        repairs: options.repairs
                    )
                )
            )
        }
        return RepositoryCopy(
            run: (replicator ?? self.replicator()).run,
            source: try ImageReference(parsing: "\(from.reference)\(source)"),
            reader: SourceReader(from),
            options: options,
            destinations: destinations
        )
    }

    /// Copies the image that `source` names, for example `:v1`.
    func copy(
        _ source: String,
        to places: [(repository: FakeRepository, tag: String?)]? = nil,
        tags: [String] = [],
        _ options: CopyOptions = CopyOptions(referrers: .none),
        replicator: TestEngine? = nil
    ) async throws -> [CopyResult] {
        let copy = try repositoryCopy(source, to: places, tags: tags, options, replicator: replicator)
        guard let id = ManifestID(copy.source) else { return [] }
        return try await copy.copyOne(id)
    }
}

/// A sender for tests that send no request: it fails on each.
struct RefusingSender: HTTPSending {
    func send(_ request: WireRequest) async throws -> WireResponse {
        throw WireError(.closed, "this test sends no request")
    }
}

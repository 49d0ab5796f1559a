import AWSIdentity
import Content
import Logging
import Platform
import TestClouds
import Wire

@testable import Replicate

/// The engine between fake repositories: no socket, no wait.
struct Bench: Sendable {
    let journal = Journal()
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
        source = try FakeRepository(.source, "from/app", journal)
        destination = try FakeRepository(
            .destination,
            name,
            journal,
            registry: registry,
            takesIndexesOfBlobs: takesIndexesOfBlobs
        )
        relay = FakeRelay(journal, gate: gate)
        relay.connect(source, destination)
        self.jobs = jobs
    }

    func mover(attempts: Int = 8) -> BlobMover { replicator(attempts: attempts).run.mover }

    func replicator(attempts: Int = 8, drain: Drain = Drain()) -> TestEngine {
        let retry = RetryPolicy(
            attempts: attempts,
            clock: InstantClock(),
            jitter: { 1 },
            onRetry: { [waits] _, wait, _ in waits.withLock { $0.append(wait) } }
        )
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let nobody = RefusingSender()
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: [:], home: "/nonexistent"),
            sender: nobody,
            retry: retry,
            logger: logger
        )
        return TestEngine(
            opener: RepositoryOpener(resolver: resolver, sender: nobody, retry: retry, logger: logger),
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
    ///   - places: Destinations with their own tags; the bench's own, without one, if there are none.
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

    /// Copies the one image that `source`, as `:v1`, names.
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

/// Nobody is asked anything here.
struct RefusingSender: HTTPSending {
    func send(_ request: WireRequest) async throws -> WireResponse {
        throw WireError(.closed, "nothing is to be sent")
    }
}

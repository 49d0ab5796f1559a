import Content
import Replicate
import Wire

/// A replicator, one run of it, and the options of both sides, so that a test states only what it tests.
public struct TestEngine: Sendable {
    public let replicator: Replicator
    public let run: CopyRun
    public let source: SideOptions
    public let destination: SideOptions

    package var opener: RepositoryOpener { replicator.opener }

    package init(
        opener: RepositoryOpener,
        relay: any BlobRelaying,
        retry: RetryPolicy,
        source: SideOptions = SideOptions(),
        destination: SideOptions = SideOptions(),
        jobs: Int? = nil,
        uploads: UploadOptions = UploadOptions(),
        drain: Drain = Drain(),
        report: @escaping @Sendable (CopyEvent) -> Void = { _ in }
    ) {
        (self.source, self.destination) = (source, destination)
        replicator = Replicator(opener: opener, relay: relay, retry: retry, jobs: jobs, uploads: uploads)
        run = replicator.run(drain: drain, report: report)
    }

    public func copy(
        _ reference: ImageReference,
        _ selection: CopyRequest.Selection,
        to destinations: [DestinationReference],
        tags: [Tag],
        _ options: CopyOptions,
        kmsKeys: [String: String] = [:]
    ) async throws -> [CopyResult] {
        let places = destinations.map { CopyDestination($0, destination, kmsKeys: kmsKeys) }
        return try await run.copy(
            CopyRequest(reference, from: source, selection, to: places, tags: tags, options)
        )
    }

    public func retag(
        _ reference: ImageReference,
        to tags: [Tag],
        _ options: CopyOptions
    ) async throws -> [CopyResult] {
        try await run.retag(reference, source, to: tags, options)
    }

    public func inspect(_ reference: ImageReference, referrers mode: CopyOptions.Referrers) async throws -> Inspection {
        try await replicator.inspect(reference, source, referrers: mode)
    }

    public func list(_ reference: ImageReference, _ filter: TagFilter) async throws -> ImageSelection {
        try await replicator.list(reference, source, filter)
    }
}

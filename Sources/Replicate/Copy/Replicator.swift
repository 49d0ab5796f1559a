internal import AWSIdentity
internal import Content
public import Logging
internal import Platform
package import Wire

/// A long-lived service that copies images between registries.
///
/// It holds what outlives a single run: the transport, credentials, tokens, and the pace of each registry.
/// ``run(drain:report:)`` makes a ``CopyRun``, which does the work and holds everything that is true only for that run.
public struct Replicator: Sendable {
    /// Opens repositories and keeps the credentials, tokens and pacers of every registry.
    package let opener: RepositoryOpener
    private let relay: any BlobRelaying
    private let retry: RetryPolicy
    private let jobs: Int?
    private let uploads: UploadOptions
    private let countRequests: @Sendable () -> Int

    /// The number of requests that all runs have sent so far.
    public var requestsSent: Int { countRequests() }

    /// Adds the side and its registry to each line of the log, if a log handler uses it.
    public static let metadataProvider = SideLabel.provider

    /// - Parameters:
    ///   - relay: Moves the bytes of blobs.
    ///   - jobs: The most blobs in flight in one run; `nil` lets their sizes decide.
    package init(
        opener: RepositoryOpener,
        relay: any BlobRelaying,
        retry: RetryPolicy,
        jobs: Int? = nil,
        uploads: UploadOptions = UploadOptions(),
        requestsSent: @escaping @Sendable () -> Int = { 0 }
    ) {
        self.opener = opener
        self.relay = relay
        self.retry = retry
        self.jobs = jobs
        self.uploads = uploads
        countRequests = requestsSent
    }

    /// Makes a run.
    ///
    /// Its memory is freed when the last reference to it is released.
    ///
    /// - Parameters:
    ///   - drain: Ends the run early once it begins.
    ///   - report: Called with every event of the run, on any thread.
    public func run(
        drain: Drain = Drain(),
        report: @escaping @Sendable (CopyEvent) -> Void = { _ in }
    ) -> CopyRun {
        var retry = retry
        // A blob that waits for its next attempt is not in flight.
        retry.clock = retry.clock.until(drain)
        let large = LargeBlobs(
            uploads,
            sender: opener.sender,
            retry: retry,
            budgets: opener.budgets,
            logger: opener.logger.labelled(SideLabel.metadata(.destination)),
            drain: drain,
            now: opener.now,
            report: report
        )
        let mover = BlobMover(
            relay: relay,
            large: large,
            retry: retry,
            budgets: opener.budgets,
            jobs: jobs,
            drain: drain,
            report: report
        )
        return CopyRun(opener: opener, mover: mover, drain: drain, report: report)
    }
}

import AWSIdentity
import Content
import Logging
import Replicate
import Wire

/// Copies one image, and returns a line for each tag that holds it at the destination.
func copyImage(
    _ source: String,
    to destination: String,
    as promoter: IdentityOptions,
    environment: AWSEnvironment = .current()
) async throws -> [String] {
    let source = try ImageReference(parsing: source)
    let destination = try DestinationReference(parsing: destination)
    guard let image = ManifestID(source) else { return [] }
    let retry = RetryPolicy()
    let logger = Logger(label: "example")

    let results = try await withTransport { transport in
        let resolver = IdentityResolver(environment: environment, sender: transport, retry: retry, logger: logger)
        let opener = RepositoryOpener(resolver: resolver, sender: transport, retry: retry, logger: logger)
        let replicator = Replicator(opener: opener, relay: transport, retry: retry)
        let run = replicator.run { event in
            if case .blobMoved(let blob, _) = event { logger.info("moved \(blob.digest)") }
        }
        return try await run.copy(
            CopyRequest(
                source,
                .one(image),
                to: [CopyDestination(destination, SideOptions(identity: promoter))],
                CopyOptions(ifExists: .fail, createRepository: .defaults)
            )
        )
    }
    return try results.flatMap { result in
        switch result {
        case .done(let receipt): return receipt.lines
        case .planned(let plan): return plan.lines
        case .failed(_, _, let error): throw error
        case .cancelled: throw CancellationError()
        }
    }
}

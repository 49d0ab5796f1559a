import AWSIdentity
import Content
import Logging
import Replicate

/// Copies one image, and returns a line for each tag that holds it at the destination.
func copyImage(
    _ source: String,
    to destination: String,
    as promoter: IdentityOptions,
    environment: AWSEnvironment = .current()
) async throws -> [String] {
    let request = try oneImage(source, to: destination, as: promoter, CopyOptions(createRepository: .defaults))
    let results = try await withReplicator(ReplicatorConfiguration(environment: environment)) { replicator in
        try await replicator.run().copy(request)
    }
    return try results.flatMap { result in
        switch result {
        case .done(let receipt): return receipt.lines
        case .planned: return []
        case .failed(_, _, let error): throw error
        case .cancelled: throw CancellationError()
        }
    }
}

/// Says what a copy would do, and what it would be refused, without writing anything.
func planImage(
    _ source: String,
    to destination: String,
    environment: AWSEnvironment = .current()
) async throws -> (bytes: Int64, refusals: [CopyError.Reason]) {
    let request = try oneImage(source, to: destination, CopyOptions(ifExists: .fail, isDryRun: true))
    let results = try await withReplicator(ReplicatorConfiguration(environment: environment)) { replicator in
        try await replicator.run().copy(request)
    }
    guard case .planned(let plan)? = results.first else { throw results.first?.error ?? CancellationError() }
    return (plan.bytesToMove, plan.refusals.map(\.reason))
}

/// Logs each blob as it arrives.
func copyLogging(
    _ source: String,
    to destination: String,
    environment: AWSEnvironment = .current(),
    logger: Logger
) async throws -> [CopyResult] {
    let request = try oneImage(source, to: destination, CopyOptions(createRepository: .defaults))
    let configuration = ReplicatorConfiguration(environment: environment, logger: logger)
    return try await withReplicator(configuration) { replicator in
        let run = replicator.run { event in
            if case .blobMoved(let blob, _) = event { logger.info("moved \(blob.digest), \(blob.size) bytes") }
        }
        return try await run.copy(request)
    }
}

/// Keys from a vault of your own.
///
/// They are asked for before each request, so keep them until they are about to expire.
struct Vault: CredentialsProviding {
    let read: @Sendable () async throws -> (id: String, secret: String)

    func credentials() async throws -> AWSCredentials {
        let keys = try await read()
        return AWSCredentials(accessKeyID: keys.id, secretAccessKey: keys.secret, source: "the vault")
    }

    func discard(_ refused: AWSCredentials) async -> Bool { false }
}

/// Copies with the vault's keys at both sides.
func copyWithVault(
    _ source: String,
    to destination: String,
    _ vault: Vault,
    environment: AWSEnvironment = .current()
) async throws -> [CopyResult] {
    let identity = IdentityOptions(source: CredentialSource("vault", vault))
    var request = try oneImage(source, to: destination, as: identity, CopyOptions(createRepository: .defaults))
    request.sourceOptions = SideOptions(identity: identity)
    return try await withReplicator(ReplicatorConfiguration(environment: environment)) { replicator in
        try await replicator.run().copy(request)
    }
}

/// A request for the image that `source` names by tag or digest.
private func oneImage(
    _ source: String,
    to destination: String,
    as identity: IdentityOptions = IdentityOptions(),
    _ options: CopyOptions
) throws -> CopyRequest {
    let place = CopyDestination(try DestinationReference(parsing: destination), SideOptions(identity: identity))
    return CopyRequest(try ImageReference(parsing: source), to: [place], options)
}

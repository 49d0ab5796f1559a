internal import AWSIdentity
internal import Content
internal import Distribution
package import Logging
internal import Platform
internal import Wire

/// The side that a line of the log is about: `side`, and `registry`, since there may be several destinations.
///
/// A credential provider may serve both sides, and knows neither. The side of what it logs is that of the current
/// task's request, which is a task-local value.
package enum SideLabel {
    /// The metadata provider for log handlers, so that each line names its side.
    package static let provider = Logger.MetadataProvider { current }

    @TaskLocal private static var current: Logger.Metadata = [:]

    /// - Parameter registry: The registry's host; `nil` until it is known.
    package static func metadata(_ side: CopyError.Side, registry: String? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["side": "\(side.rawValue)"]
        if let registry { metadata["registry"] = "\(registry)" }
        return metadata
    }

    static func with<Result>(_ label: Logger.Metadata, _ body: () throws -> Result) rethrows -> Result {
        try $current.withValue(label, operation: body)
    }

    package static func with<Result>(
        _ label: Logger.Metadata,
        _ body: () async throws -> Result
    ) async rethrows -> Result {
        try await $current.withValue(label, operation: body)
    }
}

extension Logger {
    func labelled(_ label: Logger.Metadata) -> Logger {
        var logger = self
        for (key, value) in label { logger[metadataKey: key] = value }
        return logger
    }
}

extension RetryPolicy {
    /// Returns this policy with retries that are logged with a side's label.
    func labelled(_ label: @escaping @Sendable (_ error: any Error) -> Logger.Metadata) -> RetryPolicy {
        guard let report = onRetry else { return self }
        var policy = self
        policy.onRetry = { attempt, wait, error in
            SideLabel.with(label(error)) { report(attempt, wait, error) }
        }
        return policy
    }
}

extension ImageReference {
    /// The registry's name in logs; `nil` for a directory, or if the reference names no registry.
    var registryName: String? {
        switch registry {
        case .ecr(let host): host.name
        case .plain(let registry): registry.authority
        case .callersOwn, .layout: nil
        }
    }
}

/// The credentials of one side: logs which are used, and logs how they are fetched with the side's label.
struct SideCredentials: CredentialsProviding {
    private let provider: any CredentialsProviding
    private let label: Logger.Metadata
    private let logger: Logger
    private let explain: @Sendable (IdentityError) -> IdentityError
    private let last = Lock<AWSCredentials?>(nil)

    /// - Parameter explain: Adds what is known about the side to an error.
    init(
        _ provider: any CredentialsProviding,
        _ label: Logger.Metadata,
        _ logger: Logger,
        explain: @escaping @Sendable (IdentityError) -> IdentityError
    ) {
        (self.provider, self.label, self.logger) = (provider, label, logger.labelled(label))
        self.explain = explain
    }

    func credentials() async throws -> AWSCredentials {
        let credentials: AWSCredentials
        do {
            credentials = try await SideLabel.with(label) { try await provider.credentials() }
        } catch let error as IdentityError {
            throw explain(error)
        }
        let isNews = last.withLock { last in
            defer { last = credentials }
            return last != credentials
        }
        // Another side may have caused the fetch, so this side logs which ones it uses.
        if isNews { logger.debug("signs with credentials", metadata: ["from": "\(credentials)"]) }
        return credentials
    }

    func discard(_ refused: AWSCredentials) async -> Bool {
        await SideLabel.with(label) { await provider.discard(refused) }
    }
}

/// The authorization of one side at a registry, with logs that carry the side's label.
struct SideAuthorization: RegistryAuthorizing {
    let authorization: any RegistryAuthorizing
    let label: Logger.Metadata

    func authorization(for access: RegistryAccess) async throws -> String? {
        try await SideLabel.with(label) { try await authorization.authorization(for: access) }
    }

    func renew(
        insteadOf rejected: String?,
        for access: RegistryAccess,
        challenges: [AuthenticationChallenge]
    ) async throws -> Bool {
        try await SideLabel.with(label) {
            try await authorization.renew(insteadOf: rejected, for: access, challenges: challenges)
        }
    }

    func goWithoutLogin(insteadOf rejected: String?, for access: RegistryAccess) async throws -> Bool {
        try await SideLabel.with(label) { try await authorization.goWithoutLogin(insteadOf: rejected, for: access) }
    }

    func note(on access: RegistryAccess) -> LoginNote? { authorization.note(on: access) }
}

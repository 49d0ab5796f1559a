internal import FoundationEssentials
internal import Platform
internal import Wire

/// Keys that the machine offers: a container's endpoint, an instance's metadata service.
extension CredentialsChain {
    /// Finds the credentials that the machine offers, for users who have configured none.
    ///
    /// - Parameters:
    ///   - tried: The places that were searched before, for the error.
    ///   - remedy: A better remedy for the error than the usual one, if it is known.
    func fromMachine(
        _ profile: SharedConfig.Profile?,
        _ tried: [String],
        remedy: String?
    ) throws -> any CredentialsProviding {
        if let container = try containerCredentials() { return container }
        let tried = tried + ["container (\(ContainerCredentials.relativeVariable) is not set)"]
        guard !resolver.environment.isTrue(InstanceMetadata.disabledVariable) else {
            throw Self.noCredentials(
                tried + ["instance metadata (\(InstanceMetadata.disabledVariable) is true)"],
                remedy
            )
        }
        return try instanceCredentials(profile) { absence in
            Self.noCredentials(tried + ["instance metadata (\(absence.problem))"], remedy ?? absence.remedy)
        }
    }

    /// Returns the provider of a container's keys.
    ///
    /// - Returns: `nil` outside a container.
    func containerCredentials() throws -> (any CredentialsProviding)? {
        let clock = try stsClock()
        guard let container = try ContainerCredentials(context, clock: clock) else { return nil }
        return shared(.container, profile: "") { refreshing(by: clock) { try await container.credentials() } }
    }

    /// Returns the provider of an instance's keys.
    ///
    /// - Parameter absent: Makes the error for a metadata service that has never given keys.
    func instanceCredentials(
        _ profile: SharedConfig.Profile?,
        absent: @escaping @Sendable (InstanceMetadata.Absence) -> IdentityError
    ) throws -> any CredentialsProviding {
        let clock = try stsClock()
        let metadata = try InstanceMetadata(context, profile, clock: clock)
        return shared(.instance, profile: profile?.name ?? "") {
            let hadKeys = Lock(false)
            return refreshing(by: clock) {
                do {
                    let credentials = try await metadata.credentials()
                    hadKeys.withLock { $0 = true }
                    return credentials
                } catch let absence as InstanceMetadata.Absence {
                    guard hadKeys.withLock({ $0 }) else { throw absent(absence) }
                    throw IdentityError(
                        "the keys of the instance's role could not be renewed: \(absence.problem)",
                        tried: ["instance metadata (\(metadata.endpoint))"],
                        remedy: absence.remedy ?? "check that the instance still has its role, then run again"
                    )
                }
            }
        }
    }

    static func noCredentials(_ tried: [String], _ remedy: String? = nil) -> IdentityError {
        IdentityError(
            "there are no AWS credentials",
            tried: tried,
            remedy: remedy
                ?? "sign in (`aws sso login`, `aws configure`), name a profile with --profile, or set "
                + "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            isAbsence: true
        )
    }
}

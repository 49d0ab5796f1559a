internal import AWSIdentity
internal import Content
internal import Distribution

/// A docker login for an ECR registry, which is stored although there are no AWS credentials.
///
/// People who pull from ECR with docker every day are surprised that it isn't enough here.
enum UnusedLogin {
    /// Returns the error with a note that docker's login exists, and why it is not used.
    ///
    /// - Source: docs/facts/ecr-api.md#authorization-token: the stored password is a token of `GetAuthorizationToken`,
    ///   which only a registry takes; amazon-ecr-credential-helper, "Configuration"
    static func explained(
        _ error: IdentityError,
        at host: ECRHost,
        _ environment: AWSEnvironment
    ) -> IdentityError {
        guard error.isAbsence,
            let login = StoredLogins.place(
                ofLoginTo: host.name,
                variables: environment.variables,
                home: environment.home
            )
        else { return error }
        let why =
            login.hasPrefix(StoredLogins.helperPlace)
            ? "the helper itself needs AWS credentials, from these same places, and makes a password for docker only"
            : "it is a password of 12 hours that only ECR's registry takes, and ECR's API wants AWS credentials"
        return IdentityError(
            "\(error.problem); docker has a login for this registry (\(login)), which is not used: \(why)",
            tried: error.tried,
            remedy: error.remedy,
            isAbsence: true
        )
    }
}

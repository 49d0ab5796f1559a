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
            ? "the helper itself needs AWS credentials from the same sources, and returns a password only for docker"
            : "it is a 12-hour password that only ECR's registry accepts, and ECR's API requires AWS credentials"
        return IdentityError(
            "\(error.problem); docker has a login for this registry (\(login)), which is not used: \(why)",
            tried: error.tried,
            remedy: error.remedy,
            isAbsence: true
        )
    }
}

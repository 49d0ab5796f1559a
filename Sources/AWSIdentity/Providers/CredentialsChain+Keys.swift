internal import Content
internal import FoundationEssentials
internal import Logging

/// Keys in the environment and in the shared files.
extension CredentialsChain {
    /// Returns the keys in the environment's variables.
    func environmentKeys() throws -> AWSCredentials? {
        let environment = resolver.environment
        guard let id = environment["AWS_ACCESS_KEY_ID"] else { return nil }
        guard let secret = environment["AWS_SECRET_ACCESS_KEY"] else {
            throw IdentityError(
                "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
                tried: ["environment"],
                remedy: "set both, or neither"
            )
        }
        let token = ["AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"].lazy.compactMap { name in
            environment[name].map { PastedKeys.Value(name: name, text: $0) }
        }.first
        try PastedKeys(
            id: .init(name: "AWS_ACCESS_KEY_ID", text: id),
            secret: .init(name: "AWS_SECRET_ACCESS_KEY", text: secret),
            token: token,
            tokenName: "AWS_SESSION_TOKEN"
        ).check()
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: token?.text,
            expiration: environment["AWS_CREDENTIAL_EXPIRATION"].flatMap(AWSTime.parse),
            accountID: environment["AWS_ACCOUNT_ID"],
            source: "environment"
        )
    }

    /// Returns a provider of keys that can't be refreshed, and refuses keys that have expired.
    func fixed(_ keys: AWSCredentials) throws -> any CredentialsProviding {
        if let expiration = keys.expiration, case let now = try stsClock().now(), expiration <= now {
            throw IdentityError(
                "the keys in the environment expired at \(AWSTime.extended(expiration)), and it is \(AWSTime.extended(now)) now",
                tried: ["environment (AWS_CREDENTIAL_EXPIRATION)"],
                remedy: "get new ones: `aws configure export-credentials --format env` prints them"
            )
        }
        context.logger.debug("credentials", metadata: ["from": "\(keys)"])
        return StaticCredentials(keys)
    }

    /// Returns the keys of one of the two files; an id and a secret from different files are never combined.
    func staticKeys(_ profile: SharedConfig.Profile, inCredentialsFile: Bool) throws -> AWSCredentials? {
        func value(_ key: String) -> String? {
            profile.keysOfCredentialsFile.contains(key) == inCredentialsFile ? profile[key] : nil
        }
        guard let id = value("aws_access_key_id") else { return nil }
        guard let secret = value("aws_secret_access_key") else {
            throw IdentityError(
                "profile '\(profile.name)' has aws_access_key_id but no aws_secret_access_key",
                tried: [profile.place(of: "aws_access_key_id")],
                remedy: "set both with `aws configure --profile \(profile.name)`"
            )
        }
        func named(_ key: String, _ text: String) -> PastedKeys.Value {
            .init(name: "\(key) of profile '\(quotable(profile.name))'", text: text)
        }
        let tokenKey = value("aws_security_token") == nil ? "aws_session_token" : "aws_security_token"
        let token = value(tokenKey)
        try PastedKeys(
            id: named("aws_access_key_id", id),
            secret: named("aws_secret_access_key", secret),
            token: token.map { named(tokenKey, $0) },
            tokenName: "aws_session_token",
            place: profile.place(of: "aws_access_key_id")
        ).check()
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: token,
            accountID: value("aws_account_id"),
            source: "profile \(profile.name)"
        )
    }
}

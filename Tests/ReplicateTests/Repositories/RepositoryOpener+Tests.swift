import AWSIdentity
import Logging
import TestClouds
import Wire

@testable import Replicate

extension RepositoryOpener {
    /// An opener that sends every request to `sender`, with no environment but `variables`.
    static func forTests(
        _ sender: any HTTPSending,
        _ retry: RetryPolicy,
        variables: [String: String] = [:]
    ) -> RepositoryOpener {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: variables, home: "/nonexistent"),
            sender: sender,
            retry: retry,
            logger: logger
        )
        return RepositoryOpener(resolver: resolver, sender: sender, retry: retry, logger: logger)
    }
}

/// Variables with a static access key.
let staticKeys = ["AWS_ACCESS_KEY_ID": "AKIDEXAMPLE000000000", "AWS_SECRET_ACCESS_KEY": "secret"]

import Content
import FoundationEssentials
import Replicate
import TestPrograms

@testable import ECREmulator

/// The emulator's registries as plain ones: `http://127.0.0.1:PORT`, which the tool doesn't recognize as ECR.
extension Emulator {
    static let accountsAndRegions = [
        (MatrixScenario.build, MatrixScenario.home), (MatrixScenario.build, MatrixScenario.far),
    ]

    package func plainAuthority(account: String, region: String) -> String {
        "127.0.0.1:\(registryPort(account: account, region: region))"
    }

    /// Logs in to those registries, as `docker login` does with the output of `aws ecr get-login-password`.
    ///
    /// - Parameter directory: The directory for docker's `config.json`.
    package func logIn(_ directory: String) throws {
        let entries = Self.accountsAndRegions.map { account, region in
            let password = RandomText.mixed(200)
            let now = aws.now
            let principal = Principal(account: account, arn: "arn:aws:iam::\(account):user/docker", userID: "docker")
            let token = RegistryToken(
                principal: principal,
                region: region,
                expires: now.addingTimeInterval(aws.configuration.tokenLifetime)
            )
            aws.state.withLock { $0.tokens.insert(token, for: password, at: now) }
            let login = Data("AWS:\(password)".utf8).base64EncodedString()
            return #""\#(plainAuthority(account: account, region: region))":{"auth":"\#(login)"}"#
        }
        try write(#"{"auths":{\#(entries.joined(separator: ","))}}"#, to: "\(directory)/config.json")
    }
}

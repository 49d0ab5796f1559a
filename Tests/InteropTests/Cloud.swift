import ECREmulator
import TestPrograms
import Testing

/// The emulator's default accounts and regions.
enum Cloud {
    static let build = "111122223333"
    static let production = "444455556666"
    static let home = "us-east-1"
    static let far = "eu-west-1"
    static let promoter = "arn:aws:iam::\(production):role/promoter"
}

extension Emulator {
    /// Returns the environment for the tool and the AWS CLI, for either account.
    func variables(account: String = Cloud.build, region: String = Cloud.home) -> [String: String] {
        let keys = EmulatorConfiguration.Account(id: account)
        var variables = Dictionary(uniqueKeysWithValues: environment.map { ($0.name, $0.value) })
        variables["AWS_ACCESS_KEY_ID"] = keys.accessKeyID
        variables["AWS_SECRET_ACCESS_KEY"] = keys.secretAccessKey
        variables["AWS_PAGER"] = ""
        variables["AWS_REGION"] = region
        variables["AWS_DEFAULT_REGION"] = region
        return variables
    }

    /// Runs the AWS CLI's `ecr`, and returns any outcome.
    func aws(_ arguments: [String], account: String = Cloud.build, region: String = Cloud.home) async throws -> Ended {
        try await run(
            .aws,
            ["--output", "text", "ecr"] + arguments,
            environment: variables(account: account, region: region)
        )
    }

    /// Runs the AWS CLI's `ecr`, which must succeed.
    ///
    /// - Returns: The output, with one space between fields.
    func answer(_ arguments: String..., account: String = Cloud.build, region: String = Cloud.home) async throws
        -> String
    {
        let ended = try await aws(arguments, account: account, region: region)
        guard ended.exitCode == 0 else { throw ChildError("aws ecr \(arguments): \(ended.errors)") }
        return ended.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// Runs the AWS CLI's `ecr`, which the service must refuse.
    ///
    /// - Returns: The error's name.
    func refusal(_ arguments: String...) async throws -> String {
        let ended = try await aws(arguments)
        // A service error gives status 254 since version 2 of the CLI, and 255 before.
        guard [254, 255].contains(ended.exitCode) else {
            throw ChildError("exit \(ended.exitCode): \(ended.output)\(ended.errors)")
        }
        let name = ended.errors.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
        return String(name)
    }

    func count(_ operation: String) -> Int { requests.count { $0.operation == operation } }

    /// Returns the AWS CLI's login, for `skopeo --dest-creds` and similar options.
    func registryCredentials(account: String, region: String) async throws -> String {
        "AWS:" + (try await answer("get-login-password", account: account, region: region))
    }

    /// Returns a registry's address for clients that can't resolve `*.localhost`.
    func loopback(account: String, region: String) -> String {
        "127.0.0.1:\(registryPort(account: account, region: region))"
    }
}

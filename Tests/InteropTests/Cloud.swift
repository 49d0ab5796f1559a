import ECREmulator
import TestPrograms
import Testing

/// The two accounts and regions that the emulator has by default.
enum Cloud {
    static let build = "111122223333"
    static let production = "444455556666"
    static let home = "us-east-1"
    static let far = "eu-west-1"
    static let promoter = "arn:aws:iam::\(production):role/promoter"
}

extension Emulator {
    /// As the tool and the AWS CLI need it, for either account.
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

    /// Runs the AWS CLI's `ecr`, whatever comes of it.
    func aws(_ arguments: [String], account: String = Cloud.build, region: String = Cloud.home) async throws -> Ended {
        try await run(
            .aws,
            ["--output", "text", "ecr"] + arguments,
            environment: variables(account: account, region: region)
        )
    }

    /// Runs it, expecting success.
    ///
    /// - Returns: What it printed, the fields separated by one space.
    func answer(_ arguments: String..., account: String = Cloud.build, region: String = Cloud.home) async throws
        -> String
    {
        let ended = try await aws(arguments, account: account, region: region)
        guard ended.exitCode == 0 else { throw ChildError("aws ecr \(arguments): \(ended.errors)") }
        return ended.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// Runs it, expecting the service to refuse.
    ///
    /// - Returns: The error's name.
    func refusal(_ arguments: String...) async throws -> String {
        let ended = try await aws(arguments)
        // The service returned an error: 254 since version 2 of the CLI, 255 before.
        guard [254, 255].contains(ended.exitCode) else {
            throw ChildError("exit \(ended.exitCode): \(ended.output)\(ended.errors)")
        }
        let name = ended.errors.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
        return String(name)
    }

    func count(_ operation: String) -> Int { requests.count { $0.operation == operation } }

    /// For `skopeo --dest-creds` and the like, as the AWS CLI hands it out.
    func registryCredentials(account: String, region: String) async throws -> String {
        "AWS:" + (try await answer("get-login-password", account: account, region: region))
    }

    /// A registry for clients that can't resolve `*.localhost`.
    func loopback(account: String, region: String) -> String {
        "127.0.0.1:\(registryPort(account: account, region: region))"
    }
}

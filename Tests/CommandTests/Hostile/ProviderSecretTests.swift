import Foundation
import TestInputs
import TestPrograms
import Testing

@testable import ECREmulator

/// Checks law 8 with keys from every provider, and with every failure of the provider.
@Suite("Credential providers", .timeLimit(.minutes(1)))
struct ProviderSecretTests {
    enum Provider: String, CaseIterable, Sendable {
        case environment, wrongKeys, profile, role, webIdentity, identityCenter, oldSignIn, container, metadata, process

        /// The emulator's operation that fails, by its name in the log.
        var operation: String? {
            switch self {
            case .environment, .wrongKeys, .profile, .process: nil
            case .role: "AssumeRole"
            case .webIdentity: "AssumeRoleWithWebIdentity"
            case .identityCenter: "GetRoleCredentials"
            case .oldSignIn: "CreateToken"
            case .container: "container credentials"
            case .metadata: "metadata credentials"
            }
        }
    }

    enum Trouble: String, CaseIterable, Sendable {
        case refusal, expiry, badGateway, halfAnswer, wrongByte, cutAnswer, noAnswer, reset, revocation, wrongClock

        fileprivate var kind: Fault.Kind {
            switch self {
            case .refusal: .refuse
            case .expiry: .error(code: "ExpiredToken", message: "expired", status: 403)
            case .badGateway: .status(502)
            case .halfAnswer: .truncate
            case .wrongByte: .corruptByte(at: 70)
            case .cutAnswer: .cutBody(afterBytes: 200)
            case .noAnswer: .loseAnswer
            case .reset: .resetBefore
            case .revocation: .expireToken
            case .wrongClock: .skew(seconds: 86_400)
            }
        }
    }

    @Test("succeed without a secret in the output", arguments: Provider.allCases)
    func clean(_ provider: Provider) async throws {
        try await withMachine(provider) { machine in
            let commands = [
                ["copy", "--output", "json", "--progress", "json", "--state-dir", "\(machine.home)/state"]
                    + [machine.source, machine.destination],
                ["copy", "--progress", "plain", machine.source, machine.destination],
                ["retag", machine.source, "v2"], ["inspect", "--output", "json", machine.source],
                ["ls", String(machine.source.dropLast(3))], ["doctor", machine.source, machine.destination],
            ]
            for command in commands {
                let ended = try await machine.run(command)
                #expect((ended.exitCode == 0) == (provider != .wrongKeys), "\(ended.output)\(ended.errors)")
            }
            reportCases("secrets", commands.count)
        }
    }

    /// Keys that are wrong or in a file are the same as keys in the environment once they are read.
    @Test(
        "fail without a secret in the output",
        arguments: Provider.allCases.filter { $0 != .wrongKeys && $0 != .profile },
        Trouble.allCases
    )
    func faulty(_ provider: Provider, _ trouble: Trouble) async throws {
        try await withMachine(provider) { machine in
            machine.emulator.inject(Fault(on: provider.operation, at: nil, trouble.kind))
            let format = Trouble.allCases.firstIndex(of: trouble)?.isMultiple(of: 2) == true ? "json" : "text"
            _ = try await machine.run(["doctor", "--output", format, machine.source, machine.destination])
            #expect(machine.emulator.faultsApplied > 0)
        }
        reportCases("secrets", 1)
    }

    private struct Machine: Sendable {
        let emulator: Emulator
        let home: String
        let source: String
        let destination: String
        let environment: [String: String]
        /// The secrets besides every ``Seed`` and those from the emulator.
        let others: [String: String]

        /// Runs the command, and searches everything that it wrote.
        func run(_ arguments: [String]) async throws -> Ended {
            let ended = try await TestPrograms.run(
                .ecrReplicate,
                arguments + ["--log-level", "trace"],
                environment: environment
            )
            var search = HostileScene.search
            for (name, secret) in others { search.add(secret, named: name) }
            let configured = Set(Seed.allCases.map(\.text))
            for secret in Set(emulator.secrets).subtracting(configured) { search.add(secret, named: "given out") }
            let found = search.findings(in: ended.outputBytes).union(search.findings(in: ended.errors))
            #expect(found.isEmpty, "\(arguments):\n\(ended.output)\n\(ended.errors)")
            for file in files(below: "\(home)/state") { #expect(search.findings(in: file).isEmpty) }
            return ended
        }
    }

    private static let account = Stage.account
    private static let role = "arn:aws:iam::\(account):role/promoter"

    private func withMachine(_ provider: Provider, _ body: (Machine) async throws -> Void) async throws {
        let identity = EmulatorConfiguration.WebIdentity(issuer: "https://oidc.example", subject: "pod")
        let token = identity.token(expires: Date(timeIntervalSinceNow: 600))
        var configuration = EmulatorConfiguration()
        configuration.accounts[0] = .init(
            id: Self.account,
            accessKeyID: "AKIA" + RandomText.hexadecimal(16).uppercased(),
            secretAccessKey: Seed.keySecret.text
        )
        configuration.roles = [
            .init(
                arn: Self.role,
                externalID: provider == .role ? Seed.externalID.text : nil,
                webIdentity: provider == .webIdentity ? identity : nil
            )
        ]
        configuration.identityCenter = .init(
            signIns: [
                .init(
                    accessToken: Seed.access.text,
                    expires: provider == .oldSignIn ? .distantPast : .distantFuture,
                    refreshToken: Seed.refresh.text,
                    clientID: "client",
                    clientSecret: Seed.clientSecret.text
                )
            ],
            assignments: [.init(account: Self.account, role: "promoter")]
        )
        configuration.container = .init(roleARN: Self.role, authorization: Seed.containerToken.text)
        configuration.metadata = .init(roleARN: Self.role)
        let key = configuration.accounts[0]
        let others = ["web identity": token, "key id": key.accessKeyID]
        try await withScratchDirectory { home in
            try await withStage(configuration) { stage in
                var variables = stage.environment.filter {
                    !$0.key.hasSuffix("_KEY_ID") && !$0.key.hasSuffix("_ACCESS_KEY")
                }
                variables["HOME"] = home
                variables["AWS_CONFIG_FILE"] = "\(home)/.aws/config"
                variables["AWS_SHARED_CREDENTIALS_FILE"] = "\(home)/.aws/credentials"
                variables["AWS_ENDPOINT_URL_SSO"] = stage.emulator.identityCenterURL
                variables["AWS_ENDPOINT_URL_SSO_OIDC"] = stage.emulator.identityCenterURL
                try makeDirectory("\(home)/.aws/sso/cache")
                try Self.provide(provider, key, token, stage.emulator, home, &variables)
                try await body(
                    Machine(
                        emulator: stage.emulator,
                        home: home,
                        source: "\(stage.source):v1",
                        destination: stage.destination,
                        environment: variables,
                        others: others
                    )
                )
            }
        }
    }

    private static func provide(
        _ provider: Provider,
        _ key: EmulatorConfiguration.Account,
        _ token: String,
        _ emulator: Emulator,
        _ home: String,
        _ variables: inout [String: String]
    ) throws {
        let keys = "aws_access_key_id = \(key.accessKeyID)\naws_secret_access_key = \(key.secretAccessKey)\n"
        switch provider {
        case .environment, .wrongKeys:
            variables["AWS_ACCESS_KEY_ID"] = key.accessKeyID
            variables["AWS_SECRET_ACCESS_KEY"] =
                provider == .environment ? key.secretAccessKey : Seed.profileSecret.text
        case .profile:
            try write("[default]\n\(keys)", to: "\(home)/.aws/credentials")
        case .role:
            variables["AWS_PROFILE"] = "work"
            let work = "role_arn = \(role)\nsource_profile = base\nexternal_id = \(Seed.externalID.text)\n"
            try write("[profile work]\n\(work)[profile base]\n\(keys)", to: "\(home)/.aws/config")
        case .webIdentity:
            variables["AWS_WEB_IDENTITY_TOKEN_FILE"] = "\(home)/token"
            variables["AWS_ROLE_ARN"] = role
            try write(token, to: "\(home)/token")
        case .identityCenter, .oldSignIn:
            variables["AWS_PROFILE"] = "work"
            try HostileScene.writeSignIn(home, isOld: provider == .oldSignIn)
        case .container:
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = emulator.containerURL
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "\(home)/token"
            try write(Seed.containerToken.text, to: "\(home)/token")
        case .metadata:
            variables["AWS_EC2_METADATA_DISABLED"] = "false"
            variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = emulator.metadataURL
            // A second is short when a hundred of these run at once.
            variables["AWS_METADATA_SERVICE_TIMEOUT"] = "30"
        case .process:
            let answer =
                #"{"Version":1,"AccessKeyId":"\#(key.accessKeyID)","SecretAccessKey":"\#(key.secretAccessKey)"}"#
            try writeProgram("#!/bin/sh\necho '\(answer)'\n", to: "\(home)/keys")
            try write("[default]\ncredential_process = \(home)/keys\n", to: "\(home)/.aws/config")
        }
    }
}

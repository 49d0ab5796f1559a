import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

/// Prints the source of botocore's keys, their account, and the registry that ECR answers for them.
private let script = """
    import botocore.session
    session = botocore.session.get_session()
    credentials = session.get_credentials()
    identity = session.create_client('sts').get_caller_identity()
    registry = session.create_client('ecr').describe_registry()
    print(credentials.method, identity['Arn'], registry['registryId'])
    """

@Suite("Other clients with the emulator's identities", .timeLimit(.minutes(1)), .needs(.aws, .python))
struct EmulatedIdentityTests {
    private static let role = "arn:aws:iam::\(Cloud.production):role/promoter"

    /// Runs ``script`` for a client without keys of its own.
    private func botocore(_ emulator: Emulator, _ more: [String: String]) async throws -> Ended {
        var variables = emulator.variables(account: Cloud.production)
        variables["AWS_ACCESS_KEY_ID"] = nil
        variables["AWS_SECRET_ACCESS_KEY"] = nil
        return try await run(.python, ["-c", script], environment: variables.merging(more) { $1 })
    }

    @Test("the AWS CLI assumes a role with an external id, and is refused without it")
    func assumeRole() async throws {
        var configuration = EmulatorConfiguration()
        configuration.roles = [.init(arn: Self.role, externalID: "ex-1")]
        try await withEmulator(configuration) { emulator in
            let command = [
                "--output", "text", "sts", "assume-role", "--role-arn", Self.role, "--role-session-name", "cli",
                "--query", "AssumedRoleUser.Arn",
            ]
            let refused = try await run(.aws, command, environment: emulator.variables())
            #expect(refused.errors.contains("(AccessDenied)"), "\(refused.errors)")
            let taken = try await run(.aws, command + ["--external-id", "ex-1"], environment: emulator.variables())
            #expect(
                taken.lines == ["arn:aws:sts::\(Cloud.production):assumed-role/promoter/cli"],
                "\(taken.errors)"
            )
        }
    }

    @Test("the AWS CLI can read another account's repository only with a policy that allows it")
    func repositoryPolicy() async throws {
        var configuration = EmulatorConfiguration()
        configuration.enforcesPolicies = true
        try await withEmulator(configuration) { emulator in
            try emulator.createRepository(account: Cloud.build, region: Cloud.home, "team/cli")
            let describe = [
                "describe-repositories", "--registry-id", Cloud.build, "--repository-names", "team/cli", "--query",
                "repositories[].repositoryName",
            ]
            let denied = try await emulator.aws(describe, account: Cloud.production)
            #expect(
                denied.errors.contains(
                    "(AccessDeniedException) when calling the DescribeRepositories operation: User: arn:aws:iam::"
                        + "\(Cloud.production):user/emulator is not authorized to perform: ecr:DescribeRepositories on "
                        + "resource: arn:aws:ecr:\(Cloud.home):\(Cloud.build):repository/team/cli because no "
                        + "resource-based policy allows the ecr:DescribeRepositories action"
                ),
                "\(denied.errors)"
            )
            let policy =
                #"{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"ecr:Describe*","#
                + #""Principal":{"AWS":"arn:aws:iam::\#(Cloud.production):root"}}]}"#
            let set = ["set-repository-policy", "--repository-name", "team/cli", "--policy-text"]
            #expect(try await emulator.aws(set + [policy]).exitCode == 0)
            let allowed = try await emulator.aws(describe, account: Cloud.production)
            #expect(allowed.lines == ["team/cli"], "\(allowed.errors)")
            let text = try await emulator.answer(
                "get-repository-policy",
                "--repository-name",
                "team/cli",
                "--query",
                "policyText"
            )
            #expect(text == policy)
            let broken = try await emulator.aws(set + ["{"])
            #expect(broken.errors.contains("(InvalidParameterException)"), "\(broken.errors)")
        }
    }

    @Test("botocore gets keys from a container's endpoint")
    func container() async throws {
        var configuration = EmulatorConfiguration()
        configuration.container = .init(roleARN: Self.role, authorization: "pod-token")
        try await withEmulator(configuration) { emulator in
            let ended = try await botocore(
                emulator,
                [
                    "AWS_CONTAINER_CREDENTIALS_FULL_URI": emulator.containerURL,
                    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod-token",
                ]
            )
            let arn = "arn:aws:sts::\(Cloud.production):assumed-role/promoter/container"
            #expect(ended.lines == ["container-role \(arn) \(Cloud.production)"], "\(ended.errors)")
            #expect(emulator.count("container credentials") == 1)
        }
    }

    @Test("botocore gets keys from an instance's metadata, with either version")
    func metadata() async throws {
        for versions in [EmulatorConfiguration.InstanceMetadata.Versions.onlySecond, .onlyFirst(status: 403)] {
            var configuration = EmulatorConfiguration()
            configuration.metadata = .init(roleARN: Self.role, versions: versions)
            try await withEmulator(configuration) { emulator in
                let ended = try await botocore(
                    emulator,
                    ["AWS_EC2_METADATA_SERVICE_ENDPOINT": emulator.metadataURL, "AWS_EC2_METADATA_DISABLED": "false"]
                )
                let arn = "arn:aws:sts::\(Cloud.production):assumed-role/promoter/i-0123456789abcdef0"
                #expect(ended.lines == ["iam-role \(arn) \(Cloud.production)"], "\(ended.errors)")
                #expect(emulator.count("metadata token") == 1)
            }
        }
    }

    @Test("botocore gets keys from Identity Center, after it has renewed the sign-in")
    func identityCenter() async throws {
        var configuration = EmulatorConfiguration()
        configuration.identityCenter = .init(
            signIns: [
                .init(accessToken: "old", expires: configuration.now(), refreshToken: "refresh")
            ],
            assignments: [.init(account: Cloud.production, role: "promoter")]
        )
        try await withScratchDirectory { home in
            try makeDirectory("\(home)/.aws/sso/cache")
            try write(
                """
                [profile work]
                sso_session = corp
                sso_account_id = \(Cloud.production)
                sso_role_name = promoter
                [sso-session corp]
                sso_start_url = https://corp.example/start
                sso_region = us-east-1
                sso_registration_scopes = sso:account:access
                """,
                to: "\(home)/.aws/config"
            )
            // The AWS CLI names the file for the session: sha1("corp").
            try write(
                """
                {"startUrl":"https://corp.example/start","region":"us-east-1","accessToken":"old",
                "expiresAt":"2026-01-01T00:00:00Z","clientId":"emulator-client",
                "clientSecret":"emulator-client-secret","registrationExpiresAt":"2099-01-01T00:00:00Z",
                "refreshToken":"refresh"}
                """,
                to: "\(home)/.aws/sso/cache/\(Self.cacheName).json"
            )
            try await withEmulator(configuration) { emulator in
                let ended = try await botocore(
                    emulator,
                    [
                        "HOME": home, "AWS_CONFIG_FILE": "\(home)/.aws/config", "AWS_PROFILE": "work",
                        "AWS_ENDPOINT_URL_SSO": emulator.identityCenterURL,
                        "AWS_ENDPOINT_URL_SSO_OIDC": emulator.identityCenterURL,
                    ]
                )
                let arn = "arn:aws:sts::\(Cloud.production):assumed-role/promoter/signed-in"
                #expect(ended.lines == ["sso \(arn) \(Cloud.production)"], "\(ended.errors)")
                #expect(
                    emulator.requests.map(\.operation)
                        == ["CreateToken", "GetRoleCredentials", "GetCallerIdentity", "DescribeRegistry"]
                )
            }
        }
    }

    /// The sign-in of `corp`.
    private static let cacheName = "ee0bfd2552fbd840c02cc48b6e823320543c450f"

    @Test("botocore sends a web identity's token to STS")
    func webIdentity() async throws {
        let trusted = EmulatorConfiguration.WebIdentity(issuer: "https://oidc.example", subject: "pod")
        var configuration = EmulatorConfiguration()
        configuration.roles = [.init(arn: Self.role, webIdentity: trusted)]
        let token = trusted.token(expires: configuration.now().addingTimeInterval(600))
        try await withScratchDirectory { directory in
            try write(token, to: "\(directory)/token")
            try await withEmulator(configuration) { emulator in
                let ended = try await botocore(
                    emulator,
                    [
                        "AWS_WEB_IDENTITY_TOKEN_FILE": "\(directory)/token", "AWS_ROLE_ARN": Self.role,
                        "AWS_ROLE_SESSION_NAME": "pod-1",
                    ]
                )
                let arn = "arn:aws:sts::\(Cloud.production):assumed-role/promoter/pod-1"
                #expect(ended.lines == ["assume-role-with-web-identity \(arn) \(Cloud.production)"], "\(ended.errors)")
            }
        }
    }
}

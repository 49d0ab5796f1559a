import FoundationEssentials
import TestDoubles
import Testing

@testable import AWSIdentity

@Suite("Credentials")
struct CredentialsTests {
    static let keys = ["AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "env-secret"]
    static let files = """
        [build]
        aws_access_key_id = AKIABUILD
        aws_secret_access_key = build-secret
        aws_session_token = build-token
        [default]
        aws_access_key_id = AKIADEFAULT
        aws_secret_access_key = default-secret
        """

    private func id(_ variables: [String: String], _ options: IdentityOptions = .init()) async throws -> String {
        let (resolver, _) = try resolver(variables, credentials: Self.files)
        return try await resolver.provider(for: options, stsRegion: "eu-west-1").credentials().accessKeyID
    }

    @Test("come from the profile that a flag names, the environment, AWS_PROFILE, default, in this order")
    func order() async throws {
        let everything = Self.keys.merging(["AWS_PROFILE": "build"]) { $1 }
        #expect(try await id(everything, IdentityOptions(profile: "default")) == "AKIADEFAULT")
        #expect(try await id(everything) == "AKIAENVIRONMENT")
        #expect(try await id(["AWS_PROFILE": "build", "AWS_DEFAULT_PROFILE": "default"]) == "AKIABUILD")
        #expect(try await id(["AWS_DEFAULT_PROFILE": "build"]) == "AKIABUILD")
        #expect(try await id(["AWS_ACCESS_KEY_ID": ""]) == "AKIADEFAULT", "an empty variable counts as not set")
    }

    @Test("carry session, expiry, account and origin")
    func members() async throws {
        let more = [
            "AWS_SESSION_TOKEN": "token", "AWS_CREDENTIAL_EXPIRATION": "2026-01-15T13:30:00+01:00",
            "AWS_ACCOUNT_ID": "111122223333",
        ]
        let (resolver, _) = try resolver(Self.keys.merging(more) { $1 }, credentials: Self.files)
        let environment = try await resolver.provider(for: .init(), stsRegion: "eu-west-1").credentials()
        #expect(environment.sessionToken == "token")
        #expect(environment.expiration == noon + 1_800)
        #expect(environment.accountID == "111122223333")
        #expect(environment.source == "environment")

        let profile = try await resolver.provider(for: .init(profile: "build"), stsRegion: "x").credentials()
        #expect(profile.sessionToken == "build-token")
        #expect(profile.secretAccessKey == "build-secret")
        #expect(profile.source == "profile build")
    }

    @Test("never show a secret, however they are printed")
    func hidden() {
        let credentials = AWSCredentials(
            accessKeyID: "AKIAIOSFODNN7EXAMPLE",
            secretAccessKey: "hidden-secret",
            sessionToken: "hidden-token",
            source: "environment"
        )
        var dumped = ""
        dump(credentials, to: &dumped)
        dump([credentials], to: &dumped)
        let texts = [
            "\(credentials)", String(reflecting: credentials), "\([credentials])", "\(Optional(credentials) as Any)",
            dumped, "\(StaticCredentials(credentials))",
        ]
        for text in texts {
            #expect(!text.contains("hidden"))
            #expect(!text.contains("AKIA"))
            #expect(text.contains("…MPLE"))
        }
    }

    @Test("are the same provider for the same options")
    func sameProvider() async throws {
        let sender = RecordingSender { _, _ in roleAnswer() }
        let (resolver, _) = try resolver(Self.keys, sender: sender)
        let options = IdentityOptions(roleARN: "arn:aws:iam::123456789012:role/r")
        for _ in 1...3 {
            _ = try await resolver.provider(for: options, stsRegion: "eu-west-1").credentials()
        }
        #expect(sender.requests.count == 1)
        let other = IdentityOptions(roleARN: "arn:aws:iam::123456789012:role/q")
        _ = try await resolver.provider(for: other, stsRegion: "eu-west-1").credentials()
        #expect(sender.requests.count == 2)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var variables: [String: String] = [:]
        var config = ""
        var options = IdentityOptions()
        /// Texts that the error must contain.
        var contains: [String]
    }

    static let disabled = "AWS_EC2_METADATA_DISABLED"

    static let faults = [
        Fault(
            testDescription: "nothing at all",
            contains: [
                "no AWS credentials", "AWS_ACCESS_KEY_ID is not set", "profile default", "/.aws/config", "next: ",
            ]
        ),
        Fault(
            testDescription: "a key without its secret",
            variables: ["AWS_ACCESS_KEY_ID": "AKIAX"],
            config: "[default]\naws_access_key_id = A\naws_secret_access_key = hidden\n",
            contains: ["AWS_SECRET_ACCESS_KEY is not", "set both"]
        ),
        Fault(
            testDescription: "a profile with half a key",
            config: "[default]\naws_access_key_id = A\n",
            contains: ["profile 'default'", "no aws_secret_access_key", "config:2"]
        ),
        Fault(
            testDescription: "a profile that isn't there",
            config: "[profile a]\nregion = x\n[profile b]\nregion = x\n",
            options: .init(profile: "c"),
            contains: ["no profile 'c'", "the profile flag", "use one of a, b"]
        ),
        Fault(
            testDescription: "AWS_PROFILE names nothing",
            variables: ["AWS_PROFILE": "c"],
            contains: ["no profile 'c'", "AWS_PROFILE", "aws configure --profile c"]
        ),
        Fault(
            testDescription: "AWS_PROFILE names nothing, and the environment has keys",
            variables: Self.keys.merging(["AWS_PROFILE": "c"]) { $1 },
            config: "[profile a]\nregion = x\n",
            contains: [
                "no profile 'c' (named by AWS_PROFILE)",
                "use one of a, or unset AWS_PROFILE: the environment's keys are used, not a profile's",
            ]
        ),
        Fault(
            testDescription: "AWS_DEFAULT_PROFILE names nothing",
            variables: ["AWS_DEFAULT_PROFILE": "c"],
            contains: ["no profile 'c' (named by AWS_DEFAULT_PROFILE)"]
        ),
        Fault(
            testDescription: "a profile without credentials",
            config: "[profile a]\nregion = eu-west-1\n",
            options: .init(profile: "a"),
            contains: ["no AWS credentials", "profile a"]
        ),
        Fault(
            testDescription: "a file with a fault",
            config: "[default]\nhidden\n",
            contains: ["config:2", "key = value"]
        ),
        Fault(
            testDescription: "a sign-in without its session",
            config: "[profile a]\nsso_session = corp\nsso_account_id = 1\n",
            options: .init(profile: "a"),
            contains: ["sso-session 'corp'", "profile 'a'", "config:2", "aws configure sso-session"]
        ),
        Fault(
            testDescription: "a sign-in with half of its settings",
            config: "[profile a]\nsso_account_id = 1\nsso_start_url = https://x\n",
            options: .init(profile: "a"),
            contains: ["has no sso_role_name, sso_region", "config:2", "aws configure sso --profile a"]
        ),
        Fault(
            testDescription: "a sign-in with contradicting settings",
            config: "[profile a]\nsso_account_id = 1\nsso_role_name = r\nsso_session = s\nsso_region = eu-west-1\n"
                + "[sso-session s]\nsso_start_url = https://x\nsso_region = eu-west-2\n",
            options: .init(profile: "a"),
            contains: ["different values of sso_region", "config:5"]
        ),
        Fault(
            testDescription: "a process that is not a command line",
            config: "[profile a]\ncredential_process = 'hidden\n",
            options: .init(profile: "a"),
            contains: ["credential_process", "profile 'a'", "config:2", "close its quotes"]
        ),
        Fault(
            testDescription: "a token without a role",
            variables: ["AWS_WEB_IDENTITY_TOKEN_FILE": "/t"],
            contains: ["no role to assume with it", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"]
        ),
        Fault(
            testDescription: "an AWS CLI login",
            config: "[profile a]\nlogin_session = hidden\n",
            options: .init(profile: "a"),
            contains: ["login_session", "profile 'a', ", "config:2", "export-credentials --profile a"]
        ),
        Fault(
            testDescription: "a container's endpoint over plain http at another host",
            variables: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/x"],
            contains: ["AWS_CONTAINER_CREDENTIALS_FULL_URI", "example.com", "plain http"]
        ),
        Fault(
            testDescription: "a container's endpoint that is not a URL",
            variables: ["AWS_CONTAINER_CREDENTIALS_FULL_URI": "nonsense"],
            contains: ["AWS_CONTAINER_CREDENTIALS_FULL_URI is not a URL"]
        ),
        Fault(
            testDescription: "an unknown mode",
            variables: ["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv5", disabled: "false"],
            contains: ["'ipv5' is not a mode", "IPv4 or IPv6"]
        ),
        Fault(
            testDescription: "expired keys",
            variables: keys.merging(["AWS_CREDENTIAL_EXPIRATION": "2026-01-15T11:59:00Z"]) { $1 },
            contains: [
                "expired at 2026-01-15T11:59:00Z, and it is 2026-01-15T12:00:00Z now", "AWS_CREDENTIAL_EXPIRATION",
            ]
        ),
        Fault(
            testDescription: "a role with an unknown credential_source",
            config: "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = Ec2\n",
            options: .init(profile: "a"),
            contains: ["'Ec2' is not a credential_source", "config:3", "EcsContainer"]
        ),
        Fault(
            testDescription: "a role from the container, outside one",
            config: "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = EcsContainer\n",
            options: .init(profile: "a"),
            contains: ["from the container", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set", "config:3"]
        ),
        Fault(
            testDescription: "a role from an instance whose metadata service is disabled",
            config:
                "[profile a]\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = Ec2InstanceMetadata\n",
            options: .init(profile: "a"),
            contains: ["from the instance", "AWS_EC2_METADATA_DISABLED is true", "config:3"]
        ),
    ]

    @Test("that are not available get an error with the reason and the remedy", arguments: faults)
    func explained(_ fault: Fault) throws {
        let variables = [Self.disabled: "true"].merging(fault.variables) { $1 }
        let (resolver, _) = try resolver(variables, config: fault.config)
        let error = #expect(throws: IdentityError.self) {
            try resolver.provider(for: fault.options, stsRegion: "eu-west-1")
        }
        let text = "\(try #require(error))"
        for phrase in fault.contains {
            #expect(text.contains(phrase), "\(text)")
        }
        #expect(!text.contains("hidden"))
    }
}

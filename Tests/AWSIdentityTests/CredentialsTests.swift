import FoundationEssentials
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
        #expect(try await id(["AWS_ACCESS_KEY_ID": ""]) == "AKIADEFAULT", "set to nothing is not set")
        #expect(try await id(Self.keys.merging(["AWS_PROFILE": "nobody"]) { $1 }) == "AKIAENVIRONMENT")
    }

    @Test("carry session, expiry, account and origin")
    func members() async throws {
        let more = [
            "AWS_SESSION_TOKEN": "token", "AWS_CREDENTIAL_EXPIRATION": "2026-01-15T13:00:00+01:00",
            "AWS_ACCOUNT_ID": "111122223333",
        ]
        let (resolver, _) = try resolver(Self.keys.merging(more) { $1 }, credentials: Self.files)
        let environment = try await resolver.provider(for: .init(), stsRegion: "eu-west-1").credentials()
        #expect(environment.sessionToken == "token")
        #expect(environment.expiration == noon)
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
        /// What the error must say, each of them.
        var says: [String]
    }

    static let faults = [
        Fault(
            testDescription: "nothing at all",
            says: ["no AWS credentials", "AWS_ACCESS_KEY_ID is not set", "profile default", "/.aws/config", "next: "]
        ),
        Fault(
            testDescription: "a key without its secret",
            variables: ["AWS_ACCESS_KEY_ID": "AKIAX"],
            config: "[default]\naws_access_key_id = A\naws_secret_access_key = hidden\n",
            says: ["AWS_SECRET_ACCESS_KEY is not", "set both"]
        ),
        Fault(
            testDescription: "a profile with half a key",
            config: "[default]\naws_access_key_id = A\n",
            says: ["profile 'default'", "no aws_secret_access_key", "config:2"]
        ),
        Fault(
            testDescription: "a profile that isn't there",
            config: "[profile a]\nregion = x\n[profile b]\nregion = x\n",
            options: .init(profile: "c"),
            says: ["no profile 'c'", "the profile flag", "use one of those there: a, b"]
        ),
        Fault(
            testDescription: "AWS_PROFILE names nothing",
            variables: ["AWS_PROFILE": "c"],
            says: ["no profile 'c'", "AWS_PROFILE", "aws configure --profile c"]
        ),
        Fault(
            testDescription: "a profile without credentials",
            config: "[profile a]\nregion = eu-west-1\n",
            options: .init(profile: "a"),
            says: ["no AWS credentials", "profile a"]
        ),
        Fault(
            testDescription: "a file with a fault",
            config: "[default]\nhidden\n",
            says: ["config:2", "key = value"]
        ),
        Fault(
            testDescription: "single sign-on",
            config: "[profile a]\nsso_session = corp\nsso_account_id = 1\n",
            options: .init(profile: "a"),
            says: ["sso_session", "profile 'a'", "config:2", "not supported yet", "AWS_ACCESS_KEY_ID"]
        ),
        Fault(
            testDescription: "an external process",
            config: "[profile a]\ncredential_process = cat hidden\n",
            options: .init(profile: "a"),
            says: ["credential_process", "profile 'a'", "not supported yet"]
        ),
        Fault(
            testDescription: "web identity in the environment",
            variables: ["AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/r"],
            says: ["AWS_WEB_IDENTITY_TOKEN_FILE", "not supported yet"]
        ),
        Fault(
            testDescription: "web identity in a profile",
            config: "[default]\nrole_arn = arn:aws:iam::123456789012:role/r\nweb_identity_token_file = /t\n",
            says: ["web_identity_token_file", "profile 'default'", "not supported yet"]
        ),
        Fault(
            testDescription: "a container's endpoint",
            variables: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"],
            says: ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "not supported yet"]
        ),
        Fault(
            testDescription: "a second factor",
            config: """
                [profile a]
                role_arn = arn:aws:iam::123456789012:role/r
                mfa_serial = arn:aws:iam::123456789012:mfa/u
                source_profile = a
                """,
            options: .init(profile: "a"),
            says: ["mfa_serial", "profile 'a'", "config:3", "not supported yet"]
        ),
        Fault(
            testDescription: "a role from the instance",
            config: """
                [profile a]
                role_arn = arn:aws:iam::123456789012:role/r
                credential_source = Ec2InstanceMetadata
                """,
            options: .init(profile: "a"),
            says: ["credential_source = Ec2InstanceMetadata", "not supported yet"]
        ),
    ]

    @Test("that can't be had say why and what to do", arguments: faults)
    func explained(_ fault: Fault) throws {
        let (resolver, _) = try resolver(fault.variables, config: fault.config)
        let error = #expect(throws: IdentityError.self) {
            try resolver.provider(for: fault.options, stsRegion: "eu-west-1")
        }
        let text = "\(try #require(error))"
        for phrase in fault.says {
            #expect(text.contains(phrase), "\(text)")
        }
        #expect(!text.contains("hidden"))
    }
}

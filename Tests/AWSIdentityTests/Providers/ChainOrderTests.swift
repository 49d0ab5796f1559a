import FoundationEssentials
import HTTPTypes
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity

@Suite("The search for credentials")
struct ChainOrderTests {
    /// The lines of the config file for each kind of credentials.
    private static let config: [(kind: String, lines: String)] = [
        ("role", "role_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"),
        (
            "sso",
            "sso_account_id = 123456789012\nsso_role_name = dev\nsso_start_url = https://x\nsso_region = eu-west-1\n"
        ),
        (
            "process",
            "credential_process = echo '{\"Version\":1,\"AccessKeyId\":\"PROCESS\",\"SecretAccessKey\":\"s\"}'\n"
        ),
        ("config", "aws_access_key_id = CONFIG\naws_secret_access_key = s\n"),
    ]
    private static let variables = [
        "environment": ["AWS_ACCESS_KEY_ID": "ENVIRONMENT", "AWS_SECRET_ACCESS_KEY": "s"],
        "web": ["AWS_WEB_IDENTITY_TOKEN_FILE": "HOME/token", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/w"],
        "container": ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/x"],
    ]
    /// The kinds in the order in which they are used.
    private static let order = [
        "environment", "role", "web", "sso", "credentials", "process", "config", "container", "instance",
    ]

    /// A sender that answers as the service of each request.
    private static func sender() -> RecordingSender {
        RecordingSender { request, _ in
            switch request.url.host {
            case "portal.sso.eu-west-1.amazonaws.com":
                return .json(
                    #"{"roleCredentials":{"accessKeyId":"SSO","secretAccessKey":"s","sessionToken":"t","#
                        + #""expiration":1768482000000}}"#
                )
            case "169.254.170.2": return roleKeys("CONTAINER")
            case "169.254.169.254":
                if request.method == .put { return .text("metadata-token") }
                return request.url.path.hasSuffix("/") ? .text("role-of-instance") : roleKeys("INSTANCE")
            default:
                let isWeb = String(decoding: request.body, as: UTF8.self).contains("WithWebIdentity")
                guard isWeb else { return roleAnswer("ROLE") }
                let answer = String(decoding: roleAnswer("WEB").body, as: UTF8.self)
                return .text(answer.replacing("AssumeRole", with: "AssumeRoleWithWebIdentity"))
            }
        }
    }

    /// Returns the key id that is found if only `kinds` are configured.
    private func found(
        _ kinds: [String],
        _ options: IdentityOptions = .init(),
        _ observe: (RecordingSender) -> Void = { _ in }
    ) async throws -> String {
        let sender = Self.sender()
        observe(sender)
        let lines = Self.config.filter { kinds.contains($0.kind) }.map(\.lines).joined()
        var variables = kinds.contains("instance") ? [:] : ["AWS_EC2_METADATA_DISABLED": "true"]
        for kind in kinds { variables.merge(Self.variables[kind] ?? [:]) { $1 } }
        var id = ""
        try await withMachine(
            variables,
            config: "[default]\n\(lines)[profile base]\naws_access_key_id = BASE\naws_secret_access_key = s\n",
            credentials: kinds.contains("credentials")
                ? "[default]\naws_access_key_id = CREDENTIALS\naws_secret_access_key = s\n" : nil,
            sender: sender,
            clock: ContinuousClock()
        ) { resolver, home in
            try Data("a web identity token\n".utf8).write(to: URL(filePath: home + "/token"))
            let token = #"{"accessToken":"t","expiresAt":"2026-01-15T20:00:00Z"}"#
            try Data(token.utf8).write(to: URL(filePath: SignInToken.path(of: "https://x", resolver.environment)))
            id = try await resolver.credentials(options).accessKeyID
        }
        return id
    }

    @Test("finds the first kind in the AWS CLI's order", arguments: order.indices)
    func first(_ first: Int) async throws {
        #expect(try await found(Array(Self.order[first...])) == Self.order[first].uppercased())
    }

    @Test("ignores the environment if a flag names the profile")
    func named() async throws {
        let options = IdentityOptions(profile: "default")
        #expect(try await found(Self.order, options) == "ROLE")
        #expect(
            try await found(Self.order.filter { $0 != "role" }, options) == "SSO",
            "EKS's variables are ignored too"
        )
        #expect(try await found(["environment", "web", "container", "instance"], options) == "CONTAINER")
    }

    @Test("lists everything that was tried in its error, in order")
    func nothing() async throws {
        let sender = RecordingSender { _, _ in throw WireError(.unreachable, "no route to host") }
        try await withMachine(sender: sender) { resolver, home in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            let text = "\(try #require(error))"
            #expect(
                text == """
                    there are no AWS credentials
                      tried: environment (AWS_ACCESS_KEY_ID is not set); profile default (not in \(home)/.aws/config or \
                    \(home)/.aws/credentials); container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not set); instance \
                    metadata (no route to host)
                      next: sign in (`aws sso login`, `aws configure`), name a profile with --profile, or set \
                    AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
                    """
            )
        }
    }

    @Test("never combines an id with the secret or the token of the other file")
    func halves() async throws {
        let config = "[default]\naws_access_key_id = OLD\naws_secret_access_key = old\naws_session_token = old\n"
        let credentials = "[default]\naws_access_key_id = NEW\naws_secret_access_key = new\n"
        try await withMachine(config: config, credentials: credentials) { resolver, _ in
            let found = try await resolver.credentials()
            #expect(found.accessKeyID == "NEW" && found.secretAccessKey == "new" && found.sessionToken == nil)
        }
        try await withMachine(config: config, credentials: "[default]\naws_access_key_id = NEW\n") { resolver, _ in
            let error = await #expect(throws: IdentityError.self) { try await resolver.credentials() }
            #expect(error?.problem.contains("no aws_secret_access_key") == true)
        }
    }

    @Test("is released with its resolver, whatever was found")
    func freed() async throws {
        weak var sender: RecordingSender?
        for kind in ["role", "web", "sso", "process", "container", "instance"] {
            sender = try await used([kind])
            #expect(sender == nil, "\(kind)")
        }
    }

    /// Returns the sender of a search that has ended; `nil` unless it leaks.
    private func used(_ kinds: [String]) async throws -> RecordingSender? {
        weak var remembered: RecordingSender?
        _ = try await found(kinds) { remembered = $0 }
        return remembered
    }
}

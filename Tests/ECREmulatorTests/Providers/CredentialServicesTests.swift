import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("Sources of a client's first keys", .timeLimit(.minutes(1)))
struct CredentialServicesTests {
    private let role = "arn:aws:iam::\(otherAccount):role/puller"
    private let clock = HandClock()

    private func configuration() -> EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        let clock = clock
        configuration.now = { clock.now }
        return configuration
    }

    /// Returns the account of the registry that a request with an answer's keys describes.
    private func holder(
        of answer: PlainAnswer,
        _ members: (String, String, String),
        under parent: String? = nil,
        _ client: PlainClient
    ) async throws -> String? {
        func member(_ name: String) throws -> String {
            try (parent.map { try answer.json($0, name) } ?? answer.json(name)) ?? ""
        }
        let session = (try member(members.0), try member(members.1), try member(members.2))
        let registry = try await client.call("DescribeRegistry", session: session)
        return try registry.json("registryId") ?? registry.code
    }

    @Test("Identity Center issues keys to a signed-in user, for the assigned roles")
    func portal() async throws {
        var configuration = configuration()
        configuration.identityCenter = .init(
            signIns: [.init(accessToken: "token-1", expires: noon.addingTimeInterval(600))],
            assignments: [.init(account: otherAccount, role: "puller")]
        )
        try await withClient(configuration) { emulator, client in
            func ask(_ token: String, _ role: String = "puller", _ account: String = otherAccount) async throws
                -> PlainAnswer
            {
                try await client.send(
                    "GET",
                    "/federation/credentials?role_name=\(role)&account_id=\(account)",
                    [("x-amz-sso_bearer_token", token)]
                )
            }
            let answer = try await ask("token-1")
            #expect(answer.status == 200)
            #expect(try answer.json("roleCredentials", "expiration") == "1768482000000")
            let names = ("accessKeyId", "secretAccessKey", "sessionToken")
            #expect(try await holder(of: answer, names, under: "roleCredentials", client) == otherAccount)
            #expect(emulator.requests.first?.api == .identity)
            #expect(emulator.requests.first?.operation == "GetRoleCredentials")
            #expect(emulator.requests.first?.account == otherAccount)

            let forbidden = try await ask("token-1", "admin")
            #expect(forbidden.status == 403)
            #expect(forbidden.headers["x-amzn-errortype"] == "ForbiddenException")
            #expect(try forbidden.json("message") == "No access")
            let missing = try await ask("token-1", "puller", "999999999999")
            #expect(missing.status == 404)
            #expect(missing.headers["x-amzn-errortype"] == "ResourceNotFoundException")
            let unknown = try await ask("token-2")
            #expect(unknown.status == 401)
            #expect(unknown.headers["x-amzn-errortype"] == "UnauthorizedException")
            clock.advance(601)
            #expect(try await ask("token-1").status == 401)
            // The keys are valid longer than the sign-in, for their whole lifetime.
            #expect(try await holder(of: answer, names, under: "roleCredentials", client) == otherAccount)
            clock.advance(3_000)
            #expect(
                try await holder(of: answer, names, under: "roleCredentials", client) == "ExpiredTokenException"
            )
        }
    }

    @Test("a refresh token renews a sign-in once, and is replaced by a new one")
    func refresh() async throws {
        var configuration = configuration()
        configuration.identityCenter = .init(
            signIns: [
                .init(
                    accessToken: "token-1",
                    expires: noon,
                    refreshToken: "refresh-1",
                    clientID: "client",
                    clientSecret: "client-secret"
                )
            ],
            assignments: [.init(account: account, role: "puller")]
        )
        try await withClient(configuration) { emulator, client in
            func refresh(_ token: String, secret: String = "client-secret", grant: String = "refresh_token")
                async throws
                -> PlainAnswer
            {
                let body =
                    #"{"clientId":"client","clientSecret":"\#(secret)","grantType":"\#(grant)","refreshToken":"\#(token)"}"#
                return try await client.send(
                    "POST",
                    "/token",
                    [("Content-Type", "application/json")],
                    body: Array(body.utf8)
                )
            }
            let answer = try await refresh("refresh-1")
            #expect(answer.status == 200)
            #expect(try answer.json("expiresIn") == "3600")
            #expect(try answer.json("tokenType") == "Bearer")
            let token = try #require(try answer.json("accessToken"))
            let keys = try await client.send(
                "GET",
                "/federation/credentials?role_name=puller&account_id=\(account)",
                [("x-amz-sso_bearer_token", token)]
            )
            #expect(keys.status == 200)
            let again = try await refresh("refresh-1")
            #expect(again.status == 400)
            #expect(try again.json("error") == "invalid_grant")
            #expect(again.headers["x-amzn-errortype"] == "InvalidGrantException")
            #expect(try await refresh(try #require(try answer.json("refreshToken"))).status == 200)
            #expect(try await refresh("refresh-1", secret: "other").json("error") == "invalid_client")
            #expect(try await refresh("refresh-1", grant: "password").json("error") == "unsupported_grant_type")
            emulator.inject(
                Fault(on: "CreateToken", .error(code: "ExpiredTokenException", message: "over", status: 400))
            )
            let ordered = try await refresh("refresh-1")
            #expect(try ordered.json("error") == "expired_token")
            #expect(try ordered.json("error_description") == "over")
        }
    }

    @Test("a container's endpoint issues keys for the right Authorization")
    func container() async throws {
        var configuration = configuration()
        configuration.container = .init(roleARN: role, authorization: "pod-token")
        try await withClient(configuration) { emulator, client in
            #expect(emulator.containerURL == "http://127.0.0.1:\(emulator.port)/container/credentials")
            func ask(_ authorization: String?) async throws -> PlainAnswer {
                try await client.follow(emulator.containerURL, authorization.map { [("Authorization", $0)] } ?? [])
            }
            let answer = try await ask("pod-token")
            #expect(try answer.json("Expiration") == "2026-01-15T13:00:00Z")
            #expect(try answer.json("AccountId") == otherAccount)
            let names = ("AccessKeyId", "SecretAccessKey", "Token")
            #expect(try await holder(of: answer, names, client) == otherAccount)
            #expect(try await ask(nil).status == 400)
            #expect(try await ask("other").status == 403)
            for status in [404, 500] {
                emulator.inject(Fault(on: "container credentials", .status(status)))
                #expect(try await ask("pod-token").status == status)
            }
            emulator.inject(Fault(on: "container credentials", .refuse))
            #expect(try await ask("pod-token").json("message") == "No access")
            emulator.inject(Fault(on: "container credentials", .throttle(retryAfter: nil)))
            #expect(try await ask("pod-token").status == 429)
        }
        try await withClient { emulator, client in
            let answer = try await client.follow(emulator.containerURL)
            #expect(answer.status == 404)
        }
    }

    private static let list = "/latest/meta-data/iam/security-credentials/"

    @Test("an instance's metadata service requires a token, as IMDSv2 does")
    func metadata() async throws {
        var configuration = configuration()
        configuration.metadata = .init(roleARN: role)
        try await withClient(configuration) { emulator, client in
            func token(_ ttl: String?) async throws -> PlainAnswer {
                let header = ttl.map { [("x-aws-ec2-metadata-token-ttl-seconds", $0)] } ?? []
                return try await client.send("PUT", "/latest/api/token", header)
            }
            for bad in [nil, "0", "21601", "x"] { #expect(try await token(bad).status == 400) }
            #expect(try await client.send("GET", "/latest/api/token").status == 405)
            let header = ("x-aws-ec2-metadata-token", try await token("60").text)
            #expect(try await client.send("GET", Self.list).status == 401)
            #expect(try await client.send("GET", Self.list, [(header.0, "other")]).status == 401)
            #expect(try await client.send("GET", Self.list, [header]).text == "puller")
            let answer = try await client.send("GET", Self.list + "puller", [header])
            #expect(try answer.json("Code") == "Success")
            #expect(try answer.json("Expiration") == "2026-01-15T18:00:00Z")
            let names = ("AccessKeyId", "SecretAccessKey", "Token")
            #expect(try await holder(of: answer, names, client) == otherAccount)
            #expect(try await client.send("GET", Self.list + "other", [header]).status == 404)
            #expect(try await client.send("GET", "/latest/user-data", [header]).status == 404)
            let operations = emulator.requests.filter { $0.status == 200 && $0.api == .identity }.map(\.operation)
            #expect(operations == ["metadata token", "metadata role", "metadata credentials"])
            clock.advance(61)
            #expect(try await client.send("GET", Self.list, [header]).status == 401)
        }
    }

    @Test("IMDSv1 answers if IMDSv2 isn't required, or isn't available")
    func firstVersion() async throws {
        for (versions, status) in [
            (EmulatorConfiguration.InstanceMetadata.Versions.both, 200), (.onlyFirst(status: 403), 403),
            (.onlyFirst(status: 405), 405),
        ] {
            var configuration = configuration()
            configuration.metadata = .init(roleARN: role, versions: versions)
            try await withClient(configuration) { _, client in
                let header = [("x-aws-ec2-metadata-token-ttl-seconds", "60")]
                let token = try await client.send("PUT", "/latest/api/token", header)
                #expect(token.status == status)
                #expect(try await client.send("GET", Self.list + "puller").json("Code") == "Success")
            }
        }
        var configuration = configuration()
        configuration.metadata = .init(roleARN: nil, versions: .both)
        try await withClient(configuration) { _, client in
            let answer = try await client.send("GET", Self.list)
            #expect(answer.status == 404)
        }
    }

    @Test("the role's policies apply to keys from every source")
    func policies() async throws {
        var configuration = configuration()
        configuration.container = .init(roleARN: role)
        configuration.roles = [.init(arn: role, policies: [])]
        try await withClient(configuration) { emulator, client in
            let answer = try await client.follow(emulator.containerURL)
            let names = ("AccessKeyId", "SecretAccessKey", "Token")
            #expect(try await holder(of: answer, names, client) == "AccessDeniedException")
        }
    }
}

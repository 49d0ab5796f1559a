import Content
import Distribution
import HTTPTypes
import Platform
import TestDoubles
import Testing
import Wire

@Suite("A stored login that is refused")
struct RefusedLoginTests {
    private static let stale = RegistryCredentials.password(user: "AWS", password: "of-last-week")
    private static let basic = "Basic QVdTOm9mLWxhc3Qtd2Vlaw=="
    private static let expired = "Your authorization token has expired. Reauthenticate and try again."

    /// A client of a registry and a token server, whose answers the test makes.
    private struct LoginFixture {
        let registry: ScriptedRegistry
        let client: RegistryClient
        let repository: RepositoryName
        let clock = RecordingClock()

        init(
            _ logins: any CredentialsStoring,
            challenge: String = #"Bearer realm="https://auth.example/token",service="s""#,
            exchange: WireResponse? = nil,
            token: @escaping @Sendable (_ credentials: String?) -> WireResponse,
            registry answer: @escaping @Sendable (WireRequest) -> WireResponse
        ) throws {
            let refusal = try response(401, ["WWW-Authenticate": challenge], errors("UNAUTHORIZED", "log in"))
            let reply: ScriptedRegistry.Step = .reply { request in
                let credentials = request.fields[.authorization]
                // An exchange has no Authorization field, only another method.
                if request.method == .post, let exchange { return exchange }
                if request.url.host == "auth.example" { return token(credentials) }
                return credentials == nil && challenge.hasPrefix("Bearer") ? refusal : answer(request)
            }
            registry = ScriptedRegistry(Array(repeating: reply, count: 100))
            repository = try RepositoryName(parsing: "team/app")
            client = try negotiatingClient(registry, logins, clock)
        }

        func read() async throws -> Manifest? { try await client.manifest(.digest(imageDigest), of: repository) }

        /// The host and the credentials of each request.
        var asked: [String] {
            registry.requests.map { "\($0.url.host) \($0.fields[.authorization] ?? "-")" }
        }
    }

    private static func token(_ text: String) -> WireResponse {
        WireResponse(status: .ok, body: Array("{\"token\":\"\(text)\"}".utf8))
    }

    private static func refusal(_ status: Int, _ code: String = "DENIED", _ message: String = expired) -> WireResponse {
        WireResponse(status: .init(code: status), body: Array(errors(code, message).utf8))
    }

    private static let image = WireResponse(status: .ok, body: Array(imageText.utf8))

    @Test("by the token server is left out for a public image", arguments: [400, 401, 403])
    func byTokenServer(status: Int) async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            credentials == nil ? Self.token("anonymous") : Self.refusal(status)
        } registry: { _ in
            Self.image
        }
        for _ in 0..<2 { #expect(try await fixture.read() != nil) }
        #expect(
            fixture.asked == [
                "r.example -", "auth.example \(Self.basic)", "auth.example -", "r.example Bearer anonymous",
                "r.example Bearer anonymous",
            ]
        )
        #expect(fixture.clock.waits.isEmpty)
    }

    @Test("by a token server without OAuth 2 is left out", arguments: [404, 405])
    func noExchange(status: Int) async throws {
        let fixture = try LoginFixture(KnownLogins(.identityToken("refresh-me")), exchange: Self.refusal(status)) { _ in
            Self.token("anonymous")
        } registry: { _ in
            Self.image
        }
        #expect(try await fixture.read() != nil)
    }

    @Test(
        "by the registry, which refuses its token, is left out for a public image",
        arguments: [
            refusal(403), refusal(400), refusal(401, "UNAUTHORIZED", "bad token"),
            refusal(403, "DENIED", "Token is expired"),
        ]
    )
    func byRegistry(refusal: WireResponse) async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            Self.token(credentials == nil ? "anonymous" : "stale")
        } registry: { request in
            request.fields[.authorization] == "Bearer stale" ? refusal : Self.image
        }
        for _ in 0..<2 { #expect(try await fixture.read() != nil) }
        #expect(fixture.asked.suffix(2) == ["r.example Bearer anonymous", "r.example Bearer anonymous"])
        #expect(fixture.asked.count { $0 == "r.example Bearer stale" } == 1)
    }

    @Test("by the registry, which refuses a renewed token too, is left out after one renewal")
    func byRegistryEachTime() async throws {
        let count = Lock(0)
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            guard credentials != nil else { return Self.token("anonymous") }
            return Self.token("stale\(count.withLock { $0 += 1; return $0 })")
        } registry: { request in
            request.fields[.authorization] == "Bearer anonymous" ? Self.image : Self.refusal(403)
        }
        #expect(try await fixture.read() != nil)
        #expect(
            fixture.asked.filter { $0.hasPrefix("r.example") }
                == ["r.example -", "r.example Bearer stale1", "r.example Bearer stale2", "r.example Bearer anonymous"]
        )
    }

    @Test("is left out by many requests at once with one token")
    func together() async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            Self.token(credentials == nil ? "anonymous" : "stale")
        } registry: { request in
            request.fields[.authorization] == "Bearer stale" ? Self.refusal(403) : Self.image
        }
        _ = try await fixture.read()
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<20 { group.addTask { try await fixture.read() != nil } }
            for try await isFound in group { #expect(isFound) }
        }
        #expect(fixture.asked.count { $0 == "auth.example -" } == 1)
    }

    @Test("is named if the token server requires one", arguments: [401, 403])
    func privateImage(status: Int) async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            credentials == nil ? Self.refusal(401, "UNAUTHORIZED", "anonymous access denied") : Self.refusal(status)
        } registry: { _ in
            Self.image
        }
        let error = try await registryError { try await fixture.read() }
        #expect(error.kind == .unauthorized && error.status == status && error.login == .docker)
        #expect(error.message == "\(Self.expired); logged in by /c", "\(error.message)")
    }

    @Test("is named if the registry requires one", arguments: [401, 403])
    func privateRepository(status: Int) async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            credentials == nil ? Self.token("anonymous") : Self.refusal(403)
        } registry: { _ in
            Self.refusal(status, "DENIED", "requested access to the resource is denied")
        }
        let error = try await registryError { try await fixture.read() }
        #expect(error.status == status && error.login == .docker)
        #expect(
            error.message
                == "requested access to the resource is denied; asked without the stored login: logged in by /c, which is "
                + "refused"
        )
    }

    @Test("by the registry is named in its error, if the token server requires one")
    func anonymousRefused() async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            credentials == nil ? Self.refusal(401, "UNAUTHORIZED", "anonymous access denied") : Self.token("stale")
        } registry: { _ in
            Self.refusal(403)
        }
        for _ in 0..<2 {
            let error = try await registryError { try await fixture.read() }
            #expect(error.kind == .tokenExpired && error.message == "\(Self.expired); logged in by /c")
        }
    }

    @Test("is not left out for writing")
    func writing() async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            credentials == nil ? Self.token("anonymous") : Self.refusal(401)
        } registry: { _ in
            Self.image
        }
        let error = try await registryError { try await fixture.client.startUpload(in: fixture.repository) }
        #expect(error.operation == .authorize && error.message.contains("logged in by /c"))
        #expect(!fixture.asked.contains("auth.example -"))
    }

    @Test("for one repository is still sent for another")
    func otherRepository() async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale)) { credentials in
            credentials == nil ? Self.token("anonymous") : Self.token("mine")
        } registry: { request in
            let isPublic = request.url.path.contains("team/app")
            let wanted = isPublic ? "Bearer anonymous" : "Bearer mine"
            return request.fields[.authorization] == wanted
                ? Self.image : Self.refusal(401, "UNAUTHORIZED", "not this one")
        }
        #expect(try await fixture.read() != nil)
        let other = try RepositoryName(parsing: "secret/app")
        #expect(try await fixture.client.manifest(.digest(imageDigest), of: other) != nil)
    }

    @Test("is replaced by a newer one in the store")
    func storedAgain() async throws {
        let fresh = RegistryCredentials.password(user: "AWS", password: "of-today")
        let fixture = try LoginFixture(KnownLogins(Self.stale, fresh)) { credentials in
            Self.token(credentials == Self.basic ? "stale" : "fresh")
        } registry: { request in
            request.fields[.authorization] == "Bearer fresh" ? Self.image : Self.refusal(403)
        }
        #expect(try await fixture.read() != nil)
        #expect(!fixture.asked.contains("auth.example -"))
    }

    @Test("is left out at a registry with Basic, where another repository is public")
    func passwords() async throws {
        let fixture = try LoginFixture(KnownLogins(Self.stale), challenge: "Basic") { _ in
            Self.refusal(404)
        } registry: { request in
            let isPublic = request.url.path.contains("team/app")
            guard request.fields[.authorization] == nil, isPublic else {
                return WireResponse(status: .unauthorized, fields: [.wwwAuthenticate: "Basic"])
            }
            return Self.image
        }
        let secret = try RepositoryName(parsing: "secret/app")
        let error = try await registryError { try await fixture.client.manifest(.digest(imageDigest), of: secret) }
        #expect(error.kind == .unauthorized && error.message.contains("logged in by /c"))
        for _ in 0..<2 { #expect(try await fixture.read() != nil) }
    }

    /// A store that can't be read.
    private struct BrokenStore: CredentialsStoring {
        func credentials(
            for repository: RepositoryName?,
            insteadOf rejected: RegistryCredentials?
        ) async throws -> FoundCredentials { throw LoginError("/c is not JSON", remedy: "correct it") }
    }

    @Test("or can't be read is left out for a public image, and named for a private one")
    func unreadable() async throws {
        for isPublic in [true, false] {
            let fixture = try LoginFixture(BrokenStore()) { _ in
                isPublic ? Self.token("anonymous") : Self.refusal(401)
            } registry: { _ in
                Self.image
            }
            if isPublic {
                #expect(try await fixture.read() != nil)
            } else {
                let error = await #expect(throws: LoginError.self) { try await fixture.read() }
                #expect(error?.problem == "/c is not JSON")
            }
            await #expect(throws: LoginError.self) { try await fixture.client.startUpload(in: fixture.repository) }
        }
    }

    @Test(
        "has commands that depend on the registry and the program",
        arguments: [
            ("r.example:5000", LoginTool.docker, "docker login r.example:5000", "docker logout r.example:5000"),
            ("r.example", .podman, "podman login r.example", "podman logout r.example"),
            ("registry-1.docker.io", .docker, "docker login", "docker logout"),
            ("docker.io", .podman, "podman login docker.io", "podman logout docker.io"),
            (
                "public.ecr.aws", .docker,
                "aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin "
                    + "public.ecr.aws", "docker logout public.ecr.aws"
            ),
        ]
    )
    func commands(registry: String, tool: LoginTool, login: String, logout: String) {
        let commands = LoginCommands(registry: registry, tool: tool)
        #expect(commands.login == login && commands.logout == logout)
    }
}

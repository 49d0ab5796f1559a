import Content
import FoundationEssentials
import HTTPTypes
import Platform
import Testing
import Wire

@testable import Distribution

@Suite("Credentials that a registry asks for")
struct NegotiationTests {
    private static let password = RegistryCredentials.password(user: "me", password: "hunter22")
    private static let basic = "Basic bWU6aHVudGVyMjI="
    private static let pull = "v=1&service=r.example%3A443&scope=repository%3Ateam%2Fapp%3Apull"

    @Test("are learned from the first refusal, and go along from then on")
    func learned() async throws {
        let stage = try GuardedStage()
        for _ in 0..<3 { #expect(try await stage.readManifest()?.digest == imageDigest) }
        #expect(stage.registry.shown == [nil, "Bearer t1", "Bearer t1", "Bearer t1"])
        #expect(stage.registry.tokenQuestions == ["GET \(Self.pull)"])
        #expect(stage.clock.waits.isEmpty)
    }

    @Test("are had from a realm that has white space around it")
    func looseRealm() throws {
        let challenge = AuthenticationChallenge(scheme: "bearer", parameters: ["realm": " https://auth.example/token "])
        let found = try TokenRealm(challenge, of: try HTTPURL("https://r.example"))
        #expect(found.url.text == "https://auth.example/token")
    }

    @Test(
        "are not asked for at a realm that is not an address; the error quotes it",
        arguments: ["null://r.example/token", "tests"]
    )
    func badRealm(realm: String) throws {
        // Nexus behind a proxy wrote the first (sonatype/nexus-public issue 580).
        let challenge = AuthenticationChallenge(scheme: "bearer", parameters: ["realm": realm])
        let registry = try HTTPURL("https://r.example")
        let error = #expect(throws: LoginError.self) { try TokenRealm(challenge, of: registry) }
        #expect(error?.problem.hasSuffix("could be had from, but '\(realm)'") == true)
    }

    @Test("may come from a server that encodes its answers")
    func encoded() async throws {
        let stage = try GuardedStage()
        #expect(try await stage.readManifest() != nil)
        let questions = stage.registry.requests.filter { $0.url.host == "auth.example" }
        #expect(questions.map(\.decodesAnswer) == [true])
    }

    @Test("are asked for with the right to push by a client that asks less often, too")
    func asking() async throws {
        let stage = try GuardedStage(isDestination: true)
        _ = try await stage.client.asking(attempts: 1).manifest(.digest(imageDigest), of: stage.repository)
        #expect(stage.registry.tokenQuestions == ["GET \(Self.pull)%2Cpush"])
    }

    @Test("are not looked for where nobody asks for any")
    func anonymous() async throws {
        let stage = try GuardedStage(logins: KnownLogins(Self.password))
        stage.registry.change {
            $0.challenge = "Basic"
            $0.admits = [nil]
        }
        #expect(try await stage.readManifest() != nil)
        #expect(stage.registry.shown == [nil] && stage.logins.lookups == 0)
    }

    @Test("go to the token server, and only the token to the registry")
    func passwordAtServer() async throws {
        let stage = try GuardedStage(logins: KnownLogins(Self.password))
        stage.registry.change { $0.admits = [Self.basic] }
        #expect(try await stage.readManifest() != nil)
        #expect(stage.registry.tokenQuestions == ["GET \(Self.pull) [\(Self.basic)]"])
        #expect(stage.registry.shown == [nil, "Bearer t1"])
    }

    @Test("that are an identity token are exchanged by OAuth 2, in a body")
    func identityToken() async throws {
        let stage = try GuardedStage(logins: KnownLogins(.identityToken("a+b/c=")))
        #expect(try await stage.readManifest() != nil)
        #expect(
            stage.registry.tokenQuestions == [
                "POST v=1 grant_type=refresh_token&client_id=ecr-replicate&service=r.example%3A443"
                    + "&scope=repository%3Ateam%2Fapp%3Apull&refresh_token=a%2Bb%2Fc%3D"
            ]
        )
        #expect(stage.registry.shown == [nil, "Bearer t1"])
    }

    @Test("that are a registry token go to the registry as they are", arguments: ["Bearer", "Basic"])
    func registryToken(scheme: String) async throws {
        let stage = try GuardedStage(logins: KnownLogins(.registryToken("eyJ.x")))
        stage.registry.change {
            if scheme == "Basic" { $0.challenge = "Basic realm=tests" }
            $0.foreign = ["eyJ.x"]
            $0.admits = ["Bearer eyJ.x"]
        }
        for _ in 0..<2 { #expect(try await stage.readManifest() != nil) }
        #expect(stage.registry.shown == [nil, "Bearer eyJ.x", "Bearer eyJ.x"])
        #expect(stage.registry.tokenQuestions == [])
    }

    @Test("that are a registry token which is refused are left out where something is only read")
    func refusedRegistryToken() async throws {
        let stage = try GuardedStage(logins: KnownLogins(.registryToken("old")))
        #expect(try await stage.readManifest() != nil)
        #expect(stage.registry.tokenQuestions == ["GET \(Self.pull)"])
        #expect(stage.registry.shown == [nil, "Bearer old", "Bearer t1"])
    }

    @Test("go to a registry that wants Basic, from the second request on")
    func basic() async throws {
        let stage = try GuardedStage(logins: KnownLogins(Self.password))
        stage.registry.change {
            $0.challenge = #"Basic realm="tests""#
            $0.admits = [Self.basic]
        }
        for _ in 0..<2 { #expect(try await stage.readManifest() != nil) }
        #expect(stage.registry.shown == [nil, Self.basic, Self.basic])
        #expect(stage.logins.lookups == 1)
    }

    @Test("are looked for anew when they are refused", arguments: ["Basic", "Bearer"])
    func lookedForAnew(scheme: String) async throws {
        let stale = RegistryCredentials.password(user: "me", password: "old")
        let stage = try GuardedStage(logins: KnownLogins(stale, Self.password))
        stage.registry.change {
            if scheme == "Basic" { $0.challenge = "Basic realm=tests" }
            $0.admits = [Self.basic]
        }
        #expect(try await stage.readManifest() != nil)
        #expect(stage.registry.shown.last == (scheme == "Basic" ? Self.basic : "Bearer t1"))
    }

    @Test("that are refused for good end in an error that says where they are from", arguments: [true, false])
    func refused(hasLogin: Bool) async throws {
        let stage = try GuardedStage(logins: hasLogin ? KnownLogins(Self.password) : KnownLogins())
        stage.registry.change {
            $0.challenge = "Basic realm=tests"
            $0.admits = []
        }
        let error = try await registryError { try await stage.readManifest() }
        #expect(error.kind == .unauthorized && error.operation == .readManifest)
        #expect(error.message.contains(hasLogin ? "logged in by /c" : "no login for r.example in /c"), "\(error)")
        #expect(!"\(error)".contains("hunter22") && !"\(error)".contains(Self.basic.dropFirst(6)))
        #expect(stage.registry.shown == (hasLogin ? [nil, Self.basic] : [nil]))
    }

    @Test("are asked for once per repository and access, however many requests there are")
    func onePerAccess() async throws {
        let stage = try GuardedStage()
        _ = try await stage.readManifest()
        stage.registry.change { $0.answer = WireResponse(status: .accepted, fields: [.location: "/u/1"]) }
        let sibling = try RepositoryName(parsing: "team/base")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask { _ = try await stage.client.startUpload(in: stage.repository) }
                group.addTask {
                    _ = try await stage.client.startUpload(in: stage.repository, mounting: someDigest, from: sibling)
                }
            }
            try await group.waitForAll()
        }
        let session = UploadSession(location: try HTTPURL("https://r.example/u/1"), repository: stage.repository)
        _ = try await stage.client.uploadRequest(session, digest: someDigest)
        _ = try await stage.client.blobRequest(someDigest, in: stage.repository)
        #expect(
            Set(stage.registry.tokenQuestions) == [
                "GET \(Self.pull)", "GET \(Self.pull)%2Cpush",
                "GET \(Self.pull)%2Cpush&scope=repository%3Ateam%2Fbase%3Apull",
            ]
        )
        #expect(stage.registry.tokenQuestions.count == 3)
    }

    @Test("are asked for with the right to push from the first question on, where something will be written")
    func destination() async throws {
        let stage = try GuardedStage(isDestination: true)
        stage.registry.change {
            $0.demand = { "repository:team/app:\($0.isWriting ? "pull,push" : "pull")" }
        }
        _ = try await stage.readManifest()
        _ = try await stage.client.blobExists(someDigest, in: stage.repository)
        _ = try await stage.client.manifestDigest(.digest(imageDigest), of: stage.repository)
        stage.registry.change { $0.answer = WireResponse(status: .accepted, fields: [.location: "/u/1"]) }
        _ = try await stage.client.startUpload(in: stage.repository)
        await stage.client.prepareCredentials(forWritingTo: stage.repository)
        #expect(stage.registry.tokenQuestions == ["GET \(Self.pull)%2Cpush"])
    }

    @Test("are renewed before they end")
    func renewedInTime() async throws {
        let clock = Lock(0.0)
        let stage = try GuardedStage(now: { clock.withLock { Date(timeIntervalSince1970: $0) } })
        stage.registry.change { $0.life = nil }
        for second in [0.0, 53, 55, 60, 108, 110] {
            clock.withLock { $0 = second }
            _ = try await stage.readManifest()
        }
        // 60 s if the server doesn't say, less a tenth.
        #expect(stage.registry.shown == [nil, "t1", "t1", "t2", "t2", "t2", "t3"].map { $0.map { "Bearer \($0)" } })
    }

    @Test(
        "end earlier if the server issued them earlier, by its own clock",
        arguments: [
            (#""issued_at":"2026-01-15T12:00:00Z""#, "Thu, 15 Jan 2026 12:01:40 GMT", 180),
            (#""issued_at":"2026-01-15T12:00:00.123456789Z""#, "Thu, 15 Jan 2026 12:01:40 GMT", 180),
            (#""issued_at":"2026-01-15T14:00:00+02:00""#, "Thu, 15 Jan 2026 12:01:40 GMT", 180),
            (#""issued_at":"2026-01-15T12:30:00Z""#, "Thu, 15 Jan 2026 12:00:00 GMT", 270),
            (#""issued_at":"yesterday""#, "Thu, 15 Jan 2026 12:01:40 GMT", 270),
            (#""issued_at":"2026-01-15T12:00:00Z""#, "", 270),
        ]
    )
    func issuedEarlier(issued: String, date: String, renewal: Int) async throws {
        let clock = Lock(0.0)
        let stage = try GuardedStage(now: { clock.withLock { Date(timeIntervalSince1970: $0) } })
        let answer = try response(200, ["Date": date], "{\"token\":\"cached\",\"expires_in\":300,\(issued)}")
        stage.registry.change {
            $0.tokenAnswers = [answer]
            $0.foreign = ["cached"]
        }
        _ = try await stage.readManifest()
        var renewedAt: Int?
        for second in 0...300 where renewedAt == nil {
            clock.withLock { $0 = Double(second) }
            _ = try await stage.client.blobRequest(someDigest, in: stage.repository)
            if stage.registry.tokenQuestions.count > 1 { renewedAt = second }
        }
        #expect(renewedAt == renewal)
    }

    @Test("that have ended are renewed once, and the request goes on")
    func ended() async throws {
        let stage = try GuardedStage()
        _ = try await stage.readManifest()
        stage.registry.change { $0.ended = ["t1"] }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { _ = try await stage.readManifest() } }
            try await group.waitForAll()
        }
        #expect(stage.registry.tokenQuestions.count == 2)

        stage.registry.change { $0.ended = ["t2", "t3", "t4"] }
        let error = try await registryError { try await stage.readManifest() }
        #expect(error.kind == .unauthorized)
        #expect(stage.registry.tokenQuestions.count == 3, "one renewal, and no more")
    }

    @Test("that end on the very first request are renewed too: learning is no renewal")
    func endedAtOnce() async throws {
        let stage = try GuardedStage()
        stage.registry.change { $0.ended = ["t1"] }
        #expect(try await stage.readManifest() != nil)
        #expect(stage.registry.shown == [nil, "Bearer t1", "Bearer t2"])
    }

    @Test("are renewed for a relay, and its next request has the new ones")
    func relay() async throws {
        let stage = try GuardedStage()
        _ = try await stage.readManifest()
        let request = try await stage.client.blobRequest(someDigest, in: stage.repository)
        #expect(request.fields[.authorization] == "Bearer t1")
        stage.registry.change { $0.ended = ["t1"] }
        let answer = try await stage.registry.send(request)
        let failure = await stage.client.downloadFailure(answer, to: request)
        #expect(failure.retryAdvice == .backOff)
        let again = try await stage.client.blobRequest(someDigest, in: stage.repository)
        #expect(again.fields[.authorization] == "Bearer t2")

        let session = UploadSession(location: try HTTPURL("https://r.example/odd/1"), repository: stage.repository)
        let upload = try await stage.client.uploadRequest(session, digest: someDigest)
        #expect(upload.fields[.authorization] == "Bearer t3", "another access, another token")
        stage.registry.change { $0.ended = ["t1", "t3"] }
        let refused = try await stage.registry.send(upload)
        await #expect(throws: RegistryError.self) {
            try await stage.client.interpretUpload(refused, to: upload, in: stage.repository)
        }
        #expect(try await stage.client.uploadRequest(session, digest: someDigest).fields[.authorization] == "Bearer t4")
    }

    @Test("leave the registry with no request but those to it")
    func staysAtHome() async throws {
        let stage = try GuardedStage()
        _ = try await stage.readManifest()
        let elsewhere = try HTTPURL("https://store.example/u?sig=1")
        let session = UploadSession(location: elsewhere, repository: stage.repository)
        #expect(try await stage.client.uploadRequest(session, digest: someDigest).fields[.authorization] == nil)

        stage.registry.change { $0.answer = WireResponse(status: .ok, fields: [.location: "https://store.example/b"]) }
        let request = try await stage.client.blobRequest(someDigest, in: stage.repository)
        let redirect = try response(307, ["Location": "https://store.example/b?sig=1"])
        let next = try #require(try stage.client.follow(redirect, of: request, hops: 0))
        #expect(next.fields[.authorization] == nil && request.fields[.authorization] == "Bearer t1")
    }

    @Test("of several kinds are taken in the best one, in whatever order they come")
    func several() async throws {
        for fields in [
            #"Negotiate, Basic realm="x", Bearer realm="https://auth.example/token""#,
            #"Bearer realm="https://auth.example/token", Basic realm="x""#,
        ] {
            let stage = try GuardedStage(logins: KnownLogins(Self.password))
            stage.registry.change {
                $0.challenge = fields
                $0.admits = [Self.basic]
            }
            #expect(try await stage.readManifest() != nil)
            #expect(stage.registry.shown == [nil, "Bearer t1"])
        }
    }

    @Test("of no kind that we know end in the registry's own words")
    func unknownKind() async throws {
        let stage = try GuardedStage(logins: KnownLogins(Self.password))
        stage.registry.change { $0.challenge = #"Negotiate, Digest realm="x", Bearer"# }
        let error = try await registryError { try await stage.readManifest() }
        #expect(error.kind == .unauthorized && error.message == "authentication required")
        #expect(stage.registry.requests.count == 1)
    }
}

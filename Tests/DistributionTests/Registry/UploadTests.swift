import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("Uploads over /v2")
struct UploadTests {
    private static let post = "POST https://r.example/v2/team/app/blobs/uploads/"

    @Test(
        "go where the registry says, its query kept",
        arguments: [
            ("/v2/team/app/blobs/uploads/u1", "https://r.example/v2/team/app/blobs/uploads/u1?digest=D", true),
            ("https://r.example/u?_state=a%2Fb%3D", "https://r.example/u?_state=a%2Fb%3D&digest=D", true),
            ("u1?", "https://r.example/v2/team/app/blobs/uploads/u1?digest=D", true),
            ("https://r.example:443/u", "https://r.example/u?digest=D", true),
            ("https://store.example/u?sig=1", "https://store.example/u?sig=1&digest=D", false),
            ("https://r.example:8443/u", "https://r.example:8443/u?digest=D", false),
        ]
    )
    func locations(location: String, target: String, hasCredentials: Bool) async throws {
        let stage = try Stage(
            .answer(202, ["Location": location]),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        guard case .session(let session) = try await stage.client.startUpload(in: stage.repository) else {
            Issue.record("no session")
            return
        }
        let request = try await stage.client.uploadRequest(session, digest: someDigest)

        #expect(stage.registry.asked == [Self.post + " [Basic QVdTOnB3]"])
        #expect(request.method == .put)
        #expect(request.url.text == target.replacing("=D", with: "=\(someDigest)"))
        #expect((request.fields[.authorization] != nil) == hasCredentials)
        #expect(request.fields[.contentType] == "application/octet-stream")
    }

    @Test("don't go from https to http, nor nowhere")
    func badLocations() async throws {
        for location in ["http://r.example/u?_state=hunter22", "http://registry:5000/u", "http://r.example:80/u"] {
            let plain = try Stage(.answer(202, ["Location": location]), attempts: 8)
            let error = try await registryError { try await plain.client.startUpload(in: plain.repository) }
            #expect(error.kind == .insecureAddress && error.status == 202 && error.operation == .startUpload)
            #expect(error.message.contains("begins with http") && !"\(error)".contains("hunter22"), "\(error)")
            #expect(plain.clock.waits.isEmpty)
            let mount = try Stage(.answer(202, ["Location": location]), attempts: 8)
            let second = try await registryError {
                try await mount.client.startUpload(in: mount.repository, mounting: someDigest, from: mount.repository)
            }
            #expect(second.kind == .insecureAddress)
        }
        let nowhere = try Stage(.answer(202), .answer(202), .answer(202), attempts: 8)
        let error = try await registryError { try await nowhere.client.startUpload(in: nowhere.repository) }
        #expect(error.kind == .malformedAnswer)
    }

    @Test("that lead nowhere are asked for again, and a mount that does is followed by a plain one")
    func lostLocation() async throws {
        let stage = try Stage(.answer(202), .answer(202, ["Location": "/u1"]))
        guard case .session(let session) = try await stage.client.startUpload(in: stage.repository) else {
            Issue.record("no session")
            return
        }
        #expect(session.location.text == "https://r.example/u1")
        let mount = try Stage(.answer(202), .answer(202, ["Location": "/u2"]))
        _ = try await mount.client.startUpload(in: mount.repository, mounting: someDigest, from: mount.repository)
        #expect(mount.registry.asked.last == "POST https://r.example/v2/team/app/blobs/uploads/")
    }

    @Test("are spared where a sibling's blob can be mounted")
    func mounted() async throws {
        let stage = try Stage(.answer(201, ["Location": "/v2/team/app/blobs/\(someDigest)"]))
        let sibling = try RepositoryName(parsing: "team/base")
        let start = try await stage.client.startUpload(in: stage.repository, mounting: someDigest, from: sibling)
        #expect(start == .mounted)
        #expect(stage.registry.asked == [Self.post + "?mount=\(someDigest)&from=team/base"])
    }

    @Test("use the session that a declined mount opened")
    func mountDeclined() async throws {
        let stage = try Stage(.answer(202, ["Location": "/u1"]))
        let start = try await stage.client.startUpload(in: stage.repository, mounting: someDigest)
        guard case .session(let session) = start else {
            Issue.record("no session")
            return
        }
        #expect(session.location.text == "https://r.example/u1")
        #expect(stage.registry.asked == [Self.post + "?mount=\(someDigest)"])
    }

    @Test("are asked for plainly after a mount that was refused or went wrong", arguments: [400, 403, 404, 405, 201])
    func mountRefused(status: Int) async throws {
        let stage = try Stage(
            .answer(status, ["Docker-Content-Digest": "\(imageDigest)"]),
            .answer(202, ["Location": "/u1"])
        )
        let start = try await stage.client.startUpload(in: stage.repository, mounting: someDigest)
        #expect(start != .mounted)
        #expect(stage.registry.asked == [Self.post + "?mount=\(someDigest)", Self.post])
    }

    @Test("are asked for plainly after a mount at which the registry has failed twice, not after one that it throttles")
    func mountFaults() async throws {
        let stage = try Stage(.answer(500), .answer(502), .answer(202, ["Location": "/u1"]))
        #expect(try await stage.client.startUpload(in: stage.repository, mounting: someDigest) != .mounted)
        let mount = Self.post + "?mount=\(someDigest)"
        #expect(stage.registry.asked == [mount, mount, Self.post])

        let once = try Stage(.answer(500), .answer(503), .answer(503), .answer(201), attempts: 8)
        #expect(try await once.client.startUpload(in: once.repository, mounting: someDigest) == .mounted)
        #expect(once.registry.asked == [mount, mount, mount, mount])
    }

    @Test("follow redirects that keep the method, without credentials at another host", arguments: [307, 308])
    func redirected(status: Int) async throws {
        let stage = try Stage(
            .answer(status, ["Location": "/v2/team/app/blobs/uploads/?moved=1"]),
            .answer(status, ["Location": "https://other.example/v2/u/"]),
            .answer(202, ["Location": "u1"]),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        guard case .session(let session) = try await stage.client.startUpload(in: stage.repository) else {
            Issue.record("no session")
            return
        }
        #expect(session.location.text == "https://other.example/v2/u/u1")
        #expect(
            stage.registry.asked == [
                Self.post + " [Basic QVdTOnB3]", Self.post + "?moved=1 [Basic QVdTOnB3]",
                "POST https://other.example/v2/u/",
            ]
        )
    }

    @Test("don't follow redirects that turn a POST into a GET, or go round in circles")
    func notRedirected() async throws {
        let elsewhere = try Stage(.answer(302, ["Location": "/login"]))
        let error = try await registryError { try await elsewhere.client.startUpload(in: elsewhere.repository) }
        #expect(error.message.contains("a redirect to /login") && elsewhere.registry.asked == [Self.post])

        let round = ScriptedRegistry.Line.answer(307, ["Location": "/v2/a/"])
        let circle = try Stage(round, round, round, round, round, round, attempts: 8)
        await #expect(throws: WireError.self) { try await circle.client.startUpload(in: circle.repository) }
        #expect(circle.registry.asked.count == WireRequest.mostRedirects + 1)
    }

    @Test("ask what it means when the connection is closed, once, and name a missing repository")
    func repositoryMissing() async throws {
        let stage = try Stage(
            .failure(.disconnected),
            .answer(404, [:], errors("NAME_UNKNOWN", "The repository with name 'team/app' does not exist")),
            .failure(.disconnected)
        )
        let error = try await registryError { try await stage.client.startUpload(in: stage.repository) }
        #expect(error.kind == .repositoryMissing)
        #expect(error.operation == .startUpload)
        #expect(stage.registry.asked == [Self.post, "GET https://r.example/v2/team/app/tags/list?n=1", Self.post])
    }

    @Test("go on after a cut that was only a cut, also where the first upload makes the repository")
    func onlyACut() async throws {
        let present = ScriptedRegistry.Line.answer(200, [:], #"{"name":"team/app","tags":[]}"#)
        for line in [present, .answer(404, [:], errors("NAME_UNKNOWN", "")), .answer(403), .failure(.disconnected)] {
            let stage = try Stage(.failure(.disconnected), line, .answer(202, ["Location": "/u1"]))
            #expect(try await stage.client.startUpload(in: stage.repository) != .mounted)
            #expect(stage.clock.waits.count == 1)
        }
    }

    @Test("are done on any 2xx that was seen, and broken otherwise", arguments: [200, 201, 202, 204])
    func interpreted(status: Int) async throws {
        let stage = try Stage()
        let request = WireRequest(.put, try HTTPURL("https://r.example/u?secret=1"))
        try await stage.client.interpretUpload(try response(status), to: request, in: stage.repository)

        let broken = try response(416, [:], errors("BLOB_UPLOAD_INVALID", "First byte of the layer part is 0"))
        let error = try await registryError {
            try await stage.client.interpretUpload(broken, to: request, in: stage.repository)
        }
        #expect(error.kind == .blobUploadInvalid)
        #expect(error.retryAdvice == .backOff)
        #expect(error.url == "https://r.example/u?…")
    }

    @Test("refused for a stale token renew it and advise to start over")
    func staleToken() async throws {
        let authorization = RotatingAuthorization()
        let stage = try Stage(.answer(202, ["Location": "/u1"]), authorization: authorization)
        guard case .session(let session) = try await stage.client.startUpload(in: stage.repository) else {
            Issue.record("no session")
            return
        }
        let request = try await stage.client.uploadRequest(session, digest: someDigest)
        let error = try await registryError {
            try await stage.client.interpretUpload(try response(401), to: request, in: stage.repository)
        }
        #expect(error.retryAdvice == .backOff)
        #expect(try await authorization.authorization(for: RegistryAccess(nil)) == "Basic token2")
    }

    @Test("that are given up are deleted, even by one who is cancelled, and nobody minds a failure")
    func cancelled() async throws {
        for line in [ScriptedRegistry.Line.answer(204), .answer(405), .failure(.disconnected)] {
            let stage = try Stage(.answer(202, ["Location": "/u1?s=1"]), line)
            guard case .session(let session) = try await stage.client.startUpload(in: stage.repository) else {
                Issue.record("no session")
                return
            }
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask { await stage.client.cancelUpload(session) }
            }
            #expect(stage.registry.asked == [Self.post, "DELETE https://r.example/u1?s=1"])
        }
    }

    @Test("that are given up for a stale token are deleted with a new one")
    func cancelledWithStaleToken() async throws {
        let stage = try Stage(
            .answer(202, ["Location": "/u1"]),
            .answer(403, [:], errors("DENIED", "Your authorization token has expired. Reauthenticate and try again.")),
            .answer(204),
            authorization: RotatingAuthorization()
        )
        guard case .session(let session) = try await stage.client.startUpload(in: stage.repository) else {
            Issue.record("no session")
            return
        }
        await stage.client.cancelUpload(session)
        let delete = "DELETE https://r.example/u1"
        #expect(stage.registry.asked.dropFirst() == ["\(delete) [Basic token1]", "\(delete) [Basic token2]"])
    }
}

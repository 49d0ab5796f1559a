import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("Uploads over /v2")
struct UploadTests {
    private static let post = "POST https://r.example/v2/team/app/blobs/uploads/"

    @Test(
        "go to the registry's Location with its query unchanged",
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
        let fixture = try Fixture(
            .answer(202, ["Location": location]),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        guard case .session(let session) = try await fixture.client.startUpload(in: fixture.repository) else {
            Issue.record("no session")
            return
        }
        let request = try await fixture.client.uploadRequest(session, digest: someDigest)

        #expect(fixture.registry.asked == [Self.post + " [Basic QVdTOnB3]"])
        #expect(request.method == .put)
        #expect(request.url.text == target.replacing("=D", with: "=\(someDigest)"))
        #expect((request.fields[.authorization] != nil) == hasCredentials)
        #expect(request.fields[.contentType] == "application/octet-stream")
    }

    @Test("don't go from https to http, and need a Location")
    func badLocations() async throws {
        for location in ["http://r.example/u?_state=hunter22", "http://registry:5000/u", "http://r.example:80/u"] {
            let plain = try Fixture(.answer(202, ["Location": location]), attempts: 8)
            let error = try await registryError { try await plain.client.startUpload(in: plain.repository) }
            #expect(error.kind == .insecureAddress && error.status == 202 && error.operation == .startUpload)
            #expect(error.message.contains("begins with http") && !"\(error)".contains("hunter22"), "\(error)")
            #expect(plain.clock.waits.isEmpty)
            let mount = try Fixture(.answer(202, ["Location": location]), attempts: 8)
            let second = try await registryError {
                try await mount.client.startUpload(in: mount.repository, mounting: someDigest, from: mount.repository)
            }
            #expect(second.kind == .insecureAddress)
        }
        let missing = try Fixture(.answer(202), .answer(202), .answer(202), attempts: 8)
        let error = try await registryError { try await missing.client.startUpload(in: missing.repository) }
        #expect(error.kind == .malformedAnswer)
    }

    @Test("without a Location are requested again; after a mount without one a plain request is sent")
    func lostLocation() async throws {
        let fixture = try Fixture(.answer(202), .answer(202, ["Location": "/u1"]))
        guard case .session(let session) = try await fixture.client.startUpload(in: fixture.repository) else {
            Issue.record("no session")
            return
        }
        #expect(session.location.text == "https://r.example/u1")
        let mount = try Fixture(.answer(202), .answer(202, ["Location": "/u2"]))
        _ = try await mount.client.startUpload(in: mount.repository, mounting: someDigest, from: mount.repository)
        #expect(mount.registry.asked.last == "POST https://r.example/v2/team/app/blobs/uploads/")
    }

    @Test("are not needed if a sibling's blob can be mounted")
    func mounted() async throws {
        let fixture = try Fixture(.answer(201, ["Location": "/v2/team/app/blobs/\(someDigest)"]))
        let sibling = try RepositoryName(parsing: "team/base")
        let start = try await fixture.client.startUpload(in: fixture.repository, mounting: someDigest, from: sibling)
        #expect(start == .mounted)
        #expect(fixture.registry.asked == [Self.post + "?mount=\(someDigest)&from=team/base"])
    }

    @Test("use the session that a declined mount opened")
    func mountDeclined() async throws {
        let fixture = try Fixture(.answer(202, ["Location": "/u1"]))
        let start = try await fixture.client.startUpload(in: fixture.repository, mounting: someDigest)
        guard case .session(let session) = start else {
            Issue.record("no session")
            return
        }
        #expect(session.location.text == "https://r.example/u1")
        #expect(fixture.registry.asked == [Self.post + "?mount=\(someDigest)"])
    }

    @Test(
        "are requested without a mount after one that was refused or stored another blob",
        arguments: [400, 403, 404, 405, 201]
    )
    func mountRefused(status: Int) async throws {
        let fixture = try Fixture(
            .answer(status, ["Docker-Content-Digest": "\(imageDigest)"]),
            .answer(202, ["Location": "/u1"])
        )
        let start = try await fixture.client.startUpload(in: fixture.repository, mounting: someDigest)
        #expect(start != .mounted)
        #expect(fixture.registry.asked == [Self.post + "?mount=\(someDigest)", Self.post])
    }

    @Test("are requested without a mount after two server errors, but not after throttles")
    func mountFaults() async throws {
        let fixture = try Fixture(.answer(500), .answer(502), .answer(202, ["Location": "/u1"]))
        #expect(try await fixture.client.startUpload(in: fixture.repository, mounting: someDigest) != .mounted)
        let mount = Self.post + "?mount=\(someDigest)"
        #expect(fixture.registry.asked == [mount, mount, Self.post])

        let once = try Fixture(.answer(500), .answer(503), .answer(503), .answer(201), attempts: 8)
        #expect(try await once.client.startUpload(in: once.repository, mounting: someDigest) == .mounted)
        #expect(once.registry.asked == [mount, mount, mount, mount])
    }

    @Test("follow redirects that keep the method, without credentials at another host", arguments: [307, 308])
    func redirected(status: Int) async throws {
        let fixture = try Fixture(
            .answer(status, ["Location": "/v2/team/app/blobs/uploads/?moved=1"]),
            .answer(status, ["Location": "https://other.example/v2/u/"]),
            .answer(202, ["Location": "u1"]),
            authorization: BasicAuthorization(user: "AWS", password: "pw")
        )
        guard case .session(let session) = try await fixture.client.startUpload(in: fixture.repository) else {
            Issue.record("no session")
            return
        }
        #expect(session.location.text == "https://other.example/v2/u/u1")
        #expect(
            fixture.registry.asked == [
                Self.post + " [Basic QVdTOnB3]", Self.post + "?moved=1 [Basic QVdTOnB3]",
                "POST https://other.example/v2/u/",
            ]
        )
    }

    @Test("don't follow redirects that turn a POST into a GET, or that form a cycle")
    func notRedirected() async throws {
        let elsewhere = try Fixture(.answer(302, ["Location": "/login"]))
        let error = try await registryError { try await elsewhere.client.startUpload(in: elsewhere.repository) }
        #expect(error.message.contains("a redirect to /login") && elsewhere.registry.asked == [Self.post])

        let redirect = ScriptedRegistry.Step.answer(307, ["Location": "/v2/a/"])
        let cycle = try Fixture(redirect, redirect, redirect, redirect, redirect, redirect, attempts: 8)
        await #expect(throws: WireError.self) { try await cycle.client.startUpload(in: cycle.repository) }
        #expect(cycle.registry.asked.count == WireRequest.mostRedirects + 1)
    }

    @Test("look up once why the connection was closed, and report a missing repository")
    func repositoryMissing() async throws {
        let fixture = try Fixture(
            .failure(.disconnected),
            .answer(404, [:], errors("NAME_UNKNOWN", "The repository with name 'team/app' does not exist")),
            .failure(.disconnected)
        )
        let error = try await registryError { try await fixture.client.startUpload(in: fixture.repository) }
        #expect(error.kind == .repositoryMissing)
        #expect(error.operation == .startUpload)
        #expect(fixture.registry.asked == [Self.post, "GET https://r.example/v2/team/app/tags/list?n=1", Self.post])
    }

    @Test("continue after a closed connection, also if the first upload creates the repository")
    func closedConnection() async throws {
        let present = ScriptedRegistry.Step.answer(200, [:], #"{"name":"team/app","tags":[]}"#)
        for step in [present, .answer(404, [:], errors("NAME_UNKNOWN", "")), .answer(403), .failure(.disconnected)] {
            let fixture = try Fixture(.failure(.disconnected), step, .answer(202, ["Location": "/u1"]))
            #expect(try await fixture.client.startUpload(in: fixture.repository) != .mounted)
            #expect(fixture.clock.waits.count == 1)
        }
    }

    @Test("succeed with any 2xx, and fail otherwise", arguments: [200, 201, 202, 204])
    func interpreted(status: Int) async throws {
        let fixture = try Fixture()
        let request = WireRequest(.put, try HTTPURL("https://r.example/u?secret=1"))
        try await fixture.client.interpretUpload(try response(status), to: request, in: fixture.repository)

        let broken = try response(416, [:], errors("BLOB_UPLOAD_INVALID", "First byte of the layer part is 0"))
        let error = try await registryError {
            try await fixture.client.interpretUpload(broken, to: request, in: fixture.repository)
        }
        #expect(error.kind == .blobUploadInvalid)
        #expect(error.retryAdvice == .backOff)
        #expect(error.url == "https://r.example/u?…")
    }

    @Test("refused for an expired token renew it and advise a retry")
    func staleToken() async throws {
        let authorization = RotatingAuthorization()
        let fixture = try Fixture(.answer(202, ["Location": "/u1"]), authorization: authorization)
        guard case .session(let session) = try await fixture.client.startUpload(in: fixture.repository) else {
            Issue.record("no session")
            return
        }
        let request = try await fixture.client.uploadRequest(session, digest: someDigest)
        let error = try await registryError {
            try await fixture.client.interpretUpload(try response(401), to: request, in: fixture.repository)
        }
        #expect(error.retryAdvice == .backOff)
        #expect(try await authorization.authorization(for: RegistryAccess(nil)) == "Basic token2")
    }

    @Test("that are cancelled are deleted, even by a cancelled task, and a failure is ignored")
    func cancelled() async throws {
        for step in [ScriptedRegistry.Step.answer(204), .answer(405), .failure(.disconnected)] {
            let fixture = try Fixture(.answer(202, ["Location": "/u1?s=1"]), step)
            guard case .session(let session) = try await fixture.client.startUpload(in: fixture.repository) else {
                Issue.record("no session")
                return
            }
            await withTaskGroup(of: Void.self) { group in
                group.cancelAll()
                group.addTask { await fixture.client.cancelUpload(session) }
            }
            #expect(fixture.registry.asked == [Self.post, "DELETE https://r.example/u1?s=1"])
        }
    }

    @Test("that are cancelled after a token expired are deleted with a new one")
    func cancelledWithStaleToken() async throws {
        let fixture = try Fixture(
            .answer(202, ["Location": "/u1"]),
            .answer(403, [:], errors("DENIED", "Your authorization token has expired. Reauthenticate and try again.")),
            .answer(204),
            authorization: RotatingAuthorization()
        )
        guard case .session(let session) = try await fixture.client.startUpload(in: fixture.repository) else {
            Issue.record("no session")
            return
        }
        await fixture.client.cancelUpload(session)
        let delete = "DELETE https://r.example/u1"
        #expect(fixture.registry.asked.dropFirst() == ["\(delete) [Basic token1]", "\(delete) [Basic token2]"])
    }
}

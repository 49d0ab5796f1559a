import Content
import Distribution
import HTTPTypes
import TestDoubles
import Testing
import Wire

@Suite("Manifests over /v2")
struct ManifestTests {
    private static let digestField = "Docker-Content-Digest"

    @Test("are read byte for byte, with a computed digest, and every type accepted in one field")
    func reads() async throws {
        let fixture = try Fixture(
            .answer(200, ["Content-Type": "application/vnd.oci.image.manifest.v1+json"], imageText),
            .answer(200, [Self.digestField: "\(imageDigest)"])
        )

        let manifest = try await fixture.client.manifest(.tag(try Tag(parsing: "1.0")), of: fixture.repository)

        #expect(manifest?.bytes == Array(imageText.utf8))
        #expect(manifest?.digest == imageDigest)
        #expect(manifest?.mediaType == .ociManifest)
        // This GET states no digest, so HEAD is sent to compare it.
        #expect(fixture.registry.asked == ["GET", "HEAD"].map { "\($0) https://r.example/v2/team/app/manifests/1.0" })
        let accept = try #require(fixture.registry.requests.first?.fields[.accept])
        #expect(accept.split(separator: ", ").map(String.init) == MediaType.everyManifest.map(\.rawValue))
    }

    @Test("that don't exist are nil, but a missing repository is an error")
    func missing() async throws {
        let absent = try Fixture(.answer(404, [:], errors("MANIFEST_UNKNOWN", "Requested image not found")))
        #expect(try await absent.client.manifest(.digest(someDigest), of: absent.repository) == nil)

        let text = "The repository with name 'team/app' does not exist in the registry with id '111122223333'"
        let missing = try Fixture(.answer(404, ["x-amzn-RequestId": "f00d"], errors("NAME_UNKNOWN", text)))
        let error = try await registryError {
            try await missing.client.manifest(.digest(someDigest), of: missing.repository)
        }
        #expect(error.kind == .repositoryMissing)
        #expect(error.requestID == "f00d")
        #expect(
            error.description
                == "reading a manifest at https://r.example/v2/team/app/manifests/\(someDigest): "
                + "HTTP 404 NAME_UNKNOWN: \(text) (request f00d); create the repository first, or check its name"
        )
    }

    @Test("whose bytes don't match the digest are refused after a retry")
    func corrupt() async throws {
        let fixture = try Fixture(.answer(200, [:], imageText), .answer(200, [:], imageText), attempts: 2)
        await #expect { try await fixture.client.manifest(.digest(someDigest), of: fixture.repository) } throws: {
            ($0 as? WireError)?.reason == .corrupt
        }
        #expect(fixture.registry.requests.count == 2)
    }

    @Test("that arrive cut or changed are requested three times in all")
    func again() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let head = ScriptedRegistry.Step.answer(200, [Self.digestField: "\(imageDigest)"])
        let cut = try Fixture(.answer(200, [:], String(imageText.dropLast(9))), .answer(200, [:], imageText), head)
        #expect(try await cut.client.manifest(tag, of: cut.repository)?.digest == imageDigest)

        let other = ScriptedRegistry.Step.answer(200, [:], imageText + " ")
        // It is a valid manifest, and only HEAD tells that the tag holds another one.
        let changed = try Fixture(other, head, .answer(200, [:], imageText), head, attempts: 8)
        #expect(try await changed.client.manifest(tag, of: changed.repository)?.digest == imageDigest)

        let late = try Fixture(other, other, .answer(200, [:], imageText), attempts: 8)
        #expect(try await late.client.manifest(.digest(imageDigest), of: late.repository)?.digest == imageDigest)

        let never = try Fixture(other, other, other, attempts: 8)
        await #expect { try await never.client.manifest(.digest(imageDigest), of: never.repository) } throws: {
            ($0 as? WireError)?.reason == .corrupt
        }
        // A manifest of an unsupported kind is not requested again.
        let old = try Fixture(.answer(200, [:], #"{"schemaVersion":1}"#))
        await #expect(throws: ManifestError.schema1) { try await old.client.manifest(tag, of: old.repository) }
    }

    @Test("with a wrong Content-Encoding are read without decoding")
    func mislabelled() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let fields = ["Content-Encoding": "gzip", Self.digestField: "\(imageDigest)"]
        let fixture = try Fixture(.failure(.undecodable), .answer(200, fields, imageText))
        #expect(try await fixture.client.manifest(tag, of: fixture.repository)?.digest == imageDigest)
        #expect(fixture.registry.requests.map(\.decodesAnswer) == [true, false])
    }

    @Test("with an unknown Content-Encoding are refused with its name, without a retry")
    func encoded() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let fixture = try Fixture(
            .failure(.undecodable),
            .answer(200, ["Content-Encoding": "x-\u{202E}foo"], "\u{1F}\u{8B}")
        )
        let error = await #expect(throws: ManifestError.self) {
            try await fixture.client.manifest(tag, of: fixture.repository)
        }
        let text = "\(try #require(error))"
        #expect(text.hasPrefix("the manifest came with Content-Encoding 'x- foo', which was not requested"))
        #expect(fixture.registry.requests.count == 2)
    }

    @Test("that contradict the registry's own digest are refused; a digest of another algorithm is ignored")
    func contradiction() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let lying = try Fixture(.answer(200, [Self.digestField: "\(someDigest)"], imageText), attempts: 1)
        await #expect { try await lying.client.manifest(tag, of: lying.repository) } throws: {
            ($0 as? WireError)?.reason == .corrupt
        }
        let other = try Fixture(.answer(200, [Self.digestField: "sha512:abc"], imageText), .answer(405))
        #expect(try await other.client.manifest(tag, of: other.repository)?.digest == imageDigest)
    }

    @Test("are read across redirects, without credentials at another host; a cycle is an error")
    func redirected() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let (url, mirror) = ("https://r.example/v2/team/app/manifests/1.0", "https://mirror.example/m?sig=1")
        let path = "/v2/mirrored/team/app/manifests/1.0"
        let basic = BasicAuthorization(user: "AWS", password: "pw")
        let credentials = "[Basic QVdTOnB3]"
        let fixture = try Fixture(
            .answer(307, ["Location": path]),
            .answer(302, ["Location": mirror]),
            .answer(200, [Self.digestField: "\(imageDigest)"], imageText),
            authorization: basic
        )
        #expect(try await fixture.client.manifest(tag, of: fixture.repository)?.digest == imageDigest)
        let asked = ["\(url) \(credentials)", "https://r.example\(path) \(credentials)", mirror]
        #expect(fixture.registry.asked == asked.map { "GET \($0)" })

        let head = try Fixture(
            .answer(308, ["Location": path]),
            .answer(200, [Self.digestField: "\(someDigest)"]),
            authorization: basic
        )
        #expect(try await head.client.manifestDigest(tag, of: head.repository) == someDigest)
        #expect(head.registry.asked == asked.prefix(2).map { "HEAD \($0)" })

        // A redirect of a PUT is not followed: the user must decide about the URL.
        let moved = try Fixture(.answer(307, ["Location": mirror]))
        let error = try await registryError {
            try await moved.client.putManifest(Manifest(bytes: Array(imageText.utf8)), as: tag, in: moved.repository)
        }
        #expect(error.message == "a redirect to https://mirror.example/m?…")

        let again = ScriptedRegistry.Step.answer(307, ["Location": url])
        let cycle = try Fixture(again, again, again, again, again, again)
        await #expect { try await cycle.client.manifest(tag, of: cycle.repository) } throws: {
            ($0 as? WireError)?.reason == .badRedirect
        }
    }

    @Test("have a digest that HEAD returns")
    func head() async throws {
        let fixture = try Fixture(.answer(200, [Self.digestField: "\(someDigest)", "Sizes": ""]))
        let digest = try await fixture.client.manifestDigest(.tag(try Tag(parsing: "1.0")), of: fixture.repository)
        #expect(digest == someDigest)
        #expect(fixture.registry.asked == ["HEAD https://r.example/v2/team/app/manifests/1.0"])

        let absent = try Fixture(.answer(404))
        #expect(try await absent.client.manifestDigest(.digest(someDigest), of: absent.repository) == nil)
        #expect(absent.registry.requests.count == 1)
    }

    @Test(
        "are read if HEAD doesn't state the digest, or isn't supported",
        arguments: [200, 204, 304, 400, 401, 403, 405, 406, 410, 501]
    )
    func headWithoutDigest(status: Int) async throws {
        let fixture = try Fixture(.answer(status), .answer(200, [:], imageText))
        let digest = try await fixture.client.manifestDigest(.tag(try Tag(parsing: "1.0")), of: fixture.repository)
        #expect(digest == imageDigest)
        #expect(fixture.registry.requests.map(\.method) == [.head, .get])
    }

    @Test("are read if HEAD has a useless redirect, states another digest, or fails each time")
    func oddHeads() async throws {
        let get = ScriptedRegistry.Step.answer(200, [:], imageText)
        let fault = ScriptedRegistry.Step.answer(500)
        for steps in [
            [.answer(302)], [.answer(307, ["Location": "http://r.example/x"])],
            [.answer(200, [Self.digestField: "\(someDigest)"])], [fault, fault, fault],
        ] as [[ScriptedRegistry.Step]] {
            let registry = ScriptedRegistry(steps + [get])
            let client = RegistryClient(
                base: try HTTPURL("https://r.example"),
                authorization: AnonymousAuthorization(),
                sender: registry,
                retry: RetryPolicy(attempts: 3, clock: RecordingClock()),
                logger: quiet
            )
            let repository = try RepositoryName(parsing: "team/app")
            #expect(try await client.manifestDigest(.digest(imageDigest), of: repository) == imageDigest)
        }
        // A tag's digest is known even if its content can't be copied.
        let old = #"{"schemaVersion":1}"#
        let fixture = try Fixture(.answer(405), .answer(200, [:], old))
        let digest = try await fixture.client.manifestDigest(.tag(try Tag(parsing: "1.0")), of: fixture.repository)
        #expect(digest == Digest(of: old.utf8))
    }

    @Test("are read with GET after a server error to HEAD; only 503 is retried")
    func headFault() async throws {
        let fixture = try Fixture(
            .answer(500),
            .answer(500, [:], errors("NAME_UNKNOWN", "no such repository")),
            attempts: 8
        )
        let error = try await registryError {
            try await fixture.client.manifestDigest(.digest(someDigest), of: fixture.repository)
        }
        #expect(error.kind == .repositoryMissing && fixture.registry.requests.map(\.method) == [.head, .get])

        let later = try Fixture(.answer(503), .answer(200, [Self.digestField: "\(imageDigest)"]))
        #expect(try await later.client.manifestDigest(.digest(imageDigest), of: later.repository) == imageDigest)
        #expect(later.registry.requests.map(\.method) == [.head, .head])
    }

    @Test("denied to HEAD have the error of GET, whose body has the reason")
    func headDenied() async throws {
        let fixture = try Fixture(.answer(403), .answer(403, [:], errors("DENIED", "not authorized to perform")))
        let error = try await registryError {
            try await fixture.client.manifestDigest(.digest(someDigest), of: fixture.repository)
        }
        #expect(error.kind == .denied)
        #expect(error.message == "not authorized to perform")
    }

    @Test("are stored byte for byte with their type; the answer needs no Location or digest")
    func stores() async throws {
        let manifest = try Manifest(bytes: Array(imageText.utf8))
        let fixture = try Fixture(.answer(201), .answer(201, [Self.digestField: "\(imageDigest)"]))

        let first = try await fixture.client.putManifest(manifest, as: .digest(imageDigest), in: fixture.repository)
        let second = try await fixture.client.putManifest(
            manifest,
            as: .tag(try Tag(parsing: "1.0")),
            in: fixture.repository
        )

        #expect(first == StoredManifest(digest: nil, isListed: false))
        #expect(second == StoredManifest(digest: imageDigest, isListed: false))
        #expect(
            fixture.registry.asked == [
                "PUT https://r.example/v2/team/app/manifests/\(imageDigest)",
                "PUT https://r.example/v2/team/app/manifests/1.0",
            ]
        )
        let request = try #require(fixture.registry.requests.first)
        #expect(request.body == manifest.bytes)
        #expect(request.fields[.contentType] == "application/vnd.oci.image.manifest.v1+json")
    }

    @Test("stored with another digest are an error")
    func storedOtherwise() async throws {
        let manifest = try Manifest(bytes: Array(imageText.utf8))
        let fixture = try Fixture(.answer(201, [Self.digestField: "\(someDigest)"]))
        let error = try await registryError {
            try await fixture.client.putManifest(manifest, as: .digest(imageDigest), in: fixture.repository)
        }
        #expect(error.kind == .malformedAnswer)
        #expect(error.retryAdvice == .never)
    }
}

import Content
import Distribution
import HTTPTypes
import Testing
import Wire

@Suite("Manifests over /v2")
struct ManifestTests {
    private static let digestField = "Docker-Content-Digest"

    @Test("come byte for byte, with a digest that is computed, every type accepted in one field")
    func reads() async throws {
        let stage = try Stage(
            .answer(200, ["Content-Type": "application/vnd.oci.image.manifest.v1+json"], imageText),
            .answer(200, [Self.digestField: "\(imageDigest)"])
        )

        let manifest = try await stage.client.manifest(.tag(try Tag(parsing: "1.0")), of: stage.repository)

        #expect(manifest?.bytes == Array(imageText.utf8))
        #expect(manifest?.digest == imageDigest)
        #expect(manifest?.mediaType == .ociManifest)
        // This GET states no digest: HEAD says whether what came is what was sent.
        #expect(stage.registry.asked == ["GET", "HEAD"].map { "\($0) https://r.example/v2/team/app/manifests/1.0" })
        let accept = try #require(stage.registry.requests.first?.fields[.accept])
        #expect(accept.split(separator: ", ").map(String.init) == MediaType.everyManifest.map(\.rawValue))
    }

    @Test("that aren't there are nil, but a missing repository is an error")
    func missing() async throws {
        let absent = try Stage(.answer(404, [:], errors("MANIFEST_UNKNOWN", "Requested image not found")))
        #expect(try await absent.client.manifest(.digest(someDigest), of: absent.repository) == nil)

        let text = "The repository with name 'team/app' does not exist in the registry with id '111122223333'"
        let homeless = try Stage(.answer(404, ["x-amzn-RequestId": "f00d"], errors("NAME_UNKNOWN", text)))
        let error = try await registryError {
            try await homeless.client.manifest(.digest(someDigest), of: homeless.repository)
        }
        #expect(error.kind == .repositoryMissing)
        #expect(error.requestID == "f00d")
        #expect(
            error.description
                == "reading a manifest at https://r.example/v2/team/app/manifests/\(someDigest): "
                + "HTTP 404 NAME_UNKNOWN: \(text) (request f00d); create the repository first, or check its name"
        )
    }

    @Test("with other bytes than the digest says are refused, after trying again")
    func corrupt() async throws {
        let stage = try Stage(.answer(200, [:], imageText), .answer(200, [:], imageText), attempts: 2)
        await #expect { try await stage.client.manifest(.digest(someDigest), of: stage.repository) } throws: {
            ($0 as? WireError)?.reason == .corrupt
        }
        #expect(stage.registry.requests.count == 2)
    }

    @Test("that came cut or as others are asked for again, three times in all")
    func again() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let head = ScriptedRegistry.Line.answer(200, [Self.digestField: "\(imageDigest)"])
        let cut = try Stage(.answer(200, [:], String(imageText.dropLast(9))), .answer(200, [:], imageText), head)
        #expect(try await cut.client.manifest(tag, of: cut.repository)?.digest == imageDigest)

        let other = ScriptedRegistry.Line.answer(200, [:], imageText + " ")
        // It reads well, and only HEAD knows that the tag holds something else.
        let changed = try Stage(other, head, .answer(200, [:], imageText), head, attempts: 8)
        #expect(try await changed.client.manifest(tag, of: changed.repository)?.digest == imageDigest)

        let late = try Stage(other, other, .answer(200, [:], imageText), attempts: 8)
        #expect(try await late.client.manifest(.digest(imageDigest), of: late.repository)?.digest == imageDigest)

        let never = try Stage(other, other, other, attempts: 8)
        await #expect { try await never.client.manifest(.digest(imageDigest), of: never.repository) } throws: {
            ($0 as? WireError)?.reason == .corrupt
        }
        // What is a manifest of the wrong kind is that the next time too.
        let old = try Stage(.answer(200, [:], #"{"schemaVersion":1}"#))
        await #expect(throws: ManifestError.schema1) { try await old.client.manifest(tag, of: old.repository) }
    }

    @Test("whose Content-Encoding is not true are read as they are")
    func mislabelled() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let fields = ["Content-Encoding": "gzip", Self.digestField: "\(imageDigest)"]
        let stage = try Stage(.failure(.undecodable), .answer(200, fields, imageText))
        #expect(try await stage.client.manifest(tag, of: stage.repository)?.digest == imageDigest)
        #expect(stage.registry.requests.map(\.decodesAnswer) == [true, false])
    }

    @Test("in an encoding that can't be decoded are refused by its name, at once")
    func encoded() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let stage = try Stage(
            .failure(.undecodable),
            .answer(200, ["Content-Encoding": "x-\u{202E}foo"], "\u{1F}\u{8B}")
        )
        let error = await #expect(throws: ManifestError.self) {
            try await stage.client.manifest(tag, of: stage.repository)
        }
        let text = "\(try #require(error))"
        #expect(text.hasPrefix("the manifest came with Content-Encoding 'x- foo', which was not requested"))
        #expect(stage.registry.requests.count == 2)
    }

    @Test("that contradict the registry's own digest are refused; a digest of another kind is not compared")
    func contradiction() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let lying = try Stage(.answer(200, [Self.digestField: "\(someDigest)"], imageText), attempts: 1)
        await #expect { try await lying.client.manifest(tag, of: lying.repository) } throws: {
            ($0 as? WireError)?.reason == .corrupt
        }
        let other = try Stage(.answer(200, [Self.digestField: "sha512:abc"], imageText), .answer(405))
        #expect(try await other.client.manifest(tag, of: other.repository)?.digest == imageDigest)
    }

    @Test("are read where the registry sends us; credentials stay at home, and a circle ends")
    func redirected() async throws {
        let tag = ManifestReference.tag(try Tag(parsing: "1.0"))
        let (here, there) = ("https://r.example/v2/team/app/manifests/1.0", "https://mirror.example/m?sig=1")
        let home = "/v2/mirrored/team/app/manifests/1.0"
        let basic = BasicAuthorization(user: "AWS", password: "pw")
        let credentials = "[Basic QVdTOnB3]"
        let stage = try Stage(
            .answer(307, ["Location": home]),
            .answer(302, ["Location": there]),
            .answer(200, [Self.digestField: "\(imageDigest)"], imageText),
            authorization: basic
        )
        #expect(try await stage.client.manifest(tag, of: stage.repository)?.digest == imageDigest)
        let asked = ["\(here) \(credentials)", "https://r.example\(home) \(credentials)", there]
        #expect(stage.registry.asked == asked.map { "GET \($0)" })

        let head = try Stage(
            .answer(308, ["Location": home]),
            .answer(200, [Self.digestField: "\(someDigest)"]),
            authorization: basic
        )
        #expect(try await head.client.manifestDigest(tag, of: head.repository) == someDigest)
        #expect(head.registry.asked == asked.prefix(2).map { "HEAD \($0)" })

        // Where something is written, the address is for whoever runs this to judge.
        let moved = try Stage(.answer(307, ["Location": there]))
        let error = try await registryError {
            try await moved.client.putManifest(Manifest(bytes: Array(imageText.utf8)), as: tag, in: moved.repository)
        }
        #expect(error.message == "a redirect to https://mirror.example/m?…")

        let again = ScriptedRegistry.Line.answer(307, ["Location": here])
        let circle = try Stage(again, again, again, again, again, again)
        await #expect { try await circle.client.manifest(tag, of: circle.repository) } throws: {
            ($0 as? WireError)?.reason == .badRedirect
        }
    }

    @Test("may be asked for their digest alone")
    func head() async throws {
        let stage = try Stage(.answer(200, [Self.digestField: "\(someDigest)", "Sizes": ""]))
        let digest = try await stage.client.manifestDigest(.tag(try Tag(parsing: "1.0")), of: stage.repository)
        #expect(digest == someDigest)
        #expect(stage.registry.asked == ["HEAD https://r.example/v2/team/app/manifests/1.0"])

        let absent = try Stage(.answer(404))
        #expect(try await absent.client.manifestDigest(.digest(someDigest), of: absent.repository) == nil)
        #expect(absent.registry.requests.count == 1)
    }

    @Test(
        "are read where HEAD doesn't state the digest, or isn't understood",
        arguments: [200, 204, 304, 400, 401, 403, 405, 406, 410, 501]
    )
    func headWithoutDigest(status: Int) async throws {
        let stage = try Stage(.answer(status), .answer(200, [:], imageText))
        let digest = try await stage.client.manifestDigest(.tag(try Tag(parsing: "1.0")), of: stage.repository)
        #expect(digest == imageDigest)
        #expect(stage.registry.requests.map(\.method) == [.head, .get])
    }

    @Test("are read where HEAD leads nowhere, states another digest, or fails each time")
    func oddHeads() async throws {
        let get = ScriptedRegistry.Line.answer(200, [:], imageText)
        let fault = ScriptedRegistry.Line.answer(500)
        for lines in [
            [.answer(302)], [.answer(307, ["Location": "http://r.example/x"])],
            [.answer(200, [Self.digestField: "\(someDigest)"])], [fault, fault, fault],
        ] as [[ScriptedRegistry.Line]] {
            let registry = ScriptedRegistry(lines + [get])
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
        // What a tag holds can be told even if it is nothing that could be copied.
        let old = #"{"schemaVersion":1}"#
        let stage = try Stage(.answer(405), .answer(200, [:], old))
        let digest = try await stage.client.manifestDigest(.tag(try Tag(parsing: "1.0")), of: stage.repository)
        #expect(digest == Digest(of: old.utf8))
    }

    @Test("are asked for with GET at once where HEAD fails; only one that is put off is asked again")
    func headFault() async throws {
        let stage = try Stage(
            .answer(500),
            .answer(500, [:], errors("NAME_UNKNOWN", "no such repository")),
            attempts: 8
        )
        let error = try await registryError {
            try await stage.client.manifestDigest(.digest(someDigest), of: stage.repository)
        }
        #expect(error.kind == .repositoryMissing && stage.registry.requests.map(\.method) == [.head, .get])

        let later = try Stage(.answer(503), .answer(200, [Self.digestField: "\(imageDigest)"]))
        #expect(try await later.client.manifestDigest(.digest(imageDigest), of: later.repository) == imageDigest)
        #expect(later.registry.requests.map(\.method) == [.head, .head])
    }

    @Test("denied on HEAD are denied with the words that only GET can say")
    func headDenied() async throws {
        let stage = try Stage(.answer(403), .answer(403, [:], errors("DENIED", "not authorized to perform")))
        let error = try await registryError {
            try await stage.client.manifestDigest(.digest(someDigest), of: stage.repository)
        }
        #expect(error.kind == .denied)
        #expect(error.message == "not authorized to perform")
    }

    @Test("are stored verbatim with their type; neither Location nor digest is needed back")
    func stores() async throws {
        let manifest = try Manifest(bytes: Array(imageText.utf8))
        let stage = try Stage(.answer(201), .answer(201, [Self.digestField: "\(imageDigest)"]))

        let first = try await stage.client.putManifest(manifest, as: .digest(imageDigest), in: stage.repository)
        let second = try await stage.client.putManifest(
            manifest,
            as: .tag(try Tag(parsing: "1.0")),
            in: stage.repository
        )

        #expect(first == StoredManifest(digest: nil, isListed: false))
        #expect(second == StoredManifest(digest: imageDigest, isListed: false))
        #expect(
            stage.registry.asked == [
                "PUT https://r.example/v2/team/app/manifests/\(imageDigest)",
                "PUT https://r.example/v2/team/app/manifests/1.0",
            ]
        )
        let request = try #require(stage.registry.requests.first)
        #expect(request.body == manifest.bytes)
        #expect(request.fields[.contentType] == "application/vnd.oci.image.manifest.v1+json")
    }

    @Test("stored as something else are an error")
    func storedOtherwise() async throws {
        let manifest = try Manifest(bytes: Array(imageText.utf8))
        let stage = try Stage(.answer(201, [Self.digestField: "\(someDigest)"]))
        let error = try await registryError {
            try await stage.client.putManifest(manifest, as: .digest(imageDigest), in: stage.repository)
        }
        #expect(error.kind == .malformedAnswer)
        #expect(error.retryAdvice == .never)
    }
}

import Content
import Distribution
import Testing

@Suite("A manifest whose layers have urls")
struct ForeignLayerTests {
    private static let foreign = Digest(of: "foreign".utf8)

    private static func manifest(isForeign: Bool = true) throws -> Manifest {
        let urls = isForeign ? #","urls":["https://mcr.example.com/v2/windows/blobs/x?sig=hunter22"]"# : ""
        let type = isForeign ? MediaType.dockerForeignLayer : .ociLayer
        let text =
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"#
            + #""application/vnd.oci.image.config.v1+json","size":2,"digest":"\#(someDigest)"},"layers":["#
            + #"{"mediaType":"\#(type)","size":7,"digest":"\#(foreign)"\#(urls)}]}"#
        return try Manifest(bytes: Array(text.utf8))
    }

    @Test(
        "that is refused because of them is not retried",
        arguments: [
            (500, errors("UNKNOWN", "unknown error")), (500, ""), (500, "Internal Server Error"),
            (400, errors("MANIFEST_INVALID", "manifest invalid")), (400, errors("UNKNOWN", "invalid URL on layer")),
            (404, errors("MANIFEST_BLOB_UNKNOWN", "blob unknown: \(foreign)")),
            (422, errors("BLOB_UNKNOWN", "\(foreign)")),
        ]
    )
    func refused(status: Int, body: String) async throws {
        let fixture = try Fixture(.answer(status, [:], body), attempts: 8)
        let manifest = try Self.manifest()
        let error = try await registryError {
            try await fixture.client.putManifest(manifest, as: .digest(manifest.digest), in: fixture.repository)
        }
        #expect(error.kind == .foreignLayersRefused && error.status == status && error.operation == .writeManifest)
        #expect(fixture.registry.requests.count == 1 && fixture.clock.waits.isEmpty)
    }

    @Test("is retried after a temporary failure", arguments: [429, 502, 503, 504])
    func temporaryFailure(status: Int) async throws {
        let fixture = try Fixture(.answer(status), .answer(201))
        let manifest = try Self.manifest()
        try await fixture.client.putManifest(manifest, as: .digest(manifest.digest), in: fixture.repository)
        #expect(fixture.registry.requests.count == 2)
    }

    @Test(
        "has other refusals with their own kinds",
        arguments: [
            (401, "UNAUTHORIZED", RegistryError.Kind.unauthorized), (403, "DENIED", .denied),
            (404, "NAME_UNKNOWN", .repositoryMissing), (404, "MANIFEST_BLOB_UNKNOWN", .manifestBlobUnknown),
        ]
    )
    func others(status: Int, code: String, kind: RegistryError.Kind) async throws {
        let fixture = try Fixture(.answer(status, [:], errors(code, "no")), attempts: 8)
        let manifest = try Self.manifest()
        let error = try await registryError {
            try await fixture.client.putManifest(manifest, as: .digest(manifest.digest), in: fixture.repository)
        }
        #expect(error.kind == kind)
    }

    @Test("is the only one that is not retried; other manifests are")
    func ordinary() async throws {
        let fixture = try Fixture(.answer(500, [:], errors("UNKNOWN", "unknown error")), .answer(201))
        let manifest = try Self.manifest(isForeign: false)
        try await fixture.client.putManifest(manifest, as: .digest(manifest.digest), in: fixture.repository)
        #expect(fixture.registry.requests.count == 2)
    }
}

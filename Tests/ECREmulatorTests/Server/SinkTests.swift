import Content
import Testing

@testable import ECREmulator

@Suite("Generated sources, and discarded uploads", .timeLimit(.minutes(1)))
struct SinkTests {
    @Test("any part of a generated layer can be read, although it isn't stored")
    func generated() async throws {
        try await withClient { emulator, client in
            let image = SeedImage.oci("big", layers: [300_000])
            try emulator.seedApp(image)
            let layer = image.blobs[1]
            let url = try #require(
                try await client.registry("GET", "/v2/team/app/blobs/\(layer.digest)").headers["location"]
            )
            let whole = try await client.follow(url).body
            #expect(Digest(of: whole) == layer.digest)
            let part = try await client.follow(url, [("Range", "bytes=65530-200000")])
            #expect(part.status == 206)
            #expect(part.body == Array(whole[65_530...200_000]))
            #expect(
                emulator.blob(layer.digest, account: account, region: region, repository: "team/app") == whole
            )
        }
    }

    @Test("a layer of 100 GiB is described at once, and any part of it can be read")
    func large() async throws {
        try await withClient { emulator, client in
            let byteCount: Int64 = 100 << 30
            // The digest isn't checked, because hashing 100 GiB would take minutes.
            let digest = Digest(of: Array("claimed".utf8))
            try emulator.aws.blobs.describe(digest, size: byteCount, seed: 5)
            let part = try emulator.aws.blobs.open(digest).read(at: byteCount - 10, count: 100)
            #expect(part == SeedBytes(seed: 5).read(at: byteCount - 10, count: 10))
        }
    }

    @Test("discarded uploads are verified over either API, and only their digest and size are kept")
    func discards() async throws {
        var configuration = EmulatorConfiguration()
        configuration.discardsLayers = true
        try await withClient(configuration) { emulator, client in
            let layer = SeedBytes(seed: 4).prefix(200_000)
            let digest = Digest(of: layer)
            func push(_ bytes: [UInt8], as digest: Digest) async throws -> Int {
                let place = try #require(
                    try await client.registry("POST", "/v2/team/app/blobs/uploads/").headers["location"]
                )
                return try await client.registry("PUT", "\(place)?digest=\(digest)", body: bytes).status
            }
            #expect(try await push(Array(layer.dropLast()), as: digest) == 400, "a sink still hashes")
            #expect(try await push(layer, as: digest) == 201)
            let body = #"{"repositoryName":"team/app","layerDigests":["\#(digest)"]}"#
            let said = try await client.call("BatchCheckLayerAvailability", body)
            #expect(try said.json("layers", "0", "layerAvailability") == "AVAILABLE")
            #expect(try said.json("layers", "0", "layerSize") == "200000")
            #expect(emulator.blob(digest, account: account, region: region, repository: "team/app") == nil)
            #expect(!emulator.aws.blobs.has(digest))

            let config = Array("{}".utf8)
            try emulator.putBlob(config, account: account, region: region, repository: "team/app")
            let manifest =
                #"{"schemaVersion":2,"mediaType":"\#(ManifestType.ociImage)","config":{"mediaType":"a/b","#
                + #""digest":"\#(Digest(of: config))","size":\#(config.count)},"layers":[{"mediaType":"a/c","#
                + #""digest":"\#(digest)","size":200000}]}"#
            #expect(
                try await client.registry(
                    "PUT",
                    "/v2/team/app/manifests/v1",
                    [("Content-Type", ManifestType.ociImage)],
                    body: Array(manifest.utf8)
                ).status == 201
            )
            let url = try #require(try await client.registry("GET", "/v2/team/app/blobs/\(digest)").headers["location"])
            let gone = try await client.follow(url)
            #expect(gone.status == 404)
            #expect(gone.text.contains("discards"))
        }
    }
}

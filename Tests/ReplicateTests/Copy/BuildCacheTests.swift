import Content
import Foundation
import Reporting
import Testing

@testable import Replicate

/// BuildKit's older build caches: indexes whose entries are blobs.
@Suite("Build caches")
struct BuildCacheTests {
    static let shapes =
        [(["cached 1", "cached 2"], "record"), ([], "record"), (["layer"], nil)] as [([String], String?)]

    @Test("A build cache is copied with its entries as blobs where the destination accepts that", arguments: shapes)
    func copied(layers: [String], record: String?) async throws {
        let cache = try FakeImage.buildCache(layers: layers, record: record)
        let bench = try Bench()
        await bench.source.change { try? $0.seed(cache, tag: "cache") }
        let receipt = try #require(try await bench.copy(":cache").receipt)
        #expect(receipt.digest == cache.digest)
        #expect(receipt.blobsMoved == cache.blobs.count)
        #expect(await bench.destination.holds(cache))
        #expect(await bench.destination.violations == [])
        #expect(!bench.calls.lines("from/app read").contains { $0.contains(cache.blobs[0].digest.short) })

        bench.calls.clear()
        #expect(try await bench.copy(":cache").receipt?.changedAnything == false)
        #expect(bench.calls.count("to/app ") == 1)
    }

    @Test("A build cache inside an index is copied beside an image that shares its layers")
    func mixed() async throws {
        let cache = try FakeImage.buildCache(layers: ["base"])
        let image = try FakeImage.image("a")
        let index = try FakeImage.index([("linux/amd64", image), (nil, cache)])
        let bench = try Bench()
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        #expect(try await bench.copy(":v1").receipt?.digest == index.digest)
        #expect(await bench.destination.holds(index))
        #expect(await bench.destination.violations == [])
    }

    @Test("A destination that accepts only manifests refuses a build cache before a byte moves", arguments: shapes)
    func refused(layers: [String], record: String?) async throws {
        let cache = try FakeImage.buildCache(layers: layers, record: record)
        let bench = try Bench(takesIndexesOfBlobs: false)
        await bench.source.change { try? $0.seed(cache, tag: "cache") }
        let error = try #require(try await bench.copy(":cache").firstError)
        #expect(error.side == .destination)
        #expect(error.place.hasSuffix(":cache"))
        if record == nil {
            #expect(error.cause.contains("which is not a manifest"))
            #expect(error.remedy.hasPrefix("build the index again without that entry"))
        } else {
            #expect(error.cause.hasPrefix("this is a BuildKit build cache: an index that lists layers"))
            #expect(error.remedy.contains("image-manifest=true,oci-mediatypes=true"))
        }
        #expect(error.remedy.contains("--exclude"))
        #expect(!error.explanation.contains("--platform"))
        #expect(bench.calls.count("relay") == 0)
        #expect(bench.calls.count("to/app start") == 0)
    }

    @Test("A build cache in image form is copied like any image")
    func imageManifest() async throws {
        let bench = try Bench(takesIndexesOfBlobs: false)
        let image = try FakeImage.image("cache")
        await bench.source.change { try? $0.seed(image, tag: "cache") }
        #expect(try await bench.copy(":cache").receipt?.digest == image.digest)
    }

    @Test("A rejected build cache's error explains what it is and quotes the registry")
    func turnedDown() async throws {
        let cache = try FakeImage.buildCache()
        let bench = try Bench()
        await bench.source.change { try? $0.seed(cache, tag: "cache") }
        await bench.destination.refuse("put", .rejected(code: "MANIFEST_INVALID", text: "manifest invalid"), times: 9)
        let error = try #require(try await bench.copy(":cache").firstError)
        #expect(error.cause.hasPrefix("this is a BuildKit build cache"))
        #expect(error.cause.hasSuffix("MANIFEST_INVALID manifest invalid"))
        #expect(error.remedy.contains("image-manifest=true"))

        let image = try FakeImage.image("plain")
        await bench.source.change { try? $0.seed(image, tag: "v1") }
        let usual = try #require(try await bench.copy(":v1").firstError)
        #expect(usual.reason == .rejected(code: "MANIFEST_INVALID", text: "manifest invalid"))
    }

    @Test("A build cache can't be copied with --platform")
    func platforms() async throws {
        let cache = try FakeImage.buildCache()
        let bench = try Bench()
        await bench.source.change { try? $0.seed(cache, tag: "cache") }
        let options = CopyOptions(referrers: .none, platforms: [ImagePlatform(os: "linux", architecture: "amd64")])
        let error = await #expect(throws: CopyError.self) { try await bench.copy(":cache", options) }
        #expect(error?.remedy == "leave out --platform")
    }
}

/// Blobs and manifests whose descriptors hold their content as `data`.
@Suite("Content embedded in descriptors")
struct CarriedContentTests {
    /// An artifact as ORAS makes it: an empty configuration and one layer, both with their content as `data`.
    private func artifact(_ data: String = "e30=", layer: String = "aGVsbG8=") throws -> FakeImage {
        let layerBlob = FakeImage.blob("hello")
        let text = #"""
            {"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","config":{"mediaType":"\#(MediaType.ociEmpty)",\#
            "digest":"\#(Digest(of: Array("{}".utf8)))","size":2,"data":"\#(data)"},"layers":[{"mediaType":"text/plain",\#
            "digest":"\#(layerBlob.digest)","size":5,"data":"\#(layer)"}]}
            """#
        let manifest = try Manifest(bytes: Array(text.utf8), mediaType: .ociManifest)
        return FakeImage(manifests: [manifest], blobs: manifest.blobs)
    }

    @Test("Embedded content is used when the source lacks the blob")
    func used() async throws {
        let artifact = try artifact()
        let bench = try Bench()
        await bench.source.change {
            try? $0.seed(artifact, tag: "v1")
            $0.blobs = []
        }
        let receipt = try #require(try await bench.copy(":v1").receipt)
        #expect(receipt.notes == [])
        #expect(await bench.destination.holds(artifact))
        #expect(bench.calls.count("embedded") == 2)
    }

    @Test("Embedded content is not used when the source has the blob")
    func notNeeded() async throws {
        let artifact = try artifact()
        let bench = try Bench()
        await bench.source.change { try? $0.seed(artifact, tag: "v1") }
        #expect(try await bench.copy(":v1").receipt != nil)
        #expect(bench.calls.count("embedded") == 0)
    }

    @Test("Embedded content is used at each of several destinations")
    func several() async throws {
        let artifact = try artifact()
        let bench = try Bench()
        let other = try FakeRepository(.destination, "other/app", bench.calls)
        bench.relay.connect(other)
        await bench.source.change {
            try? $0.seed(artifact, tag: "v1")
            $0.blobs = []
        }
        let results = try await bench.copy(":v1", to: [(bench.destination, nil), (other, nil)])
        #expect(results.firstError == nil)
        #expect(await bench.destination.holds(artifact))
        #expect(await other.holds(artifact))
    }

    @Test("Wrong embedded content is ignored, with a note")
    func wrong() async throws {
        let artifact = try artifact(layer: "aGVsbG9v")
        let bench = try Bench()
        await bench.source.change { try? $0.seed(artifact, tag: "v1") }
        let receipt = try #require(try await bench.copy(":v1").receipt)
        #expect(receipt.notes.count == 1)
        #expect(
            receipt.notes[0].hasPrefix("ignored the embedded data of ")
        )

        let empty = try Bench()
        await empty.source.change {
            try? $0.seed(artifact, tag: "v1")
            $0.blobs = []
        }
        #expect(try await empty.copy(":v1").firstError?.reason == .blobMissing(artifact.blobs[1].digest))
    }

    @Test("The empty object is written without being embedded in its descriptor")
    func emptyObject() async throws {
        let config = #"{"mediaType":"\#(MediaType.ociEmpty)","digest":"\#(Digest(of: Array("{}".utf8)))","size":2}"#
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","config":\#(config),"layers":[\#(config)]}"#
        let manifest = try Manifest(bytes: Array(text.utf8))
        let bench = try Bench()
        await bench.source.change { try? $0.seed(FakeImage(manifests: [manifest], blobs: []), tag: "v1") }
        #expect(try await bench.copy(":v1").receipt?.blobsMoved == 1)
    }

    @Test("An embedded manifest is used when the source lacks that manifest")
    func child() async throws {
        let image = try FakeImage.image("a")
        let data = Data(image.root.bytes).base64EncodedString()
        let text = #"""
            {"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[{"mediaType":"\#(MediaType.ociManifest)",\#
            "digest":"\#(image.digest)","size":\#(image.root.bytes.count),"data":"\#(data)"}]}
            """#
        let index = FakeImage(manifests: [try Manifest(bytes: Array(text.utf8))], blobs: image.blobs)
        let bench = try Bench()
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        #expect(try await bench.copy(":v1").receipt != nil)
        #expect(await bench.destination.holds(image))
    }
}

import Content
import Testing

@testable import Replicate

/// An index may have entries whose media type is not known as a manifest's; containerd takes them for blobs.
@Suite("Index entries with an unknown media type")
struct UnknownEntryTests {
    private let image: FakeImage
    private let extra = FakeImage.blob("extra", MediaType("application/vnd.example.thing"))
    private let index: FakeImage

    init() throws {
        image = try FakeImage.image("a")
        let entries = [image.root.descriptor, extra].map {
            #"{"mediaType":"\#($0.mediaType)","digest":"\#($0.digest)","size":\#($0.size)}"#
        }
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries.joined(separator: ","))]}"#
        let root = try Manifest(bytes: Array(text.utf8), mediaType: .ociIndex)
        index = FakeImage(manifests: image.manifests + [root], blobs: image.blobs + [extra])
    }

    @Test("An unknown entry that the source holds as a blob is copied as a blob", arguments: [false, true])
    func blobs(isUnreadable: Bool) async throws {
        let bench = try Bench()
        let (index, extra) = (index, extra)
        await bench.source.change {
            try? $0.seed(index, tag: "v1")
            // A layout reads the file of a blob as a manifest, and fails.
            if isUnreadable { $0.readFailures[.digest(extra.digest)] = .badManifest(.notUTF8) }
        }
        let receipt = try #require(try await bench.copy(":v1").receipt)
        #expect(receipt.digest == index.digest && receipt.blobsMoved == index.blobs.count)
        #expect(await bench.destination.holds(index))
        #expect(await bench.destination.violations == [])
    }

    @Test("An unknown entry is repaired like other blobs")
    func repaired() async throws {
        let bench = try Bench()
        let (index, extra) = (index, extra)
        for side in [bench.source, bench.destination] { await side.change { try? $0.seed(index, tag: "v1") } }
        await bench.destination.change { _ = $0.blobs.remove(extra.digest) }
        let repaired = try await bench.copy(":v1", CopyOptions(referrers: .none, repairs: true)).receipt
        #expect(repaired?.blobsRepaired == 1)
        #expect(await bench.destination.holds(index))
    }

    @Test("An unknown entry that the source lacks fails as a missing child, with the reason")
    func missing() async throws {
        let bench = try Bench()
        let (index, extra) = (index, extra)
        await bench.source.change {
            try? $0.seed(index, tag: "v1")
            $0.blobs.remove(extra.digest)
        }
        let error = try #require(try await bench.copy(":v1").firstError)
        #expect(error.reason == .childMissing(extra.digest, of: index.digest))

        await bench.source.change { $0.readFailures[.digest(extra.digest)] = .archived }
        #expect(try await bench.copy(":v1").firstError?.reason == .archived)
        #expect(bench.calls.count("relay") == 0)
    }

    @Test("A destination that accepts only manifests refuses an unknown entry")
    func refused() async throws {
        let bench = try Bench(takesIndexesOfBlobs: false)
        let index = index
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        let error = try #require(try await bench.copy(":v1").firstError)
        #expect(error.cause.contains("application/vnd.example.thing") && error.cause.contains("not a manifest"))
        #expect(bench.calls.count("relay") == 0)
    }

    @Test("An entry with a manifest's media type stays a manifest")
    func knownType() throws {
        let root = index.root.takingForBlobs(Set(index.root.entries.map(\.digest)))
        #expect(root.children.map(\.digest) == [image.digest] && root.blobEntries.map(\.digest) == [extra.digest])
    }
}

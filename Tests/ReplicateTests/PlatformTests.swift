import Content
import Testing

@testable import Replicate

/// `--platform`.
@Suite("Platforms")
struct PlatformTests {
    private let amd: FakeImage
    private let arm: FakeImage
    private let note: FakeImage
    private let index: FakeImage

    init() throws {
        amd = try FakeImage.image("amd")
        arm = try FakeImage.image("arm", layers: ["base", "arm"])
        note = try FakeImage.image("provenance", layers: ["statement"])
        index = try FakeImage.index(
            [("linux/amd64", amd), ("linux/arm64", arm), ("linux/s390x", try FakeImage.image("s390x"))],
            attestations: [(0, note), (2, try FakeImage.image("other", layers: ["other"]))]
        )
    }

    private func copy(_ bench: Bench, _ platforms: String...) async throws -> [CopyResult] {
        await bench.source.change { [index, amd] in
            try? $0.seed(index, tag: "v1")
            try? $0.seed(amd, tag: "single")
        }
        let options = CopyOptions(referrers: .none, platforms: try platforms.map { try ImagePlatform(parsing: $0) })
        return try await bench.copy(":v1", options)
    }

    @Test("one takes that child unchanged, and says so")
    func one() async throws {
        let bench = try Bench()
        let receipt = try #require(try await copy(bench, "linux/arm64").receipt)
        #expect(receipt.digest == arm.digest)
        #expect(receipt.notes == ["linux/arm64 of \(index.digest) is copied, not the index"])
        #expect(try await bench.destination.tag("v1") == arm.digest)
        #expect(await bench.destination.manifests.count == 1)
    }

    @Test("one that is named twice is one")
    func twice() async throws {
        let receipt = try #require(try await copy(try Bench(), "linux/arm64", "linux/arm64").receipt)
        #expect(receipt.digest == arm.digest)
    }

    @Test("several make a new index, the same bytes each time, with their attestations")
    func several() async throws {
        let bench = try Bench()
        let receipt = try #require(try await copy(bench, "linux/arm64", "linux/amd64").receipt)
        let wanted = """
            {"manifests":[\
            {"digest":"\(amd.digest)","mediaType":"\(MediaType.ociManifest)",\
            "platform":{"architecture":"amd64","os":"linux"},"size":\(amd.root.bytes.count)},\
            {"digest":"\(arm.digest)","mediaType":"\(MediaType.ociManifest)",\
            "platform":{"architecture":"arm64","os":"linux"},"size":\(arm.root.bytes.count)},\
            {"annotations":{"vnd.docker.reference.digest":"\(amd.digest)",\
            "vnd.docker.reference.type":"attestation-manifest"},\
            "digest":"\(note.digest)","mediaType":"\(MediaType.ociManifest)",\
            "platform":{"architecture":"unknown","os":"unknown"},"size":\(note.root.bytes.count)}],\
            "mediaType":"\(MediaType.ociIndex)","schemaVersion":2}
            """
        let made = try #require(await bench.destination.manifests[receipt.digest])
        #expect(made.text == wanted)
        #expect(receipt.notes.first?.hasPrefix("a new index \(receipt.digest) was made from \(index.digest)") == true)
        #expect(receipt.blobsMoved == 7, "two images with a common layer, and one attestation")
        #expect(await bench.destination.violations == [])
        bench.journal.clear()
        #expect(try await copy(bench, "linux/arm64", "linux/amd64").receipt?.changedAnything == false)
        #expect(bench.journal.count("to/app ") == 1)
    }

    @Test("can be put back into the source's own repository")
    func intoItself() async throws {
        let bench = try Bench()
        await bench.source.change { [index] in try? $0.seed(index, tag: "v1") }
        let options = CopyOptions(
            platforms: [
                ImagePlatform(os: "linux", architecture: "amd64"), ImagePlatform(os: "linux", architecture: "arm64"),
            ]
        )
        let results = try await bench.copy(":v1", to: [(bench.source, "small")], options)
        let made = try #require(results.receipt).digest
        #expect(try await bench.source.tag("small") == made)
        #expect(bench.journal.count("relay") == 0)
    }

    @Test("that the index lacks are named with those it has")
    func missing() async throws {
        let error = await #expect(throws: CopyError.self) { try await copy(Bench(), "linux/amd64", "windows/amd64") }
        #expect(
            error?.reason
                == .platformMissing(wanted: "windows/amd64", has: ["linux/amd64", "linux/arm64", "linux/s390x"])
        )
        #expect(error?.side == .source && error?.image == "source.test/from/app:v1")
    }

    @Test("need an index")
    func needsIndex() async throws {
        let bench = try Bench()
        await bench.source.change { [amd] in try? $0.seed(amd, tag: "v1") }
        let options = CopyOptions(platforms: [ImagePlatform(os: "linux", architecture: "amd64")])
        let error = await #expect(throws: CopyError.self) { try await bench.copy(":v1", options) }
        #expect(error?.cause == "--platform needs an index; this is one image")
        #expect(error?.remedy == "leave out --platform")
    }
}

import Content
import Reporting
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
        // Every byte of the old index but the entries that weren't asked for.
        let entries = index.root.children.map(\.digest)
        let left = [entries[2], entries[4]].map { "\($0)" }
        let kept = index.root.text.split(separator: #","manifests":["#)[1].dropLast(2)
            .replacing(#"},{"mediaType""#, with: "}\n{\"mediaType\"").split(separator: "\n")
            .filter { entry in !left.contains { entry.contains($0) } }
        let wanted =
            #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(kept.joined(separator: ","))]}"#
        #expect(kept.count == 3)
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
        #expect(error?.side == .source && error?.place == "source.test/from/app:v1")
    }

    @Test("need an index")
    func needsIndex() async throws {
        let bench = try Bench()
        await bench.source.change { [amd] in try? $0.seed(amd, tag: "v1") }
        let options = CopyOptions(platforms: [ImagePlatform(os: "linux", architecture: "amd64")])
        let error = await #expect(throws: CopyError.self) { try await bench.copy(":v1", options) }
        #expect(error?.cause == "a platform can only be chosen from an index, and this is a single image")
        #expect(error?.remedy == "leave out --platform")
    }

    // MARK: Windows builds

    /// An index as Windows images have it: builds differ in `os.version` alone, and entries have members nobody here knows.
    private static func builds(_ platforms: [String], more: String = "") throws -> FakeImage {
        let images = try platforms.enumerated().map { try FakeImage.image("build \($0.offset)") }
        let entries = zip(platforms, images).map { platform, image in
            #"{ "mediaType": "\#(MediaType.ociManifest)", "size": \#(image.root.bytes.count), "digest": "\#(image.digest)", "x-custom": [1, 2], "#
                + #""platform": \#(platform) }"#
        }
        let text =
            #"{ "schemaVersion": 2, \#(more)"mediaType": "\#(MediaType.ociIndex)", "manifests": [ \#(entries.joined(separator: " , ")) ] }"#
        let root = try Manifest(bytes: Array(text.utf8), mediaType: .ociIndex)
        return FakeImage(manifests: images.flatMap(\.manifests) + [root], blobs: images.flatMap(\.blobs))
    }

    private static let windows = [
        #"{"os":"windows","architecture":"amd64","os.version":"10.0.17763.6054","os.features":["win32k"]}"#,
        #"{"os":"windows","architecture":"amd64","os.version":"10.0.20348.2582","os.features":["win32k"],"new":{"a":[null]}}"#,
        #"{"os":"windows","architecture":"amd64","os.version":"10.0.20348.9"}"#,
        #"{"os":"linux","architecture":"amd64","features":["sse4"]}"#,
    ]

    private func copy(_ image: FakeImage, _ platforms: [String]) async throws -> (bench: Bench, receipt: CopyReceipt?) {
        let bench = try Bench()
        await bench.source.change { try? $0.seed(image, tag: "v1") }
        let options = CopyOptions(referrers: .none, platforms: try platforms.map { try ImagePlatform(parsing: $0) })
        return (bench, try await bench.copy(":v1", options).receipt)
    }

    @Test(
        "a build is chosen by its version, or by as much of it as only one has",
        arguments: [
            ("windows/amd64:10.0.20348.2582", 1), ("windows(10.0.20348.2582)/amd64", 1),
            ("windows/amd64,osver=10.0.20348.2582", 1), ("windows/amd64:10.0.17763", 0),
            ("windows/amd64:10.0.20348.9", 2),
            ("windows(10.0.20348+win32k)/amd64", 1), ("linux/amd64", 3),
        ]
    )
    func build(platform: String, child: Int) async throws {
        let image = try Self.builds(Self.windows)
        let receipt = try #require(try await copy(image, [platform]).receipt)
        #expect(receipt.digest == image.root.children[child].digest)
    }

    @Test(
        "builds that a request leaves open are listed",
        arguments: [
            ("windows/amd64", ["10.0.17763.6054", "10.0.20348.2582", "10.0.20348.9"]),
            ("windows/amd64:10.0.20348", ["10.0.20348.2582", "10.0.20348.9"]),
        ]
    )
    func ambiguous(platform: String, versions: [String]) async throws {
        let image = try Self.builds(Self.windows)
        let error = await #expect(throws: CopyError.self) { try await copy(image, [platform, "linux/amd64"]) }
        let choices = versions.map { "windows/amd64:\($0)" }
        #expect(error?.reason == .platformAmbiguous(wanted: platform, choices: choices))
    }

    @Test("a build that the index lacks is answered with the builds it has")
    func missingBuild() async throws {
        let image = try Self.builds(Self.windows)
        let error = await #expect(throws: CopyError.self) { try await copy(image, ["windows/amd64:10.0.2"]) }
        #expect(
            error?.cause.hasSuffix("windows/amd64:10.0.20348.2582, windows/amd64:10.0.20348.9, linux/amd64") == true
        )
    }

    @Test("a made index keeps the text of each entry, with members that are not known here")
    func verbatim() async throws {
        let image = try Self.builds(Self.windows, more: #""annotations": {"a": "b"}, "later": [1.0e3], "#)
        let (bench, receipt) = try await copy(image, ["linux/amd64", "windows/amd64:10.0.20348.2582"])
        let digest = try #require(receipt).digest
        let made = try #require(await bench.destination.manifests[digest])
        #expect(made.children.map(\.digest) == [image.root.children[1].digest, image.root.children[3].digest])
        for kept in [
            Self.windows[1], Self.windows[3], #""annotations": {"a": "b"}, "later": [1.0e3]"#, #""x-custom": [1, 2]"#,
        ] {
            #expect(made.text.contains(kept))
        }
        #expect(!made.text.contains("10.0.17763"))
    }

    @Test("of variants the default one is meant, and of several others none")
    func variants() async throws {
        let arm = try Self.builds(
            [
                #"{"os":"linux","architecture":"arm","variant":"v5"}"#,
                #"{"os":"linux","architecture":"arm","variant":"v7"}"#,
                #"{"os":"linux","architecture":"amd64","variant":"v2"}"#,
                #"{"os":"linux","architecture":"amd64","variant":"v3"}"#,
                #"{"os":"linux","architecture":"arm64","variant":"v9"}"#,
            ]
        )
        #expect(try await copy(arm, ["linux/arm"]).receipt?.digest == arm.root.children[1].digest)
        await #expect(throws: CopyError.self) { try await copy(arm, ["armel"]) }
        #expect(try await copy(arm, ["arm64"]).receipt?.digest == arm.root.children[4].digest)
        let error = await #expect(throws: CopyError.self) { try await copy(arm, ["linux/amd64"]) }
        #expect(
            error?.reason
                == .platformAmbiguous(wanted: "linux/amd64", choices: ["linux/amd64/v2", "linux/amd64/v3"])
        )
    }

    @Test("several images for one platform: the first, as every client does, and a note names the others")
    func duplicates() async throws {
        let image = try Self.builds(
            [#"{"os":"linux","architecture":"arm64"}"#, #"{"os":"linux","architecture":"arm64","variant":"v8"}"#]
        )
        let receipt = try #require(try await copy(image, ["linux/arm64"]).receipt)
        let (first, second) = (image.root.children[0].digest, image.root.children[1].digest)
        #expect(receipt.digest == first)
        #expect(
            receipt.notes.contains("several images are for linux/arm64: took the first, \(first), and not \(second)")
        )
    }

    @Test("choices that differ in features only are told apart by them, others by their digests")
    func choices() async throws {
        let image = try Self.builds(
            [
                #"{"os":"windows","architecture":"amd64","os.version":"1","os.features":["win32k"]}"#,
                #"{"os":"windows","architecture":"amd64","os.version":"1"}"#,
                #"{"os":"windows","architecture":"amd64","os.version":"1","features":["x"]}"#,
            ]
        )
        let error = await #expect(throws: CopyError.self) { try await copy(image, ["windows/amd64"]) }
        let digests = image.root.children.map(\.digest)
        #expect(
            error?.reason
                == .platformAmbiguous(
                    wanted: "windows/amd64",
                    choices: [
                        "windows(1+win32k)/amd64", "windows/amd64:1 (\(digests[1]))", "windows/amd64:1 (\(digests[2]))",
                    ]
                )
        )
    }
}

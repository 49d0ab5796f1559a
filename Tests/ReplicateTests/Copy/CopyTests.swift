import Content
import Testing
import Wire

@testable import Replicate

/// One copy, between registries in memory (docs/architecture.md#one-copy).
@Suite("Copying an image")
struct CopyTests {
    @Test("Blobs precede their manifest, children precede parents, and the tag comes last")
    func order() async throws {
        let bench = try Bench()
        let (a, b) = (try FakeImage.image("a"), try FakeImage.image("b", layers: ["base", "other"]))
        let index = try FakeImage.index([("linux/amd64", a), ("linux/arm64", b)])
        await bench.source.change { try? $0.seed(index, tag: "v1") }

        let receipt = try #require(try await bench.copy(":v1").receipt)

        #expect(receipt.digest == index.digest)
        #expect(await bench.destination.holds(index))
        #expect(await bench.destination.violations == [])
        let puts = bench.calls.lines("to/app put ")
        #expect(Set(puts.dropLast()) == [a.digest.short, b.digest.short])
        #expect(puts.last == "\(index.digest.short) v1")
        #expect(try await bench.destination.tag("v1") == index.digest)
        #expect(await bench.destination.openUploads == [])
        #expect((receipt.blobsMoved, receipt.manifestsPut) == (5, 3))
        #expect(receipt.bytesMoved == index.blobs.uniqued.reduce(0) { $0 + $1.size })
    }

    @Test("A blob that several children share is moved and counted once")
    func sharedBlobs() async throws {
        let bench = try Bench()
        let index = try FakeImage.index(
            (0..<6).map { ("linux/a\($0)", try FakeImage.image("\($0)", layers: ["base", "base", "own \($0)"])) }
        )
        await bench.source.change { try? $0.seed(index, tag: "v1") }

        let receipt = try #require(try await bench.copy(":v1").receipt)

        let base = FakeImage.blob("base").digest.short
        #expect(bench.calls.count("relay \(base)") == 1)
        #expect(bench.calls.count("relay ") == 13)
        #expect(receipt.blobsMoved == 13)
        #expect(bench.calls.count("to/app missing ") == 1, "one request covers all blobs")
    }

    @Test("Images with 120 layers, nested indexes and shared children are copied")
    func bigAndNested() async throws {
        let bench = try Bench()
        let big = try FakeImage.image("big", layers: (0..<120).map { "layer \($0)" })
        let inner = try FakeImage.index([("linux/amd64", big)])
        let index = try FakeImage.index([("linux/amd64", inner), ("linux/arm64", big)])
        await bench.source.change { try? $0.seed(index, tag: "v1") }

        let receipt = try #require(try await bench.copy(":v1").receipt)

        #expect((receipt.blobsMoved, receipt.manifestsPut) == (121, 3))
        #expect(
            bench.calls.lines("to/app put ") == [big.digest.short, inner.digest.short, "\(index.digest.short) v1"]
        )
        #expect(await bench.destination.violations == [])
        #expect(bench.relay.most <= Admission.mostAtOnce)
    }

    @Test("Attestation children are copied like other children")
    func attestations() async throws {
        let bench = try Bench()
        let index = try FakeImage.index(
            [("linux/amd64", try FakeImage.image("a"))],
            attestations: [(0, try FakeImage.image("provenance", layers: ["statement"]))]
        )
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        _ = try await bench.copy(":v1")
        #expect(await bench.destination.holds(index))
    }

    /// A bench whose source has an index, but not its only child.
    private func benchWithoutChild() async throws -> (bench: Bench, child: FakeImage, index: FakeImage) {
        let bench = try Bench()
        let child = try FakeImage.image("a")
        let index = try FakeImage.index([("linux/amd64", child)])
        await bench.source.change {
            try? $0.seed(index, tag: "v1")
            $0.manifests[child.digest] = nil
        }
        return (bench, child, index)
    }

    @Test("A child missing at the source is named, and nothing is written")
    func missingChild() async throws {
        let (bench, child, index) = try await benchWithoutChild()

        let error = try #require(try await bench.copy(":v1").firstError)

        #expect(error.reason == .childMissing(child.digest, of: index.digest))
        #expect(error.side == .source)
        #expect(error.place == "source.test/from/app@\(index.digest)")
        #expect(bench.calls.count("to/app put") == 0 && bench.calls.count("relay") == 0)
    }

    @Test("A child missing at the source is not needed if the destination has it")
    func missingChildIsThere() async throws {
        let (bench, child, index) = try await benchWithoutChild()
        await bench.destination.change { try? $0.seed(child) }

        let receipt = try #require(try await bench.copy(":v1").receipt)

        #expect(receipt.manifestsPut == 1)
        #expect(await bench.destination.holds(index))
    }

    @Test("A foreign layer is copied only if the source holds it")
    func foreignLayers() async throws {
        let bench = try Bench()
        let image = try FakeImage.image("windows", foreign: ["held", "elsewhere"])
        await bench.source.change {
            try? $0.seed(image, tag: "v1")
            $0.blobs.insert(FakeImage.blob("held").digest)
        }

        let dry = try await bench.copy(":v1", CopyOptions(referrers: .none, isDryRun: true))
        guard case .planned(let plan)? = dry.first else { return #expect(Bool(false), "no plan") }
        #expect(plan.blobsElsewhere.map(\.digest) == [FakeImage.blob("elsewhere").digest])
        let receipt = try #require(try await bench.copy(":v1").receipt)

        #expect(receipt.blobsMoved == 4)
        #expect(await bench.destination.blobs.contains(FakeImage.blob("held").digest))
    }

    @Test("A failed check for a foreign layer fails the copy, a denied check does not")
    func foreignLayerUnknown() async throws {
        let bench = try Bench()
        let image = try FakeImage.image("windows", foreign: ["elsewhere"])
        await bench.source.change {
            try? $0.seed(image, tag: "v1")
            $0.refuse("missing", .denied(action: "ecr:BatchCheckLayerAvailability", text: ""))
            $0.refuse("missing", .throttled("slow"))
        }
        #expect(try await bench.copy(":v1").receipt != nil)

        let again = try Bench()
        await again.source.change {
            try? $0.seed(image, tag: "v1")
            $0.refuse("missing", .throttled("slow"))
        }
        #expect(try await again.copy(":v1").firstError?.reason == .throttled("slow"))
    }

    @Test("Content that the destination loses during the run is sent again")
    func resent() async throws {
        let bench = try Bench()
        let child = try FakeImage.image("a")
        let index = try FakeImage.index([("linux/amd64", child)])
        let (base, own) = (FakeImage.blob("base").digest, FakeImage.blob("app").digest)
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        await bench.destination.change {
            $0.blobs.insert(base)
            // One was already there, this run sent the other; a lifecycle rule removed both.
            $0.before("put \(child.digest.short)") { $0.blobs.subtract([base, own]) }
            $0.before("put \(index.digest.short)") { $0.manifests[child.digest] = nil }
        }

        let receipt = try #require(try await bench.copy(":v1").receipt)

        #expect(await bench.destination.holds(index))
        #expect(bench.calls.count("relay \(own.short)") == 2)
        #expect(bench.calls.count("relay \(base.short)") == 1)
        #expect(receipt.digest == index.digest)
        #expect(
            bench.calls.lines("to/app put ") == [
                child.digest.short, child.digest.short, "\(index.digest.short) v1", child.digest.short,
                "\(index.digest.short) v1",
            ]
        )
    }

    @Test("A manifest refused again after its content was sent again fails, with no tag set")
    func resentTwice() async throws {
        let bench = try Bench()
        let image = try FakeImage.image("a")
        await bench.source.change { try? $0.seed(image, tag: "v1") }
        await bench.destination.change {
            $0.refuse("put", .rejected(code: "LayersNotFoundException", text: "as ECR says"), times: 2)
        }
        let error = try #require(try await bench.copy(":v1").firstError)
        #expect(error.reason == .rejected(code: "LayersNotFoundException", text: "as ECR says"))
        #expect(error.place == "destination.test/to/app:v1")
        #expect(await bench.destination.tags.isEmpty)
        #expect(bench.calls.count("to/app put") == 2)
    }

    @Test("An index nested too deeply is refused")
    func oddIndexes() async throws {
        let bench = try Bench()
        var deep = try FakeImage.image("a")
        for _ in 0...SourceReader.deepestIndex { deep = try FakeImage.index([("linux/amd64", deep)]) }
        await bench.source.change { [deep] in try? $0.seed(deep, tag: "deep") }
        let error = try #require(try await bench.copy(":deep").firstError)
        guard case .unsupported = error.reason else { return #expect(Bool(false), "\(error)") }
        #expect(error.side == .source)
        #expect(await bench.destination.manifests.isEmpty)
    }

    @Test("The error of a failed blob names its image")
    func attribution() async throws {
        let bench = try Bench()
        let image = try FakeImage.image("a")
        await bench.source.change { try? $0.seed(image, tag: "v1") }
        let lost = FakeImage.blob("app").digest
        await bench.source.change { $0.blobs.remove(lost) }
        let missing = try #require(try await bench.copy(":v1").firstError)
        #expect(missing.reason == .blobMissing(lost))
        #expect((missing.side, missing.place) == (.source, "source.test/from/app:v1"))
        #expect(missing.operation == "downloading \(lost)")

        await bench.source.change { $0.blobs.insert(lost) }
        await bench.destination.change { $0.refuse("start", .denied(action: "ecr:InitiateLayerUpload", text: "no")) }
        let denied = try #require(try await bench.copy(":v1", tags: ["other"]).firstError)
        #expect((denied.side, denied.place) == (.destination, "destination.test/to/app:other"))
        #expect(await bench.destination.openUploads == [])
    }
}

extension [Descriptor] {
    var uniqued: [Descriptor] { map(\.digest).unique().compactMap { digest in first { $0.digest == digest } } }
}

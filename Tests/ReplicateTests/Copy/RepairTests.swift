import Content
import Testing
import Wire

@testable import Replicate

/// What a registry holds is believed, `--repair` asks, and what a refusal names is sent again
/// (docs/architecture.md#trust-in-registries).
@Suite("Half an image")
struct RepairTests {
    private let a: FakeImage
    private let b: FakeImage
    private let index: FakeImage
    private let base = FakeImage.blob("base").digest
    private let own = FakeImage.blob("app").digest
    private let repairing = CopyOptions(referrers: .none, repairs: true)

    init() throws {
        a = try FakeImage.image("a")
        b = try FakeImage.image("b", layers: ["base", "other"])
        index = try FakeImage.index([("linux/amd64", a), ("linux/arm64", b)])
    }

    /// Both sides have the index; the destination has lost what `lose` takes.
    private func bench(_ lose: @Sendable (isolated FakeRepository) -> Void = { _ in }) async throws -> Bench {
        let bench = try Bench()
        let index = index
        for side in [bench.source, bench.destination] { await side.change { try? $0.seed(index, tag: "v1") } }
        await bench.destination.change(lose)
        return bench
    }

    @Test("is believed to be whole in a registry: no question more is asked")
    func believed() async throws {
        let a = a
        let bench = try await bench { $0.manifests[a.digest] = nil }
        #expect(try await bench.copy(":v1").receipt?.changedAnything == false)
        #expect(bench.journal.lines.count == 2)
    }

    @Test("is repaired: what is missing is brought, nothing else, and the report says what", arguments: [0, 1, 2, 3])
    func repaired(what: Int) async throws {
        let (a, index) = (a, index)
        let (base, config) = (base, a.blobs[0].digest)
        let bench = try await bench { destination in
            if [0, 2].contains(what) { destination.manifests[a.digest] = nil }
            if [1, 2].contains(what) { destination.blobs.subtract([base, config]) }
            if what == 3 { destination.manifests = destination.manifests.filter { $0.key == index.digest } }
            if what == 3 { destination.blobs = [] }
        }
        let receipt = try #require(try await bench.copy(":v1", repairing).receipt)
        #expect(await bench.destination.holds(index))
        #expect(await bench.destination.violations == [])
        let wanted = [(1, 0), (0, 2), (1, 2), (2, 5)][what]
        #expect((receipt.manifestsRepaired, receipt.blobsRepaired) == wanted)
        #expect((receipt.manifestsPut, receipt.blobsMoved) == wanted)
        #expect(receipt.notes.contains { $0.hasPrefix("repaired: ") && $0.contains("missing below") })
        // The tag and the root were right, and are left alone.
        #expect(!bench.journal.lines("to/app put ").contains { $0.hasPrefix(index.digest.short) })
        #expect(receipt.tags.map(\.outcome) == [.unchanged])

        let again = try #require(try await bench.copy(":v1", repairing).receipt)
        #expect(
            !again.changedAnything
                && again.notes == ["nothing is missing below destination.test/to/app@\(index.digest)"]
        )
    }

    @Test("is asked for in bulk: one question for each level of manifests, one for all blobs")
    func questions() async throws {
        let bench = try await bench()
        _ = try await bench.copy(":v1", repairing)
        #expect(bench.journal.count("to/app read") == 2 && bench.journal.count("to/app missing") == 1)
        #expect(bench.journal.count("from/app read") == 2 && bench.journal.lines.count == 5)
    }

    @Test("is sent whole where a refusal names nothing, and the registry says that it has all of it")
    func unnamed() async throws {
        let bench = try Bench()
        let a = a
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        await bench.destination.change { $0.blobs.formUnion(a.blobs.map(\.digest)) }
        await bench.destination.refuse("put", .rejected(code: "MANIFEST_BLOB_UNKNOWN", text: "blob unknown"))
        let receipt = try #require(try await bench.copy(":v1", CopyOptions(referrers: .none)).receipt)
        #expect(receipt.blobsMoved == a.blobs.count)
        #expect(await bench.destination.holds(a))
    }

    @Test("is sent one by one where each refusal names one thing, and not twice")
    func namedOneByOne() async throws {
        let bench = try Bench()
        let (a, layers) = (a, a.blobs.map(\.digest))
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        await bench.destination.change { $0.blobs.formUnion(layers) }
        let naming: @Sendable (Digest) -> CopyError = { layer in
            var refusal = CopyError(
                .rejected(code: "MANIFEST_BLOB_UNKNOWN", text: "blob unknown"),
                side: .destination,
                image: "to/app",
                operation: "storing the manifest"
            )
            refusal.digests = [layer]
            return refusal
        }
        for layer in layers { await bench.destination.fail("put", naming(layer)) }
        let receipt = try #require(try await bench.copy(":v1", CopyOptions(referrers: .none)).receipt)
        #expect(receipt.blobsMoved == layers.count)
        #expect(bench.journal.count("to/app put") == layers.count + 1)
    }

    @Test("is shown by a dry run, and not touched")
    func dry() async throws {
        let a = a
        let bench = try await bench { $0.manifests[a.digest] = nil }
        let results = try await bench.copy(":v1", CopyOptions(referrers: .none, isDryRun: true, repairs: true))
        guard case .planned(let plan)? = results.first else { return #expect(Bool(false), "no plan") }
        #expect(
            plan.lines.contains { $0.hasPrefix("  repair  1 manifest missing below") && $0.contains("\(a.digest)") }
        )
        #expect(await bench.destination.manifests[a.digest] == nil)
    }

    @Test("of what refers to the image is repaired too")
    func referrers() async throws {
        let signature = try FakeImage.image("signature", layers: ["signed"], subject: index.digest)
        let layer = FakeImage.blob("signed").digest
        let bench = try await bench { try? $0.seed(signature) }
        let index = index
        await bench.source.change {
            try? $0.seed(signature)
            $0.listedReferrers = [index.digest: [signature.root.listing]]
        }
        await bench.destination.change { $0.blobs.remove(layer) }
        #expect(try await bench.copy(":v1", CopyOptions()).receipt?.changedAnything == false)
        let receipt = try #require(try await bench.copy(":v1", CopyOptions(repairs: true)).receipt)
        #expect(await bench.destination.blobs.contains(layer))
        #expect((receipt.blobsRepaired, receipt.manifestsPut, receipt.referrers) == (1, 0, 0))
    }

    @Test("is not looked for in the source's own repository")
    func retag() async throws {
        let bench = try await bench()
        let own = try await bench.copy(":v1", to: [(bench.source, "v2")], repairing)
        #expect(own.receipt?.tags.map(\.outcome) == [.set])
        #expect(bench.journal.count("from/app missing") == 0)
    }

    // MARK: Refusals

    @Test(
        "that a refusal names is sent again, whatever was said of it when it was asked for",
        arguments: ["LayersNotFoundException", "MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_INVALID", "HTTP 400"]
    )
    func named(code: String) async throws {
        let bench = try Bench()
        let (a, own) = (a, own)
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        await bench.destination.change {
            $0.pretended = [own]
            ($0.namesWhatIsMissing, $0.refusalCode) = (true, code)
        }
        let receipt = try #require(try await bench.copy(":v1").receipt)
        #expect(await bench.destination.holds(a))
        #expect(bench.journal.lines("relay ").filter { $0 == own.short }.count == 1)
        #expect(bench.journal.count("relay ") == 3, "and nothing is sent twice")
        #expect(bench.journal.count("to/app put ") == 2)
        #expect(receipt.blobsMoved == 3)
    }

    @Test("that a refusal names may be a child, and what is below it")
    func namedChild() async throws {
        let bench = try Bench()
        let (index, a, own) = (index, a, own)
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        await bench.destination.change {
            $0.pretended = [a.digest, own]
            $0.namesWhatIsMissing = true
        }
        #expect(try await bench.copy(":v1").receipt != nil)
        #expect(await bench.destination.holds(index))
        #expect(try await bench.destination.tag("v1") == index.digest)
    }

    @Test("that a refusal names is sent once: a registry that goes on refusing is believed")
    func once() async throws {
        let bench = try Bench()
        let a = a
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        var refusal = CopyError(
            .rejected(code: "MANIFEST_INVALID", text: "no"),
            side: .destination,
            image: "to/app",
            operation: "put"
        )
        refusal.digests = [own]
        await bench.destination.change { [refusal] in $0.fail("put", refusal, times: 9) }
        #expect(try await bench.copy(":v1").firstError?.reason.name == "rejected")
        #expect(bench.journal.count("to/app put ") == 2)
        #expect(bench.journal.lines("relay ").filter { $0 == own.short }.count == 2)
    }

    @Test("is no matter of refusals that name something else, or nothing that could be missing")
    func otherRefusals() async throws {
        for digests in [[], [a.digest], [Digest(of: "elsewhere".utf8)]] as [Set<Digest>] {
            let bench = try Bench()
            let a = a
            await bench.source.change { try? $0.seed(a, tag: "v1") }
            var refusal = CopyError(
                .rejected(code: "MANIFEST_INVALID", text: "no"),
                side: .destination,
                image: "to/app",
                operation: "put"
            )
            refusal.digests = digests
            await bench.destination.change { [refusal] in $0.fail("put", refusal, times: 9) }
            #expect(try await bench.copy(":v1").firstError != nil)
            #expect(bench.journal.count("to/app put ") == 1, "\(digests)")
        }
    }

    @Test("that was refused is tried again though the destination goes on saying that it has it")
    func retried() async throws {
        let bench = try Bench()
        let (a, own) = (a, own)
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        await bench.destination.change {
            $0.pretended = [own]
            $0.namesWhatIsMissing = true
        }
        bench.relay.plan(own, .failure(WireError(.disconnected, "cut", end: .destination)))
        #expect(try await bench.copy(":v1").receipt != nil)
        #expect(await bench.destination.holds(a))
        #expect(bench.journal.lines("relay ").filter { $0 == own.short }.count == 2)
    }
}

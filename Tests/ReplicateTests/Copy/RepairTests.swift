import Content
import Testing
import Wire

@testable import Replicate

/// A registry's content is trusted, `--repair` checks it, and content that a refusal names is sent again
/// (docs/architecture.md#trust-in-registries).
@Suite("Incomplete images at the destination")
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

    /// A bench with the index at both sides, after `lose` has removed content from the destination.
    private func bench(_ lose: @Sendable (isolated FakeRepository) -> Void = { _ in }) async throws -> Bench {
        let bench = try Bench()
        let index = index
        for side in [bench.source, bench.destination] { await side.change { try? $0.seed(index, tag: "v1") } }
        await bench.destination.change(lose)
        return bench
    }

    @Test("A registry's image is trusted to be complete, without further requests")
    func believed() async throws {
        let a = a
        let bench = try await bench { $0.manifests[a.digest] = nil }
        #expect(try await bench.copy(":v1").receipt?.changedAnything == false)
        #expect(bench.calls.lines.count == 2)
    }

    @Test("--repair sends only what is missing, and reports it", arguments: [0, 1, 2, 3])
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
        // The tag and the root are right, and left alone.
        #expect(!bench.calls.lines("to/app put ").contains { $0.hasPrefix(index.digest.short) })
        #expect(receipt.tags.map(\.outcome) == [.unchanged])

        let again = try #require(try await bench.copy(":v1", repairing).receipt)
        #expect(
            !again.changedAnything
                && again.notes == ["nothing is missing below destination.test/to/app@\(index.digest)"]
        )
    }

    @Test("--repair sends one request for each level of manifests and one for all blobs")
    func questions() async throws {
        let bench = try await bench()
        _ = try await bench.copy(":v1", repairing)
        #expect(bench.calls.count("to/app read") == 2 && bench.calls.count("to/app missing") == 1)
        #expect(bench.calls.count("from/app read") == 2 && bench.calls.lines.count == 5)
    }

    @Test("All blobs are sent again after a refusal that names none of them")
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

    @Test("A blob named by a refusal is sent again, one for each refusal, and never twice")
    func namedOneByOne() async throws {
        let bench = try Bench()
        let (a, layers) = (a, a.blobs.map(\.digest))
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        await bench.destination.change { $0.blobs.formUnion(layers) }
        for layer in layers {
            await bench.destination.fail("put", Self.refusal(naming: [layer], code: "MANIFEST_BLOB_UNKNOWN"))
        }
        let receipt = try #require(try await bench.copy(":v1", CopyOptions(referrers: .none)).receipt)
        #expect(receipt.blobsMoved == layers.count)
        #expect(bench.calls.count("to/app put") == layers.count + 1)
    }

    @Test("A dry run shows what --repair would send, and sends nothing")
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

    @Test("--repair covers referrers")
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

    @Test("--repair does not check the source's own repository")
    func retag() async throws {
        let bench = try await bench()
        let own = try await bench.copy(":v1", to: [(bench.source, "v2")], repairing)
        #expect(own.receipt?.tags.map(\.outcome) == [.set])
        #expect(bench.calls.count("from/app missing") == 0)
    }

    // MARK: Refusals

    /// A registry's refusal of a manifest that names `digests`.
    private static func refusal(naming digests: Set<Digest>, code: String = "MANIFEST_INVALID") -> CopyError {
        var refusal = CopyError(
            .rejected(code: code, text: "no"),
            side: .destination,
            image: "to/app",
            operation: "storing the manifest"
        )
        refusal.digests = digests
        return refusal
    }

    @Test(
        "A blob named by a refusal is sent again although the destination claimed to have it",
        arguments: ["LayersNotFoundException", "MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_INVALID", "HTTP 400"]
    )
    func named(code: String) async throws {
        let bench = try Bench()
        let (a, own) = (a, own)
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        await bench.destination.change {
            $0.claimed = [own]
            ($0.namesWhatIsMissing, $0.refusalCode) = (true, code)
        }
        let receipt = try #require(try await bench.copy(":v1").receipt)
        #expect(await bench.destination.holds(a))
        #expect(bench.calls.lines("relay ").filter { $0 == own.short }.count == 1)
        #expect(bench.calls.count("relay ") == 3, "nothing is sent twice")
        #expect(bench.calls.count("to/app put ") == 2)
        #expect(receipt.blobsMoved == 3)
    }

    @Test("A child named by a refusal is sent again, with its blobs")
    func namedChild() async throws {
        let bench = try Bench()
        let (index, a, own) = (index, a, own)
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        await bench.destination.change {
            $0.claimed = [a.digest, own]
            $0.namesWhatIsMissing = true
        }
        #expect(try await bench.copy(":v1").receipt != nil)
        #expect(await bench.destination.holds(index))
        #expect(try await bench.destination.tag("v1") == index.digest)
    }

    @Test("A blob named by repeated refusals is sent again only once")
    func once() async throws {
        let bench = try Bench()
        let a = a
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        await bench.destination.fail("put", Self.refusal(naming: [own]), times: 9)
        #expect(try await bench.copy(":v1").firstError?.reason.name == "rejected")
        #expect(bench.calls.count("to/app put ") == 2)
        #expect(bench.calls.lines("relay ").filter { $0 == own.short }.count == 2)
    }

    @Test("A refusal that names no part of the manifest is not answered by sending again")
    func otherRefusals() async throws {
        for digests in [[], [a.digest], [Digest(of: "elsewhere".utf8)]] as [Set<Digest>] {
            let bench = try Bench()
            let a = a
            await bench.source.change { try? $0.seed(a, tag: "v1") }
            await bench.destination.fail("put", Self.refusal(naming: digests), times: 9)
            #expect(try await bench.copy(":v1").firstError != nil)
            #expect(bench.calls.count("to/app put ") == 1, "\(digests)")
        }
    }

    @Test("A failed transfer of a named blob is retried although the destination claims to have it")
    func retried() async throws {
        let bench = try Bench()
        let (a, own) = (a, own)
        await bench.source.change { try? $0.seed(a, tag: "v1") }
        await bench.destination.change {
            $0.claimed = [own]
            $0.namesWhatIsMissing = true
        }
        bench.relay.script(own, .failure(WireError(.disconnected, "cut", end: .destination)))
        #expect(try await bench.copy(":v1").receipt != nil)
        #expect(await bench.destination.holds(a))
        #expect(bench.calls.lines("relay ").filter { $0 == own.short }.count == 2)
    }
}

import Content
import Platform
import Reporting
import Testing

@testable import Replicate

@Suite("Memory for manifests")
struct ManifestBudgetTests {
    /// A source with an index of `count` children, tagged `v1`.
    private func source(_ count: Int) async throws -> (source: FakeRepository, index: FakeImage, calls: CallLog) {
        let calls = CallLog()
        let source = try FakeRepository(.source, "from/app", calls)
        let children = try (0..<count).map {
            (Optional("linux/a\($0)"), try FakeImage.image("\($0)", layers: ["own \($0)"]))
        }
        let index = try FakeImage.index(children.map { (platform: $0.0, image: $0.1) })
        await source.change { try? $0.seed(index, tag: "v1") }
        return (source, index, calls)
    }

    @Test("Beyond the budget manifests are kept as outlines, which lack only the text")
    func outlines() async throws {
        let (source, index, _) = try await source(20)
        let child = try #require(index.manifests.first)
        let budget = SourceReader.Budget(
            whole: index.root.footprint + 5 * child.footprint,
            outlines: 1 << 20
        )
        let reader = SourceReader(source, budget: budget)
        let image = try await reader.graph(under: index.root)
        #expect(image.manifests.count == 21 && image.missing.isEmpty)
        let outlines = image.manifests.values.filter(\.isOutline)
        #expect((14...18).contains(outlines.count), "\(outlines.count)")
        for outline in outlines {
            let whole = try #require(index.manifests.first { $0.digest == outline.digest })
            #expect(outline.blobs == whole.blobs && outline.descriptor == whole.descriptor)
            #expect(outline.footprint < whole.footprint)
        }
        // Manifests that no plan needs any more free their memory.
        await reader.finish(SourceImage(reference: source.reference, root: index.root), index.manifests.map(\.digest))
        let other = try FakeImage.image("other")
        await source.change { try? $0.seed(other, tag: "v2") }
        #expect(try await reader.read([other.digest])[other.digest]?.isOutline == false)
    }

    @Test("Exceeding the budget for outlines is an error with a remedy")
    func tooMuch() async throws {
        let (source, index, _) = try await source(50)
        let reader = SourceReader(source, budget: .init(whole: 10_000, outlines: 40_000))
        let error = await #expect(throws: CopyError.self) { try await reader.graph(under: index.root) }
        #expect(error?.cause.contains("of memory") == true && error?.remedy.contains("--platform") == true)
    }

    @Test("An image of usual size is read with one request, and only once")
    func questions() async throws {
        let (source, index, calls) = try await source(300)
        let reader = SourceReader(source)
        let image = try await reader.graph(under: index.root)
        #expect(!image.manifests.values.contains { $0.isOutline })
        #expect(calls.count("from/app read ") == 1)
        _ = try await reader.read(index.manifests.map(\.digest))
        #expect(calls.count("from/app read ") == 1)
    }

    @Test("A manifest kept as an outline is read again before it is put")
    func putAgain() async throws {
        let (source, index, calls) = try await source(3)
        let destination = try FakeRepository(.destination, "to/app", calls)
        await destination.change { for blob in index.blobs { $0.blobs.insert(blob.digest) } }
        let outlines = index.manifests.map { $0.digest == index.digest ? $0 : $0.outline() }
        let plan = Plan(
            source: source.reference,
            destination: destination.reference,
            root: index.root,
            tags: [.init(tag: try Tag(parsing: "v1"), digest: index.digest, action: .set, isReferrer: false)],
            manifests: outlines.map {
                .init(manifest: $0, role: $0.digest == index.digest ? .root : .child, isThere: false)
            },
            blobs: [],
            blobsThere: index.blobs.count,
            blobsElsewhere: [],
            notes: [],
            createsRepository: false,
            referrerManifests: [:]
        )
        let bench = try Bench()
        let copier = Copier(
            plan: plan,
            source: source,
            state: DestinationState(destination, isSource: false),
            mover: bench.mover(),
            options: CopyOptions(),
            report: { _ in }
        )
        _ = try await copier.run()
        #expect(await destination.holds(index))
        #expect(calls.count("from/app read ") == 3)
    }

    @Test("Large manifests are put one at a time")
    func oneAtATime() async throws {
        let queue = WaitQueue<Int, Void, Bool>()
        let steps = CallLog()
        try await (0..<50).forEachConcurrently(limit: 50) { number in
            try? await queue.inTurn {
                #expect(steps.count("enter") == steps.count("leave"))
                steps.note("enter")
                await Task.yield()
                steps.note("leave")
                if number % 3 == 0 { throw CancellationError() }
            }
        }
        #expect(steps.count("leave") == 50)
    }
}

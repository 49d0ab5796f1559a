import Platform
import TestClouds
import Testing

@testable import Replicate

/// One download for several destinations, on a clock on which nothing is waited for once a destination is ready.
@Suite("A shared download", .timeLimit(.minutes(1)))
struct SharedDownloadTests {
    private let blob = FakeImage.blob("layer")

    /// A mover, the source, and two destinations that both want the blob.
    private struct Scene {
        let bench: Bench
        let mover: BlobMover
        let first: FakeRepository
        let second: FakeRepository
    }

    /// - Parameter registry: The first destination's registry.
    private func scene(registry: String? = nil) async throws -> Scene {
        let bench = try Bench(registry: registry)
        await bench.source.change { [blob] in $0.blobs.insert(blob.digest) }
        let second = try FakeRepository(.destination, "second/app", bench.calls, registry: "second.test")
        bench.relay.connect(second)
        let mover = bench.impatientMover()
        for place in [bench.destination, second] { mover.index.want([blob], from: bench.source, at: place) }
        return Scene(bench: bench, mover: mover, first: bench.destination, second: second)
    }

    private func move(_ scene: Scene) async throws -> String {
        try await scene.mover.move(BlobTransfer(blob, from: scene.bench.source, to: scene.first)).name
    }

    /// Lets the second destination's first upload open only when `open` ends.
    private func delay(_ scene: Scene, until open: AsyncStream<Void>) async {
        let isFirst = Lock(true)
        await scene.second.change { place in
            place.gate = { call in
                let waits = isFirst.withLock { first in
                    defer { first = false }
                    return first
                }
                guard call.hasPrefix("start"), waits else { return }
                for await _ in open {}
            }
        }
    }

    @Test("a destination that mounts the blob does not wait for one that never answers")
    func mountsBesideSilence() async throws {
        let scene = try await scene(registry: "source.test")
        await scene.first.change { $0.mounts = ["from/app"] }
        let (open, opening) = AsyncStream<Void>.makeStream()
        await delay(scene, until: open)
        #expect(try await move(scene) == "mounted from from/app")
        opening.finish()
        await scene.mover.late.settle(.seconds(30), ContinuousClock())
        #expect(await scene.second.openUploads.isEmpty)
    }

    @Test("a source's refusal does not wait for a destination that never answers")
    func refusalBesideSilence() async throws {
        let scene = try await scene()
        await scene.bench.source.refuse("source", .archived)
        let (open, opening) = AsyncStream<Void>.makeStream()
        await delay(scene, until: open)
        let error = await #expect(throws: CopyError.self) { try await move(scene) }
        #expect(error?.reason == .archived && error?.side == .source)
        #expect(await scene.first.openUploads.isEmpty)
        opening.finish()
        await scene.mover.late.settle(.seconds(30), ContinuousClock())
        #expect(await scene.second.openUploads.isEmpty)
    }

    @Test("a destination whose upload is open is waited for while its requests are paced")
    func paced() async throws {
        let scene = try await scene()
        let (opened, hasOpened) = AsyncStream<Void>.makeStream()
        let (paced, isPaced) = AsyncStream<Void>.makeStream()
        await scene.first.change { place in
            place.gate = { call in
                if call.hasPrefix("start") { for await _ in opened {} }
            }
        }
        await scene.second.change { place in
            place.beforeSending = {
                hasOpened.finish()
                for await _ in paced {}
            }
        }
        await scene.first.change { place in place.beforeSending = { isPaced.finish() } }
        #expect(try await move(scene) == "moved")
        #expect(scene.bench.calls.lines("relay ") == ["\(blob.digest.short) x2"])
        #expect(scene.bench.calls.count("second/app start") == 1)
    }

    @Test("an upload that is being opened when the run is cancelled is closed once it is open")
    func cancelled() async throws {
        let scene = try await scene()
        let (open, opening) = AsyncStream<Void>.makeStream()
        let (blocked, isBlocked) = AsyncStream<Void>.makeStream()
        await scene.second.change { place in
            place.gate = { call in
                guard call.hasPrefix("start") else { return }
                isBlocked.finish()
                await Task { for await _ in open {} }.value
            }
        }
        await scene.first.fail("start", CopyErrorForTests.unreachable(scene.first))
        let task = Task { try await move(scene) }
        for await _ in blocked {}
        task.cancel()
        await #expect(throws: (any Error).self) { try await task.value }
        opening.finish()
        await scene.mover.late.settle(.seconds(30), ContinuousClock())
        #expect(scene.bench.calls.count("second/app start") == 1)
        #expect(scene.bench.calls.count("second/app close") == 1)
        #expect(await scene.second.openUploads.isEmpty)
    }
}

private enum CopyErrorForTests {
    static func unreachable(_ place: FakeRepository) -> CopyError {
        CopyError(.unreachable("refused"), side: place.side, image: "\(place.reference)", operation: "uploading")
    }
}

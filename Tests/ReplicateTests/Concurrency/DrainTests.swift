import Content
import Platform
import Reporting
import Testing
import Wire

@testable import Replicate

/// A run that is asked to end: nothing is begun, what is under way is finished, and what is left is said.
@Suite("A drain", .timeLimit(.minutes(1)))
struct DrainTests {
    @Test("tells those who want to know, once, and who comes later at once")
    func tells() throws {
        let drain = Drain()
        let told = Lock<[String]>([])
        drain.onDrain { told.withLock { $0.append("first") } }
        let second = drain.onDrain { told.withLock { $0.append("second") } }
        drain.onDrain { told.withLock { $0.append("third") } }
        drain.forget(second)
        try drain.checkOpen()
        drain.begin()
        drain.begin()
        #expect(told.withLock { $0 } == ["first", "third"])
        drain.onDrain { told.withLock { $0.append("late") } }
        #expect(told.withLock { $0 } == ["first", "third", "late"])
        #expect(drain.isDraining)
        #expect(throws: Drained()) { try drain.checkOpen() }
    }

    @Test("calls off what only reads, and waits on its clock")
    func abandons() async throws {
        let drain = Drain()
        #expect(try await drain.abandoning { 1 } == 1)
        await #expect(throws: Drained()) {
            try await drain.abandoning {
                drain.begin()
                try await Task.sleep(for: .seconds(3_600))
            }
        }
        await #expect(throws: Drained()) { try await drain.abandoning { Issue.record("begun") } }

        let other = Drain()
        let clock = ContinuousClock().until(other)
        let sleeper = Task { try await clock.sleep(for: .seconds(3_600)) }
        other.begin()
        await #expect(throws: Drained()) { try await sleeper.value }
    }

    @Test("leaves cancellation what it is")
    func cancelled() async {
        let drain = Drain()
        let task = Task {
            try await drain.abandoning {
                withUnsafeCurrentTask { $0?.cancel() }
                try await Task.sleep(for: .seconds(3_600))
            }
        }
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test("ends a loop without disturbing what it has begun")
    func loops() async {
        let begun = Lock<[Int]>([])
        let finished = Lock<[Int]>([])
        let (stream, gate) = AsyncStream<Void>.makeStream()
        await #expect(throws: Drained()) {
            try await (0..<10).forEachConcurrently(limit: 2) { number in
                begun.withLock { $0.append(number) }
                if number == 1 {
                    gate.yield()
                    throw Drained()
                }
                for await _ in stream { break }
                try Task.checkCancellation()
                finished.withLock { $0.append(number) }
            }
        }
        #expect(begun.withLock { $0 }.sorted() == [0, 1])
        #expect(finished.withLock { $0 } == [0])
    }

    @Test("lets a blob that moves arrive, begins no other, and says what is left")
    func blobs() async throws {
        let drain = Drain()
        let bench = try Bench(jobs: 1) { drain.begin() }
        let image = try FakeImage.image("app", layers: ["base", "app"])
        await bench.source.change { try? $0.seed(image, tag: "v1") }
        let results = try await bench.copy(":v1", replicator: bench.replicator(drain: drain))

        guard results.count == 1, case .cancelled(_, _, let left?) = results[0] else {
            Issue.record("\(results)")
            return
        }
        #expect(bench.journal.count("relay") == 1)
        #expect(await bench.destination.blobs.count == 1)
        let here = await bench.destination.blobs
        let rest = image.blobs.filter { !here.contains($0.digest) }
        #expect(left == CopyResult.Remainder(blobs: 2, bytes: rest.reduce(0) { $0 + $1.size }, manifests: 1))
        #expect(bench.journal.count("to/app put") == 0)
        #expect(await bench.destination.openUploads.isEmpty)

        bench.journal.clear()
        let next = try await bench.copy(":v1", replicator: bench.replicator())
        #expect(ExitStatus.of(next) == 0)
        #expect(bench.journal.count("relay") == 2, "only what was left")
        #expect(await bench.destination.holds(image))
    }

    @Test("finishes an image whose last blobs are under way, of an index too")
    func lastBlobs() async throws {
        let drain = Drain()
        let entered = Lock(0)
        // All six are under way before the drain begins.
        let bench = try Bench(jobs: 6) {
            if entered.withLock({
                $0 += 1; return $0
            }) == 6 {
                drain.begin()
            }
            while !drain.isDraining { await Task.yield() }
        }
        let index = try FakeImage.index([
            ("linux/amd64", try FakeImage.image("a", layers: ["one", "two"])),
            ("linux/arm64", try FakeImage.image("b", layers: ["three", "four"])),
        ])
        await bench.source.change { try? $0.seed(index, tag: "v1") }
        let results = try await bench.copy(":v1", replicator: bench.replicator(drain: drain))
        #expect(ExitStatus.of(results) == 0, "\(results)")
        #expect(await bench.destination.holds(index))
        #expect(try await bench.destination.tag("v1") == index.digest)
    }

    @Test("begins no image that has not begun, whatever it lacks")
    func images() async throws {
        let drain = Drain()
        let bench = try Bench()
        let images = try (0..<20).map { try FakeImage.image("\($0)", layers: ["layer \($0)"]) }
        await bench.source.change { source in
            for (number, image) in images.enumerated() { try? source.seed(image, tag: "v\(number)") }
            source.listed = images.enumerated().map { ListedImage(digest: $1.digest, tags: [known("v\($0)")]) }
        }
        await bench.destination.change { destination in
            for image in images { destination.blobs.formUnion(image.blobs.map(\.digest)) }
        }
        await bench.destination.before("put") { _ in drain.begin() }
        let results = try await bench.repositoryCopy("", replicator: bench.replicator(drain: drain)).copyMany(
            TagFilter()
        )
        let done = results.count { if case .done = $0 { true } else { false } }
        let stopped = results.count { if case .cancelled = $0 { true } else { false } }
        #expect(done + stopped == 20)
        #expect((1...CopyRun.parallelImages).contains(done), "those that had begun: \(done)")
        #expect(await bench.destination.tags.count == done)
        #expect(ExitStatus.of(results) == 1)
    }

    @Test("calls off the reading of a source that doesn't answer")
    func reading() async throws {
        let drain = Drain()
        let bench = try Bench()
        let image = try FakeImage.image("app")
        await bench.source.change { try? $0.seed(image, tag: "v1") }
        await bench.source.fail("read", CancellationError(), times: 9)
        await bench.source.before("read") { _ in drain.begin() }
        await #expect(throws: Drained()) { try await bench.copy(":v1", replicator: bench.replicator(drain: drain)) }
        #expect(bench.journal.count("to/app put") == 0)
    }

    @Test("begins no further try of a blob")
    func retries() async throws {
        let drain = Drain()
        let bench = try Bench { drain.begin() }
        let image = try FakeImage.image("app", layers: [])
        await bench.source.change { try? $0.seed(image, tag: "v1") }
        bench.relay.plan(image.blobs[0].digest, .outcome(.destinationAnswered(WireResponse(status: .badGateway))))
        let results = try await bench.copy(":v1", replicator: bench.replicator(drain: drain))
        guard case .cancelled(_, _, let left)? = results.first else {
            Issue.record("\(results)")
            return
        }
        #expect(left?.blobs == 1 && bench.journal.count("relay") == 1)
        #expect(await bench.destination.openUploads.isEmpty)
    }

    private func known(_ text: String) -> Content.Tag {
        guard let tag = try? Content.Tag(parsing: text) else { preconditionFailure(text) }
        return tag
    }
}

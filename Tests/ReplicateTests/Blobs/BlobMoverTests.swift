import Content
import HTTPTypes
import Platform
import Testing
import Wire

@testable import Replicate

@Suite("Moving a blob")
struct BlobMoverTests {
    private let blob = FakeImage.blob("layer")

    private func bench(registry: String? = nil) async throws -> Bench {
        let bench = try Bench(registry: registry)
        await bench.source.change { [blob] in $0.blobs.insert(blob.digest) }
        return bench
    }

    private func move(_ bench: Bench, attempts: Int = 8) async throws -> BlobMover.Arrival {
        try await bench.mover(attempts: attempts).move(BlobTransfer(blob, from: bench.source, to: bench.destination))
    }

    private func answer(_ status: Int, _ fields: HTTPFields = [:]) -> WireResponse {
        WireResponse(status: .init(code: status), fields: fields, body: Array("words".utf8))
    }

    private func cut(_ end: WireError.End, _ reason: WireError.Reason = .disconnected) -> WireError {
        WireError(reason, "gone", end: end)
    }

    @Test("A move costs one source address, one upload and one relay")
    func plainly() async throws {
        let bench = try await bench()
        #expect(try await move(bench).name == "moved")
        #expect(
            Set(bench.calls.lines.prefix(2)) == [
                "from/app source \(blob.digest.short)", "to/app start \(blob.digest.short)",
            ]
        )
        #expect(bench.calls.lines.count == 3)
    }

    @Test("A failed relay is retried with a new upload after a growing wait")
    func retries() async throws {
        let bench = try await bench()
        bench.relay.script(
            blob.digest,
            .failure(cut(.source)),
            .failure(cut(.destination)),
            .outcome(.destinationAnswered(answer(503, [.retryAfter: "7"])))
        )
        #expect(try await move(bench).name == "moved")
        #expect(bench.waits.withLock { $0 } == [.milliseconds(200), .milliseconds(400), .milliseconds(7_200)])
        #expect(bench.calls.lines("to/app close ") == ["1", "2", "3"])
        #expect(bench.calls.count("to/app missing") == 3, "the answer to an attempt may have been lost")
        let restarts = bench.events.withLock { $0.count { if case .blobRestarted = $0 { true } else { false } } }
        #expect(restarts == 3)
        #expect(await bench.destination.openUploads == [])
    }

    @Test("A blob counts as moved when only the answer was lost")
    func lostAnswer() async throws {
        let bench = try await bench()
        bench.relay.script(blob.digest, .lostAnswer)
        #expect(try await move(bench).name == "moved")
        #expect(bench.calls.count("relay") == 1)
    }

    @Test(
        "After the last attempt the error names the side that failed",
        arguments: [WireError.End.source, .destination]
    )
    func givesUp(end: WireError.End) async throws {
        let bench = try await bench()
        bench.relay.script(blob.digest, .failure(cut(end)), .failure(cut(end)), .failure(cut(end)))
        let error = await #expect(throws: CopyError.self) { try await move(bench, attempts: 3) }
        #expect(error?.reason == .unreachable("gone"))
        #expect(error?.side == (end == .source ? .source : .destination))
        #expect(error?.operation == (end == .source ? "downloading \(blob.digest)" : "uploading \(blob.digest)"))
        #expect(bench.calls.count("relay") == 3)
        #expect(await bench.destination.openUploads == [])
    }

    @Test("A refused blob is reported as given up, not as restarted")
    func givenUp() async throws {
        let bench = try await bench()
        bench.relay.script(blob.digest, .outcome(.destinationAnswered(answer(400))))
        await #expect(throws: CopyError.self) { try await move(bench) }
        let events = bench.events.withLock { $0 }
        #expect(events.count { if case .blobGivenUp = $0 { true } else { false } } == 1)
        #expect(events.count { if case .blobRestarted = $0 { true } else { false } } == 0)
    }

    @Test("An expired address is replaced, up to three addresses in all")
    func freshAddress() async throws {
        let bench = try await bench()
        bench.relay.script(blob.digest, .outcome(.sourceAnswered(answer(403))), .outcome(.sourceAnswered(answer(400))))
        #expect(try await move(bench).name == "moved")
        #expect(
            bench.calls.lines("from/app ")
                == ["source \(blob.digest.short)", "refused 403", "source \(blob.digest.short)", "refused 400"]
                + ["source \(blob.digest.short)"],
            "the source learns of the refusal first, so that it can renew a token"
        )
        #expect(bench.calls.count("to/app start") == 1, "nothing had been uploaded, so the upload is used again")

        let never = try await self.bench()
        for _ in 0..<3 { never.relay.script(blob.digest, .outcome(.sourceAnswered(answer(403)))) }
        let error = await #expect(throws: CopyError.self) { try await move(never) }
        #expect(error?.reason == .rejected(code: "HTTP 403", text: "the layer's host refuses"))
        #expect(error?.side == .source && never.calls.count("relay") == 3)
        #expect(await never.destination.openUploads == [])
    }

    @Test("A blob missing at the source is not requested again")
    func notThere() async throws {
        let bench = try Bench()
        let error = await #expect(throws: CopyError.self) { try await move(bench) }
        #expect(error?.reason == .blobMissing(blob.digest) && error?.side == .source)
        #expect(bench.calls.count("from/app source") == 1)
    }

    @Test("Five redirects are followed, a sixth is refused", arguments: [5, 6])
    func redirects(hops: Int) async throws {
        let bench = try await bench()
        for hop in 1...hops {
            // The last one leads back to the source, which has the bytes.
            let path = hop == 5 ? "https://source.test/from/app/last" : "https://cdn\(hop).test/b?secret=s"
            bench.relay.script(blob.digest, .outcome(.sourceAnswered(answer(307, [.location: path]))))
        }
        if hops == 5 {
            #expect(try await move(bench).name == "moved")
            #expect(bench.relay.urls.last == "https://source.test/from/app/last")
        } else {
            let error = await #expect(throws: CopyError.self) { try await move(bench) }
            #expect(error.map { "\($0)".contains("more than 5 redirects") } == true && error?.side == .source)
        }
        #expect(await bench.destination.openUploads == [])
    }

    @Test("A redirect to plain http is not followed")
    func downgrade() async throws {
        let bench = try await bench()
        let location: HTTPFields = [.location: "http://cdn.test/b?secret=s"]
        bench.relay.script(blob.digest, .outcome(.sourceAnswered(answer(302, location))))
        let error = try #require(await #expect(throws: CopyError.self) { try await move(bench) })
        guard case .rejected("redirect not followed", _) = error.reason else { return #expect(Bool(false), "\(error)") }
        #expect(!"\(error)".contains("secret"))
        #expect(bench.calls.count("relay") == 1)
    }

    @Test(
        "Wrong bytes from the source count as damage after three attempts",
        arguments: [
            WireError.Reason.corrupt, .tooShort, .tooLong,
        ]
    )
    func corrupt(_ reason: WireError.Reason) async throws {
        let bench = try await bench()
        for _ in 0..<3 { bench.relay.script(blob.digest, .failure(cut(.source, reason))) }
        let error = await #expect(throws: CopyError.self) { try await move(bench) }
        #expect(error?.reason == .corrupt(expected: blob.digest, detail: "gone"))
        #expect(error?.side == .source && bench.calls.count("relay") == 3)
        #expect(await bench.destination.blobs.isEmpty)

        let once = try await self.bench()
        once.relay.script(blob.digest, .failure(cut(.source, reason)))
        #expect(try await move(once).name == "moved")
    }

    @Test("A refusal that advises against a retry is not retried")
    func refusal() async throws {
        let bench = try await bench()
        bench.relay.script(blob.digest, .outcome(.destinationAnswered(answer(400))))
        let error = await #expect(throws: CopyError.self) { try await move(bench) }
        #expect(error?.reason == .rejected(code: "HTTP 400", text: "as told") && error?.side == .destination)
        #expect(bench.calls.count("relay") == 1)
    }

    @Test("A refusal that can't be explained is still a failure")
    func unexplained() async throws {
        let bench = try await bench()
        bench.relay.script(blob.digest, .outcome(.destinationAnswered(answer(401))))
        await bench.destination.refuse("explain", .noCredentials("no token"))
        let error = await #expect(throws: CopyError.self) { try await move(bench) }
        #expect(error?.reason == .noCredentials("no token"))
        #expect(await bench.destination.openUploads == [])
    }

    @Test("The upload is closed when the source gives no address")
    func noAddress() async throws {
        let bench = try await bench()
        await bench.source.refuse("source", .archived)
        let error = await #expect(throws: CopyError.self) { try await move(bench) }
        #expect(error?.reason == .archived)
        #expect(await bench.destination.openUploads == [])
    }

    @Test("A cancelled move closes its upload from a task that is not cancelled")
    func cancelled() async throws {
        let (stream, entered) = AsyncStream<Void>.makeStream()
        let bench = try Bench {
            entered.yield()
            try await Task.sleep(for: .seconds(600))
        }
        let task = Task { [blob] in
            try await bench.mover().move(BlobTransfer(blob, from: bench.source, to: bench.destination))
        }
        for await _ in stream { break }
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(bench.calls.lines("to/app close ") == ["1"])
        #expect(await bench.destination.openUploads == [])
    }

    @Test("Concurrent moves of one blob to one destination share a transfer, which one of them reports")
    func singleFlight() async throws {
        let bench = try await bench()
        let mover = bench.mover()
        let arrivals = try await (0..<10).mapConcurrently(limit: 10) { [blob] _ in
            try await mover.move(BlobTransfer(blob, from: bench.source, to: bench.destination)).name
        }
        #expect(arrivals.sorted() == ["moved"] + Array(repeating: "there", count: 9))
        #expect(bench.calls.count("relay") == 1)

        let other = try FakeRepository(.destination, "other/app", bench.calls, registry: "other.test")
        bench.relay.connect(other)
        #expect(try await mover.move(BlobTransfer(blob, from: bench.source, to: other)).name == "moved")
    }

    @Test("No more relays are in flight than jobs allow", arguments: [1, 3])
    func permits(jobs: Int) async throws {
        let bench = try Bench(jobs: jobs) { for _ in 0..<50 { await Task.yield() } }
        let blobs = (0..<20).map { FakeImage.blob("\($0)") }
        await bench.source.change { $0.blobs.formUnion(blobs.map(\.digest)) }
        let mover = bench.mover()
        try await blobs.forEachConcurrently(limit: 20) {
            _ = try await mover.move(BlobTransfer($0, from: bench.source, to: bench.destination))
        }
        #expect(bench.relay.most == jobs)
    }

    @Test("A blob is mounted from the source within one registry")
    func mountsFromSource() async throws {
        let bench = try await bench(registry: "source.test")
        await bench.destination.change { $0.mounts = ["from/app"] }
        #expect(try await move(bench).name == "mounted from from/app")
        #expect(bench.calls.lines == ["to/app start \(blob.digest.short) from from/app"])
    }

    @Test("A blob is mounted from a sibling repository that this run has copied to")
    func mountsFromSibling() async throws {
        let bench = try await bench()
        let sibling = try FakeRepository(.destination, "sibling", bench.calls, registry: "destination.test")
        bench.relay.connect(sibling)
        await sibling.change { $0.mounts = ["to/app"] }
        let mover = bench.mover()
        _ = try await mover.move(BlobTransfer(blob, from: bench.source, to: bench.destination))
        #expect(
            try await mover.move(BlobTransfer(blob, from: bench.source, to: sibling)).name == "mounted from to/app"
        )
        #expect(bench.calls.count("relay") == 1)
    }

    @Test("A declined mount continues as an upload, and after two declines no mount is requested")
    func declines() async throws {
        let bench = try Bench(registry: "source.test")
        let blobs = (0..<4).map { FakeImage.blob("\($0)") }
        await bench.source.change { $0.blobs.formUnion(blobs.map(\.digest)) }
        let mover = bench.mover()
        for blob in blobs {
            #expect(
                try await mover.move(BlobTransfer(blob, from: bench.source, to: bench.destination)).name == "moved"
            )
        }
        let starts = bench.calls.lines("to/app start ").map { $0.hasSuffix("from from/app") }
        #expect(starts == [true, true, false, false])
    }
}

extension BlobMover.Arrival {
    var name: String {
        switch self {
        case .moved: "moved"
        case .mounted(let from): "mounted from \(from)"
        case .wasThere: "there"
        }
    }
}

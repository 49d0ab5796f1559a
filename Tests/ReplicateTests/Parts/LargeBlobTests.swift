import Content
import Platform
import Reporting
import Testing

@testable import Replicate
@testable import Wire

@Suite("Choosing uploads in parts", .timeLimit(.minutes(1)))
struct LargeBlobTests {
    @Test(
        "auto sends large blobs in parts, api sends all of them, registry none",
        arguments: [
            (UploadOptions.Mode.auto, 35, true), (.auto, 36, false), (.api, 99, true), (.registry, 1, false),
        ] as [(UploadOptions.Mode, Int64, Bool)]
    )
    func modes(_ mode: UploadOptions.Mode, _ above: Int64, _ takes: Bool) async throws {
        let bench = try PartBench(35)
        let large = bench.large(mode, above: above)
        #expect(large.takes(bench.blob, to: bench.destination) == takes)
        #expect(try await bench.upload(large) == (takes ? "moved" : nil))
        #expect(bench.calls.lines.isEmpty == !takes, "a blob that does not go in parts sends no request")
        #expect(!large.takes(bench.blob, to: bench.source), "a registry without parts")
    }

    @Test("An empty blob does not go in parts")
    func empty() async throws {
        let bench = try PartBench(0)
        #expect(try await bench.upload(bench.large(.api, above: 0)) == nil)
        #expect(try await bench.upload(bench.large(.auto, above: 0)) == nil)
        #expect(bench.calls.lines.isEmpty)
    }

    @Test("--upload api is refused if the destination has no uploads in parts")
    func noParts() async throws {
        let bench = try PartBench()
        let error = await #expect(throws: CopyError.self) {
            try await bench.large(.api).upload(BlobTransfer(bench.blob, from: bench.destination, to: bench.source))
        }
        #expect(error?.cause == "uploads through the API need ECR as the destination")
        #expect(error?.remedy == "leave out --upload api")
    }

    @Test("A blob too large for parts goes by the registry with a warning, or is refused with api")
    func tooLarge() async throws {
        let bench = try PartBench()
        let huge = Descriptor(mediaType: .ociLayer, digest: bench.blob.digest, size: PartPlan.largestBlob + 1)
        #expect(try await bench.large().upload(BlobTransfer(huge, from: bench.source, to: bench.destination)) == nil)
        #expect(
            bench.log.lines.contains {
                $0.hasPrefix("warning: \(huge.digest) has 44.0 GB, and that is too much for 4200 parts")
            },
            "\(bench.log.lines)"
        )
        let error = await #expect(throws: CopyError.self) {
            try await bench.large(.api).upload(BlobTransfer(huge, from: bench.source, to: bench.destination))
        }
        #expect(error?.cause == "\(huge.digest) has 44.0 GB, and that is too much for 4200 parts")
        #expect(error?.remedy == "leave out --upload api")
        #expect(bench.calls.lines.isEmpty)

        // The part size in the registry's answer counts, not the documented one.
        let answered = Descriptor(mediaType: .ociLayer, digest: bench.blob.digest, size: 42_001)
        #expect(
            try await bench.large().upload(BlobTransfer(answered, from: bench.source, to: bench.destination)) == nil
        )
        #expect(bench.calls.lines == ["begin 1"])
    }

    @Test(
        "A blob whose source has no ranges goes by the registry with a log line, or is refused with api",
        arguments: [UploadOptions.Mode.auto, .api]
    )
    func noRanges(_ mode: UploadOptions.Mode) async throws {
        let bench = try PartBench()
        bench.host.script(.whole)
        if mode == .auto {
            #expect(try await bench.upload() == nil)
            #expect(
                bench.log.lines.contains {
                    $0.contains(
                        "the source sends no ranges; it goes through the "
                            + "registry"
                    )
                }
            )
        } else {
            let error = await #expect(throws: CopyError.self) { try await bench.upload(bench.large(.api)) }
            guard case .unsupported? = error?.reason else {
                Issue.record("\(String(describing: error))")
                return
            }
        }
        #expect(bench.calls.count("part ") == 0)
    }

    @Test("Two large blobs move at a time, and small ones don't wait for them")
    func places() async throws {
        let bench = try PartBench()
        let large = bench.large()
        let wire = Admission(jobs: nil)
        let (inside, most) = (Lock(0), Lock(0))
        try await (0..<12).forEachConcurrently(limit: 12) { number in
            let blob = Descriptor(mediaType: .ociLayer, digest: Digest(of: [UInt8(number)]), size: 1)
            try await large.withPlace(for: blob, at: bench.destination, on: wire) {
                let count = inside.withLock { count in
                    count += 1
                    return count
                }
                most.withLock { $0 = max($0, count) }
                for _ in 0..<20 { await Task.yield() }
                inside.withLock { $0 -= 1 }
            }
        }
        #expect(most.withLock { $0 } == 2)

        // Both places stay taken until the small blob has moved.
        let small = Descriptor(mediaType: .ociLayer, digest: .ofNothing, size: 0)
        let other = Descriptor(mediaType: .ociLayer, digest: Digest(of: []), size: 1)
        try await large.withPlace(for: bench.blob, at: bench.destination, on: wire) {
            try await large.withPlace(for: other, at: bench.destination, on: wire) {
                try await large.withPlace(for: small, at: bench.destination, on: wire) {}
                // One blob for several destinations takes one place.
                try await large.withPlace(for: bench.blob, at: bench.source, on: wire) {
                    try await large.withPlace(for: other, at: bench.source, on: wire) {}
                }
            }
        }
    }
}

@Suite("Resuming an upload in parts", .timeLimit(.minutes(1)))
struct ResumedUploadTests {
    /// Uploads until the third part fails for good.
    private func interrupt(_ bench: PartBench, _ directory: String) async throws {
        bench.host.script([nil, nil, .status(404), .status(404)])
        await #expect(throws: CopyError.self) { try await bench.upload(bench.large(state: directory)) }
        #expect(bench.parts == ["1 0+10", "1 10+10"])
        #expect(files(in: directory).contains { $0.hasSuffix(".json") })
        bench.calls.clear()
        bench.events.withLock { $0 = [] }
    }

    @Test("A resumed upload reads and sends only the rest and leaves no journal entry")
    func resumes() async throws {
        try await withStateDirectory { directory in
            let bench = try PartBench()
            try await interrupt(bench, directory)
            #expect(try await bench.upload(bench.large(state: directory)) == "moved")
            #expect(bench.gets == ["bytes=20-29", "bytes=30-34"])
            #expect(bench.parts == ["1 20+10", "1 30+5"])
            #expect(bench.calls.count("begin") == 0)
            #expect(await bench.isStored())
            #expect(bench.progress == 35)
            let resumed = bench.events.withLock { events in
                events.contains { if case .blobResumed(_, _, let place) = $0 { place == 20 } else { false } }
            }
            #expect(resumed)
            #expect(files(in: directory) == [])
        }
    }

    @Test("An upload that the registry has forgotten starts over")
    func gone() async throws {
        try await withStateDirectory { directory in
            let bench = try PartBench()
            try await interrupt(bench, directory)
            await bench.uploads.forget()
            #expect(try await bench.upload(bench.large(state: directory)) == "moved")
            #expect(bench.calls.lines("begin ") == ["2"])
            #expect(bench.parts == ["1 20+10", "2 0+10", "2 10+10", "2 20+10", "2 30+5"])
            #expect(await bench.isStored())
            #expect(bench.progress == 35)
            #expect(files(in: directory) == [])
        }
    }

    @Test("A resumed upload continues where the registry stands, whatever the journal says", arguments: [0, 7, 15, 30])
    func corrected(to place: Int) async throws {
        try await withStateDirectory { directory in
            let bench = try PartBench()
            try await interrupt(bench, directory)
            await bench.uploads.set(Array(bench.bytes[..<place]), of: "1")
            #expect(try await bench.upload(bench.large(state: directory)) == "moved")
            #expect(await bench.isStored())
            #expect(bench.progress == 35)
            #expect(bench.calls.count("begin") == 0)
        }
    }

    @Test("A resumed upload whose parts had all arrived is only completed")
    func complete() async throws {
        try await withStateDirectory { directory in
            let bench = try PartBench(20)
            let key = UploadKey(bench.blob, to: bench.destination)
            let upload = try await bench.uploads.begin()
            await bench.uploads.take(0..<20, of: bench.bytes)
            do {
                let journal = UploadJournal(directory: directory, logger: bench.log.logger)
                try #require(journal.claim(key)).record(UploadEntry(key, upload, nextByte: 20))
            }
            bench.calls.clear()
            #expect(try await bench.upload(bench.large(state: directory)) == "moved")
            #expect(bench.calls.lines == ["complete 1"])
            #expect(await bench.isStored())
        }
    }

    @Test("A resumed upload with wrong bytes is refused and starts over with every byte hashed")
    func wrongHalf() async throws {
        try await withStateDirectory { directory in
            let bench = try PartBench()
            try await interrupt(bench, directory)
            await bench.uploads.set(Array(repeating: 0, count: 20), of: "1")
            #expect(try await bench.upload(bench.large(state: directory)) == "moved")
            #expect(bench.calls.lines("complete ") == ["1", "2"])
            #expect(bench.calls.lines("begin ") == ["2"])
            #expect(await bench.isStored())
        }
    }

    @Test("An upload that another process holds is left alone, and this process uploads separately")
    func locked() async throws {
        try await withStateDirectory { directory in
            let bench = try PartBench()
            try await interrupt(bench, directory)
            let before = files(in: directory)
            let other = UploadJournal(directory: directory, logger: bench.log.logger)
            let held = try #require(other.claim(UploadKey(bench.blob, to: bench.destination)))
            #expect(try await bench.upload(bench.large(state: directory)) == "moved")
            #expect(bench.calls.lines("begin ") == ["2"])
            #expect(files(in: directory) == before)
            #expect(held.found?.nextByte == 20)
        }
    }

    @Test("A cancelled upload is resumed by the next run")
    func cancelled() async throws {
        try await withStateDirectory { directory in
            let bench = try PartBench()
            let (start, gate) = AsyncStream<Void>.makeStream()
            let running = Lock<Task<String?, any Error>?>(nil)
            await bench.uploads.at(part: 3) { _ in
                running.withLock { $0?.cancel() }
                return nil
            }
            let task = Task {
                for await _ in start {}
                return try await bench.upload(bench.large(state: directory))
            }
            running.withLock { $0 = task }
            gate.finish()
            await #expect(throws: CancellationError.self) { try await task.value }

            bench.calls.clear()
            #expect(try await bench.upload(bench.large(state: directory)) == "moved")
            #expect(bench.gets == ["bytes=30-34"] && bench.parts == ["1 30+5"])
            #expect(await bench.isStored())
        }
    }
}

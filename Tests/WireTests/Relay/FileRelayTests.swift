import Content
import Dispatch
import Glibc
import HTTPTypes
import Platform
import TestPrograms
import Testing

@testable import Wire

@Suite("Files as ends of a relay", .timeLimit(.minutes(1)))
struct FileRelayTests {
    private func request(_ bytes: [UInt8], _ source: RelaySource, _ sinks: RelaySink...) -> RelayRequest {
        RelayRequest(source: source, sinks: sinks, digest: Digest(of: bytes), size: Int64(bytes.count))
    }

    private func file(_ path: String) throws -> RelaySource {
        .file(FileRegion(allOf: try #require(try ByteFile(regular: path))))
    }

    @Test("a part of a file is relayed like a file, and never more than that part")
    func part() async throws {
        let bytes = sampleBytes(1_000_000)
        try await withScratchDirectory { folder in
            try DurableFile.write(bytes, to: "\(folder)/archive")
            let archive = try #require(try ByteFile(regular: "\(folder)/archive"))
            try await withTransport { transport in
                for (offset, count) in [(0, 1), (512, 700_000), (999_999, 1), (1_000_000, 0)] {
                    let part = Array(bytes[offset..<offset + count])
                    let source = FileRegion(archive, offset: Int64(offset), byteCount: Int64(count))
                    let outcome = try await transport.relayOne(
                        request(part, .file(source), .file("\(folder)/part"))
                    )
                    #expect(outcome.stored?.status == .created)
                    #expect(try DurableFile.read("\(folder)/part", limit: 8 << 20) == part)
                }
                // An archive that was truncated after its size was read.
                let beyond = FileRegion(archive, offset: 999_999, byteCount: 3)
                let error = await wireError {
                    try await transport.relayOne(request([1, 2, 3], .file(beyond), .file("\(folder)/x")))
                }
                #expect(error?.reason == .tooShort && error?.end == .source)
            }
        }
    }

    @Test("a file is relayed to a server and to another file", arguments: [0, 1, 16_384, (3 << 20) + 7])
    func outwards(_ size: Int) async throws {
        let bytes = sampleBytes(size)
        let received = Received()
        try await withScratchDirectory { folder in
            try DurableFile.write(bytes, to: "\(folder)/blob")
            try await withServer(received.script) { server in
                try await withTransport { transport in
                    let sink = RelaySink.request(WireRequest(.put, try HTTPURL(server.url())))
                    let results = try await transport.relay(
                        request(bytes, file("\(folder)/blob"), sink, .file("\(folder)/copy"))
                    )
                    #expect(results.allSatisfy { (try? $0.get().stored) != nil })
                    #expect(received.all == [bytes])
                    #expect(try DurableFile.read("\(folder)/copy", limit: 8 << 20) == bytes)
                }
            }
        }
    }

    @Test("bytes in memory are relayed to a server and to a file", arguments: [0, 1, 2, 16_384, (1 << 20) + 7])
    func inHand(_ size: Int) async throws {
        let bytes = sampleBytes(size)
        let received = Received()
        try await withScratchDirectory { folder in
            try await withServer(received.script) { server in
                try await withTransport { transport in
                    let sink = RelaySink.request(WireRequest(.put, try HTTPURL(server.url())))
                    let results = try await transport.relay(
                        request(bytes, .bytes(bytes), sink, .file("\(folder)/copy"))
                    )
                    #expect(results.allSatisfy { (try? $0.get().stored) != nil })
                    #expect(received.all == [bytes])
                    #expect(try DurableFile.read("\(folder)/copy", limit: 8 << 20) == bytes)
                }
            }
        }
    }

    @Test(
        "bytes in memory with a wrong size or hash are not stored",
        arguments: [[], [1], [2, 2], [1, 2, 3]] as [[UInt8]]
    )
    func wrongInHand(_ wrong: [UInt8]) async throws {
        try await withScratchDirectory { folder in
            try await withTransport { transport in
                let results = try await transport.relay(request([1, 2], .bytes(wrong), .file("\(folder)/copy")))
                let error = #expect(throws: WireError.self) { try results[0].get() }
                #expect(error?.end == .source)
                #expect(names(in: folder) == [])
            }
        }
    }

    @Test("a download is stored in a file", arguments: [0, 1, (3 << 20) + 7])
    func inwards(_ size: Int) async throws {
        let bytes = sampleBytes(size)
        try await withScratchDirectory { folder in
            try await withServer(serving(bytes)) { server in
                try await withTransport { transport in
                    let source = RelaySource.request(WireRequest(.get, try HTTPURL(server.url())))
                    let outcome = try await transport.relayOne(request(bytes, source, .file("\(folder)/blob")))
                    #expect(outcome.stored?.status == .created)
                    #expect(try DurableFile.read("\(folder)/blob", limit: 8 << 20) == bytes)
                    #expect(names(in: folder) == ["blob"])
                }
            }
        }
    }

    @Test("nothing is left of a corrupt download")
    func corrupt() async throws {
        let bytes = sampleBytes(100_000)
        try await withScratchDirectory { folder in
            try await withServer(serving(sampleBytes(100_000, seed: 2))) { server in
                try await withTransport { transport in
                    let source = RelaySource.request(WireRequest(.get, try HTTPURL(server.url())))
                    let error = await wireError {
                        try await transport.relayOne(request(bytes, source, .file("\(folder)/blob")))
                    }
                    #expect(error?.reason == .corrupt)
                    #expect(names(in: folder).isEmpty)
                }
            }
        }
    }

    @Test("an error names the file that is too short or can't be created, and its end")
    func missing() async throws {
        try await withScratchDirectory { folder in
            try DurableFile.write([1, 2], to: "\(folder)/short")
            try await withTransport { transport in
                var error = await wireError {
                    try await transport.relayOne(request([1, 2, 3], file("\(folder)/short"), .file("\(folder)/x")))
                }
                #expect(error?.reason == .tooShort && error?.end == .source && error?.url == "\(folder)/short")
                error = await wireError {
                    try await transport.relayOne(request([1, 2], file("\(folder)/short"), .file("\(folder)/no/x")))
                }
                #expect(error?.reason == .file && error?.end == .destination && error?.url == "\(folder)/no/x")
                #expect(names(in: folder) == ["short"])
            }
        }
    }
}

@Suite("Files as ends of a relay, on a disk that is slow or full", .timeLimit(.minutes(1)))
struct SlowDiskTests {
    private let bytes = sampleBytes(3_000_000)

    private func request(_ source: RelaySource, _ sinks: RelaySink...) -> RelayRequest {
        RelayRequest(source: source, sinks: sinks, digest: Digest(of: bytes), size: Int64(bytes.count))
    }

    private func file(_ path: String) throws -> RelaySource {
        .file(FileRegion(allOf: try #require(try ByteFile(regular: path))))
    }

    /// A configuration with one driver, which calls `before` before each operation on a file.
    private func configuration(
        limitRate: Int64? = nil,
        _ before: @escaping @Sendable (FileStep, _ path: String) throws -> Void
    ) -> TransportConfiguration {
        var configuration = TransportConfiguration(relayDrivers: 1, limitRate: limitRate)
        configuration.files = .watched(before)
        return configuration
    }

    @Test(
        "a blocked operation delays neither a relay nor a message on the same driver",
        arguments: [FileStep.read, .create, .append, .commit]
    )
    func blocked(_ blocked: FileStep) async throws {
        let gate = Gate()
        let received = Received()
        let configuration = configuration { step, path in
            if step == blocked, path.hasSuffix("/held") || step == .read { gate.pass() }
        }
        try await withScratchDirectory { folder in
            try DurableFile.write(bytes, to: "\(folder)/blob")
            try await withServers(serving(bytes), received.script) { source, destination in
                try await withTransport(configuration) { transport in
                    async let held = transport.relayOne(request(file("\(folder)/blob"), .file("\(folder)/held")))
                    defer { gate.open() }
                    await gate.reached.wait()

                    let passing = try RelayRequest(bytes, from: source, to: destination)
                    #expect(try await transport.relayOne(passing).stored != nil)
                    let inHand = request(.bytes(bytes), .file("\(folder)/other"))
                    #expect(try await transport.relayOne(inHand).stored != nil)
                    var message = WireRequest(.get, try HTTPURL(source.url()))
                    message.travelsWithBlobs = true
                    message.largestAnswer = bytes.count
                    #expect(try await transport.send(message).body == bytes)
                    #expect(!names(in: folder).contains("held"))

                    gate.open()
                    #expect(try await held.stored?.status == .created)
                    #expect(try contents(of: "\(folder)/held") == bytes)
                    #expect(names(in: folder) == ["blob", "held", "other"])
                }
            }
        }
    }

    @Test(
        "a cancelled relay ends when its files are removed or committed",
        arguments: [FileStep.read, .create, .append, .commit]
    )
    func cancelled(_ blocked: FileStep) async throws {
        let gate = Gate()
        let hasEnded = Lock(false)
        let configuration = configuration { step, path in
            if step == blocked, path.hasSuffix("/held") || step == .read { gate.pass() }
        }
        try await withScratchDirectory { folder in
            try DurableFile.write(bytes, to: "\(folder)/blob")
            try await withTransport(configuration) { transport in
                let request = request(try file("\(folder)/blob"), .file("\(folder)/held"))
                let relay = Task {
                    defer { hasEnded.withLock { $0 = true } }
                    return try await transport.relay(request)
                }
                defer { gate.open() }
                await gate.reached.wait()
                relay.cancel()
                // The driver has processed the cancellation when a later relay is done.
                let next = self.request(.bytes(bytes), .file("\(folder)/next"))
                #expect(try await transport.relayOne(next).stored != nil)
                #expect(!hasEnded.withLock { $0 })

                gate.open()
                await #expect(throws: CancellationError.self) { try await relay.value }
                // A commit that has begun is not undone; the file is complete.
                let isCommitted = blocked == .commit
                #expect(names(in: folder) == (isCommitted ? ["blob", "held", "next"] : ["blob", "next"]))
                #expect(openFiles(in: folder) == [])
                if isCommitted { #expect(try contents(of: "\(folder)/held") == bytes) }
            }
        }
    }

    @Test("a transport that is shut down waits for a write in flight, and leaves nothing")
    func shutDown() async throws {
        let gate = Gate()
        let transport = try Transport(configuration { step, _ in if step == .append { gate.pass() } })
        try await withScratchDirectory { folder in
            let request = request(.bytes(bytes), .file("\(folder)/held"))
            async let error = wireError { try await transport.relay(request) }
            defer { gate.open() }
            await gate.reached.wait()
            async let shutdown: Void = withCheckedContinuation { continuation in
                DispatchQueue(label: "shutdown").async {
                    transport.shutdown()
                    continuation.resume()
                }
            }
            // When relays are refused, the command to stop is in the driver's inbox.
            while await wireError({ try await transport.relay(self.request(.bytes([]))) })?.reason != .closed {}
            gate.open()
            await shutdown
            #expect(await error?.reason == .closed)
            #expect(names(in: folder) == [])
            #expect(openFiles(in: folder) == [])
        }
    }

    @Test("a source that shrinks while it is read is too short, and nothing is left")
    func shrinks() async throws {
        try await withScratchDirectory { folder in
            let path = "\(folder)/blob"
            try DurableFile.write(bytes, to: path)
            let reads = Lock(0)
            let configuration = configuration { step, _ in
                guard step == .read,
                    reads.withLock({
                        $0 += 1; return $0
                    }) == 3
                else { return }
                #expect(truncate(path, 1_000_000) == 0)
            }
            try await withTransport(configuration) { transport in
                let error = await wireError {
                    try await transport.relayOne(request(file(path), .file("\(folder)/copy")))
                }
                #expect(error?.reason == .tooShort && error?.end == .source && error?.url == path)
                #expect(error?.detail == "ended after 1000000 bytes")
                #expect(names(in: folder) == ["blob"])
                #expect(openFiles(in: folder) == [])
            }
        }
    }

    @Test("a file that can't be written or committed fails alone, and leaves nothing", arguments: [true, false])
    func fails(_ isFull: Bool) async throws {
        let received = Received()
        let configuration = configuration { step, path in
            guard isFull, step == .append, path.hasSuffix("/taken") else { return }
            throw SystemError(call: "write", path: path, code: ENOSPC)
        }
        try await withScratchDirectory { folder in
            try DurableFile.write(bytes, to: "\(folder)/blob")
            // A file can't replace a directory.
            try makeDirectory("\(folder)/taken")
            try await withServer(received.script) { server in
                try await withTransport(configuration) { transport in
                    let results = try await transport.relay(
                        request(
                            file("\(folder)/blob"),
                            .file("\(folder)/copy"),
                            .file("\(folder)/taken"),
                            .request(WireRequest(.put, try HTTPURL(server.url())))
                        )
                    )
                    #expect((try? results[0].get().stored) != nil && (try? results[2].get().stored) != nil)
                    let error = #expect(throws: WireError.self) { try results[1].get() }
                    #expect(error?.reason == .file && error?.end == .destination && error?.url == "\(folder)/taken")
                    #expect(received.all == [bytes])
                    #expect(try contents(of: "\(folder)/copy") == bytes)
                    #expect(names(in: folder) == ["blob", "copy", "taken"])
                    #expect(openFiles(in: folder) == [])
                }
            }
        }
    }

    @Test("a blocked file is dropped when it keeps another destination waiting")
    func outpaced() async throws {
        let gate = Gate()
        let received = Received()
        var configuration = configuration { step, _ in if step == .append { gate.pass() } }
        configuration.patience = .milliseconds(200)
        try await withScratchDirectory { folder in
            try await withServers(serving(bytes), received.script) { source, destination in
                try await withTransport(configuration) { transport in
                    var request = try RelayRequest(bytes, from: source, to: destination)
                    request.sinks.append(.file("\(folder)/held"))
                    async let results = transport.relay(request)
                    defer { gate.open() }
                    while received.all.isEmpty { await Task.yield() }
                    gate.open()
                    let both = try await results
                    #expect((try? both[0].get().stored) != nil)
                    let error = #expect(throws: WireError.self) { try both[1].get() }
                    #expect(error?.reason == .outpaced && error?.end == .destination)
                    #expect(received.all == [bytes])
                    #expect(names(in: folder) == [])
                }
            }
        }
    }

    @Test("bytes are reported when they are written, and not before")
    func progress() async throws {
        let gate = Gate()
        let moved = Lock(0)
        try await withScratchDirectory { folder in
            try await withTransport(configuration { step, _ in if step == .append { gate.pass() } }) { transport in
                var request = request(.bytes(bytes), .file("\(folder)/held"))
                request.progress = { _, count in moved.withLock { $0 += count } }
                async let outcome = transport.relayOne(request)
                defer { gate.open() }
                await gate.reached.wait()
                #expect(moved.withLock { $0 } == 0)
                gate.open()
                let stored = try await outcome.stored
                #expect(stored != nil)
                #expect(moved.withLock { $0 } == bytes.count)
            }
        }
    }

    @Test(
        "a file is read in few steps of 256 KiB, one at a time, or of 128 KiB under a rate",
        arguments: [nil, 9_000_000]
    )
    func steps(_ limitRate: Int64?) async throws {
        let reads = Lock<[Int]>([])
        let appends = Lock<[Int]>([])
        var configuration = TransportConfiguration(relayDrivers: 1, limitRate: limitRate)
        configuration.files = .measured(reads, appends)
        try await withScratchDirectory { folder in
            try DurableFile.write(bytes, to: "\(folder)/blob")
            try await withTransport(configuration) { transport in
                let began = ContinuousClock.now
                let outcome = try await transport.relayOne(
                    request(file("\(folder)/blob"), .file("\(folder)/copy"))
                )
                #expect(outcome.stored != nil)
                let step = limitRate == nil ? 256 << 10 : 128 << 10
                #expect(reads.withLock { $0.dropLast() }.allSatisfy { $0 == step })
                #expect(reads.withLock { $0.reduce(0, +) } == bytes.count)
                #expect(appends.withLock { $0.reduce(0, +) } == bytes.count)
                #expect(appends.withLock { $0.max() ?? 0 } <= 256 << 10)
                if limitRate != nil {
                    // The last read and a short burst may still be a debt.
                    #expect(ContinuousClock.now - began > .milliseconds(250))
                }
            }
        }
    }
}

/// An operation on a file.
enum FileStep: Sendable { case read, create, append, commit, discard }

extension FileAccess {
    /// Real files; `before` is called before each operation, on the same thread.
    static func watched(_ before: @escaping @Sendable (FileStep, _ path: String) throws -> Void) -> FileAccess {
        let disk = FileAccess()
        return FileAccess(
            read: { buffer, count, region, offset in
                try before(.read, region.file.path)
                try disk.read(buffer, count, region, offset)
            },
            create: { path in
                try before(.create, path)
                return WatchedFile(try disk.create(path), before: { try before($0, path) })
            }
        )
    }

    /// Real files; the byte count of each operation is recorded.
    static func measured(_ reads: Lock<[Int]>, _ appends: Lock<[Int]>) -> FileAccess {
        let disk = FileAccess()
        return FileAccess(
            read: { buffer, count, region, offset in
                reads.withLock { $0.append(count) }
                try disk.read(buffer, count, region, offset)
            },
            create: { path in
                WatchedFile(try disk.create(path), appended: { count in appends.withLock { $0.append(count) } })
            }
        )
    }
}

/// A real file that reports its operations to a test.
private final class WatchedFile: WritableFile {
    private let file: any WritableFile
    private let appended: (Int) -> Void
    private let before: (FileStep) throws -> Void

    init(
        _ file: any WritableFile,
        appended: @escaping (Int) -> Void = { _ in },
        before: @escaping (FileStep) throws -> Void = { _ in }
    ) {
        self.file = file
        self.appended = appended
        self.before = before
    }

    func append(_ buffer: PartBuffer) throws {
        try before(.append)
        appended(buffer.count)
        try file.append(buffer)
    }

    func commit() throws {
        try before(.commit)
        try file.commit()
    }

    func discard() {
        try? before(.discard)
        file.discard()
    }
}

/// Blocks threads until it is opened.
final class Gate: Sendable {
    /// Fires when a thread is blocked.
    let reached = Signal()
    private let semaphore = DispatchSemaphore(value: 0)

    func pass() {
        reached.fire()
        semaphore.wait()
        semaphore.signal()
    }

    func open() { semaphore.signal() }
}

/// The files below a directory that this process has open, including removed ones, except for the source.
func openFiles(in directory: String) -> [String] {
    names(in: "/proc/self/fd").compactMap { name in
        var path = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/fd/\(name)", &path, path.count - 1)
        guard count > 0 else { return nil }
        let target = String(decoding: path[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return target.hasPrefix("\(directory)/") && target != "\(directory)/blob" ? target : nil
    }
}

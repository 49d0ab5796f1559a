internal import HTTPTypes
internal import Platform

/// The file operations of relays, which tests replace by operations that block or fail.
struct FileAccess: Sendable {
    var read: @Sendable (_ region: FileRegion, _ offset: Int64, _ count: Int) throws -> [UInt8] = {
        try $0.read(at: $1, count: $2)
    }
    var create: @Sendable (_ path: String) throws -> any WritableFile = { try ArrivingFile($0) }
}

/// A file that gets its name when it is committed.
protocol WritableFile: AnyObject {
    func append(_ bytes: [UInt8]) throws
    func commit() throws
    func discard()
}

extension ArrivingFile: WritableFile {}

/// Runs the operations of one file in order, on a thread that may wait for the disk, and signals the driver after each.
///
/// It is used on the driver's thread; only the operations run elsewhere.
final class FileOperations<Value: Sendable> {
    private let queue = FileQueue()
    private let results = Lock<[Result<Value, any Error>]>([])
    private let signal: @Sendable () -> Void
    private var unfinished = 0

    init(signal: @escaping @Sendable () -> Void) { self.signal = signal }

    /// Whether an operation runs, or has a result that was not taken.
    var isBusy: Bool { unfinished > 0 }

    func start(_ operation: @escaping @Sendable () throws -> Value) {
        unfinished += 1
        queue.run { [results, signal] in
            let result = Result { try operation() }
            results.withLock { $0.append(result) }
            signal()
        }
    }

    /// The results of the operations that have ended since the last call, in order.
    func takeResults() -> [Result<Value, any Error>] {
        guard isBusy else { return [] }
        let taken = results.withLock { results in
            defer { results = [] }
            return results
        }
        unfinished -= taken.count
        return taken
    }
}

/// A file that feeds a relay: one read at a time.
final class SourceFile {
    private let region: FileRegion
    private let access: FileAccess
    private let operations: FileOperations<[UInt8]>
    /// The bytes that were read and don't fit into the ring yet.
    private var chunk: [UInt8]?

    init(_ region: FileRegion, _ access: FileAccess, signal: @escaping @Sendable () -> Void) {
        self.region = region
        self.access = access
        operations = FileOperations(signal: signal)
    }

    var isReading: Bool { operations.isBusy }
    /// Whether bytes wait for room in the ring.
    var holdsChunk: Bool { chunk != nil }

    func read(at offset: Int64, count: Int) {
        operations.start { [access, region] in try access.read(region, offset, count) }
    }

    /// The bytes that were read, if they are no more than `room`; none at the end of the file.
    ///
    /// - Returns: `nil` if there are none to take now.
    func takeChunk(room: Int) throws -> [UInt8]? {
        for result in operations.takeResults() { chunk = try result.get() }
        return chunk.map { $0.count <= room } == true ? chunk.take() : nil
    }
}

/// A file that a relay writes: the next write begins when the last one has ended.
final class SinkFile {
    /// An operation that has ended.
    enum Step { case created, written(Int), committed, discarded }

    /// The file; only its operations use it, and those run one after another.
    private final class Contents: @unchecked Sendable {
        var file: (any WritableFile)?
    }

    private let contents = Contents()
    private let operations: FileOperations<Step>
    private var isDiscarding = false
    /// The bytes that the system has accepted.
    private(set) var written: Int64 = 0

    /// Begins to create the file.
    init(_ path: String, _ access: FileAccess, signal: @escaping @Sendable () -> Void) {
        operations = FileOperations(signal: signal)
        operations.start { [contents] in
            contents.file = try access.create(path)
            return .created
        }
    }

    var isBusy: Bool { operations.isBusy }

    func write(_ bytes: [UInt8]) {
        operations.start { [contents] in
            try contents.file?.append(bytes)
            return .written(bytes.count)
        }
    }

    /// Gives the file its name, durably.
    func commit() {
        operations.start { [contents] in
            try contents.file?.commit()
            contents.file = nil
            return .committed
        }
    }

    /// Removes the file after the operations that were begun, unless it is committed by then.
    func discard() {
        guard !isDiscarding else { return }
        isDiscarding = true
        operations.start { [contents] in
            contents.file?.discard()
            contents.file = nil
            return .discarded
        }
    }

    func takeSteps() -> [Result<Step, any Error>] {
        let steps = operations.takeResults()
        for case .success(.written(let count)) in steps { written += Int64(count) }
        return steps
    }
}

/// What feeds a relay from this machine.
enum LocalFeed {
    case file(SourceFile)
    case bytes([UInt8])

    /// Whether a read is in flight, and so nothing else can be read.
    var isReading: Bool { if case .file(let file) = self { file.isReading } else { false } }
}

/// The ends of a relay that are files or memory: image layouts, and blobs that are inline in a manifest.
extension BlobRelay {
    /// The most bytes that are read from, or written to, a file in one operation: two chunks.
    ///
    /// A file end holds as many besides the ring, or twice as many while one read is hashed and the next one runs.
    static let fileStep = 2 * fileChunk

    /// Whether a file operation is in flight, or a file is neither committed nor discarded.
    var usesFiles: Bool { feed?.isReading == true || outlets.contains { $0.file != nil } }

    /// Reads as far as there is room, for a while.
    func readFeed() {
        guard let feed, failure == nil, end == nil else { return }
        do {
            switch feed {
            case .bytes(let bytes): read(bytes)
            case .file(let file): try read(file)
            }
        } catch let error as WireError {
            return failAll(error)
        } catch {
            return failAll(sourceError(.file, "\(error)"))
        }
        guard fed == request.size else { return }
        self.feed = nil
        finishInput()
    }

    private func read(_ bytes: [UInt8]) {
        for _ in 0..<Self.fileChunksPerTurn {
            let count = min(Self.fileChunk, blob.room, bytes.count - Int(fed))
            guard count > 0, isWithinRate() else { return }
            loop.rate?.spend(count, holding: turn.take())
            unsafe bytes.withUnsafeBytes { bytes in
                _ = unsafe blob.offer(UnsafeRawBufferPointer(rebasing: bytes[Int(fed)...].prefix(count)))
            }
            fed += Int64(count)
        }
        if blob.room > 0 { mark() }
    }

    /// Takes what was read, and begins the next read, which runs while the bytes are hashed.
    private func read(_ file: SourceFile) throws {
        let chunk = try file.takeChunk(room: blob.room)
        if let chunk {
            guard !chunk.isEmpty else { throw sourceError(.tooShort, "ended after \(fed) bytes") }
            fed += Int64(chunk.count)
        }
        readMore(of: file, besides: chunk?.count ?? 0)
        if let chunk { unsafe chunk.withUnsafeBytes { _ = unsafe blob.offer($0) } }
    }

    /// Begins a read if there is room for its bytes and for `expected` more.
    private func readMore(of file: SourceFile, besides expected: Int) {
        let remaining = request.size - fed
        let room = Int64(blob.room - expected)
        guard !file.isReading, !file.holdsChunk, remaining > 0, room > 0 else { return }
        // Small reads would cost more than they bring.
        guard remaining <= room || blob.hasRoom(besides: expected), isWithinRate() else { return }
        let step = loop.rate == nil ? Self.fileStep : Self.fileChunk
        let count = Int(min(Int64(step), room, remaining))
        loop.rate?.spend(count, holding: turn.take())
        file.read(at: fed, count: count)
    }

    /// Whether the rate limit lets the source read now; if not, notes when it does.
    private func isWithinRate() -> Bool {
        guard let wait = loop.rate?.wait(holding: turn) else { return true }
        turn = wait
        sourceWaitsUntil = wait
        loop.wake(at: wait)
        return false
    }

    /// Notes what has been done at the sink's file since the last call.
    func takeSteps(of outlet: RelayOutlet) {
        for step in outlet.file?.takeSteps() ?? [] {
            let isWanted = outlet.isLive && end == nil
            switch step {
            case .success(.created): outlet.lastMoved = loop.now
            case .success(.written):
                outlet.lastMoved = loop.now
                if isWanted { tell(outlet) }
            case .success(.committed):
                guard isWanted else { continue }
                outlet.file = nil
                end(outlet, .success(.stored(WireResponse(status: .created))))
            case .success(.discarded): outlet.file = nil
            case .failure(let error):
                if isWanted { end(outlet, .failure(outlet.error(.file, "\(error)"))) }
            }
        }
    }

    /// Begins to write what is ready, and to commit the file when all of it is there and right.
    func writeFile(_ outlet: RelayOutlet) {
        guard outlet.isLive, let file = outlet.file, !file.isBusy else { return }
        if blob.isDelivered(outlet.index) { return file.commit() }
        guard isWorthResuming(outlet) else { return }
        let bytes = blob.chunk(for: outlet.index, atMost: Self.fileStep)
        guard !bytes.isEmpty else { return }
        file.write(bytes)
        // There may be room for the source now.
        mark()
    }
}

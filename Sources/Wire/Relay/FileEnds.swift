internal import HTTPTypes
internal import Platform

/// The file operations of relays, which tests replace with operations that block or fail.
struct FileAccess: Sendable {
    /// Fills the buffer with up to `count` bytes of the region; with none at the end.
    var read: @Sendable (PartBuffer, _ count: Int, FileRegion, _ offset: Int64) throws -> Void = {
        (buffer, count, region, offset) in
        try unsafe buffer.fill(upTo: count) { try unsafe region.read(at: offset, into: $0) }
    }
    var create: @Sendable (_ path: String) throws -> any WritableFile = { try ArrivingFile($0) }
}

extension FileAccess {
    /// Writes nothing.
    static let discarding = FileAccess(create: { _ in DiscardedFile() })
}

private final class DiscardedFile: WritableFile {
    func append(_ buffer: PartBuffer) {}
    func commit() {}
    func discard() {}
}

/// A file that gets its name when it is committed.
protocol WritableFile: AnyObject {
    func append(_ buffer: PartBuffer) throws
    func commit() throws
    func discard()
}

extension ArrivingFile: WritableFile {
    func append(_ buffer: PartBuffer) throws { try unsafe append(buffer.bytes) }
}

/// Runs the operations of one file in order, on a thread that may wait for the disk, and signals the driver when they are
/// done.
///
/// It is used on the driver's thread; only the operations run elsewhere.
final class FileOperations<Value: Sendable> {
    private let queue = FileQueue()
    private let results = Lock<[Result<Value, any Error>]>([])
    private let signal: @Sendable () -> Void
    private var unfinished = 0

    init(signal: @escaping @Sendable () -> Void) { self.signal = signal }

    /// Whether an operation is running, or has a result that was not taken yet.
    var isBusy: Bool { unfinished > 0 }

    /// - Parameter isSilent: Whether to signal the driver only if the operation fails. Another one must follow, because
    ///   each signal costs a turn of the driver's loop.
    func start(isSilent: Bool = false, _ operation: @escaping @Sendable () throws -> Value) {
        unfinished += 1
        queue.run { [results, signal] in
            let result = Result { try operation() }
            results.withLock { results in
                results.append(result)
                if case .success = result, isSilent { return }
                // Inside the lock: once the driver has taken the result, it may end with the relay.
                signal()
            }
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

/// A file that is the source of a relay; one read runs at a time.
final class SourceFile {
    private let region: FileRegion
    private let access: FileAccess
    private let operations: FileOperations<Int>
    /// The bytes of the last read.
    private let buffer: PartBuffer
    /// Whether ``buffer`` has bytes that the relay has not taken yet.
    private(set) var holdsBytes = false

    init(_ region: FileRegion, _ access: FileAccess, signal: @escaping @Sendable () -> Void) {
        self.region = region
        self.access = access
        operations = FileOperations(signal: signal)
        buffer = PartBuffer(capacity: Int(min(region.byteCount, Int64(BlobRelay.fileStep))))
    }

    var isReading: Bool { operations.isBusy }

    func read(at offset: Int64, count: Int) {
        operations.start { [access, region, buffer] in
            try access.read(buffer, count, region, offset)
            return buffer.count
        }
    }

    /// Hands over the bytes that were read, if there are at most `room` of them.
    ///
    /// - Parameter body: Gets the bytes; they are empty at the end of the file.
    /// - Throws: What the read has thrown.
    func takeBytes(room: Int, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        for result in operations.takeResults() {
            _ = try result.get()
            holdsBytes = true
        }
        guard holdsBytes, buffer.count <= room else { return }
        holdsBytes = false
        try unsafe body(buffer.bytes)
    }
}

/// A file that is a sink of a relay; one write runs at a time.
final class SinkFile {
    /// An operation that has ended.
    enum Step {
        case created
        case written(Int, isCommitted: Bool)
        case discarded
    }

    /// The file; only its operations use it, and those run one after another.
    private final class Contents: @unchecked Sendable {
        var file: (any WritableFile)?
    }

    private let contents = Contents()
    private let operations: FileOperations<Step>
    /// The bytes of the running write.
    private let buffer: PartBuffer
    private var isWriting = false
    private var isDiscarding = false
    /// The number of bytes that were written.
    private(set) var written: Int64 = 0

    /// Begins to create the file.
    ///
    /// - Parameter size: The size that the file will have, in bytes.
    init(_ path: String, size: Int64, _ access: FileAccess, signal: @escaping @Sendable () -> Void) {
        buffer = PartBuffer(capacity: Int(min(size, Int64(BlobRelay.fileStep))))
        operations = FileOperations(signal: signal)
        operations.start(isSilent: true) { [contents] in
            contents.file = try access.create(path)
            return .created
        }
    }

    /// Whether a write, or the removal, is running.
    var isBusy: Bool { isWriting || isDiscarding }

    /// Begins to write the bytes that `body` hands over, and then to commit the file if they were the last ones.
    ///
    /// - Parameter body: Copies bytes into the memory; returns their number, and whether they are the last ones.
    /// - Returns: Whether a write has begun.
    func write(_ body: (UnsafeMutableRawBufferPointer) -> (count: Int, isLast: Bool)) -> Bool {
        var isLast = false
        unsafe buffer.fill(upTo: buffer.capacity) { room in
            let filled = unsafe body(room)
            isLast = filled.isLast
            return filled.count
        }
        guard isLast || buffer.count > 0 else { return false }
        isWriting = true
        operations.start { [contents, buffer, isLast] in
            try contents.file?.append(buffer)
            if isLast {
                try contents.file?.commit()
                contents.file = nil
            }
            return .written(buffer.count, isCommitted: isLast)
        }
        return true
    }

    /// Removes the file after the running operation, unless it is committed by then.
    func discard() {
        guard !isDiscarding else { return }
        isDiscarding = true
        operations.start { [contents] in
            contents.file?.discard()
            contents.file = nil
            return .discarded
        }
    }

    /// The operations that have ended since the last call, in order.
    func takeSteps() -> [Result<Step, any Error>] {
        let steps = operations.takeResults()
        for case .success(.written(let count, _)) in steps {
            isWriting = false
            written += Int64(count)
        }
        return steps
    }
}

/// A source of a relay on this machine.
enum LocalFeed {
    case file(SourceFile)
    case bytes([UInt8])

    /// Whether a read is in flight.
    var isReading: Bool { if case .file(let file) = self { file.isReading } else { false } }
}

/// The ends of a relay that are files or memory: image layouts, and blobs that are inline in a manifest.
extension BlobRelay {
    /// The most bytes that are read from, or written to, a file in one operation: two chunks.
    ///
    /// It is the memory that a file takes besides the ring.
    static let fileStep = 2 * fileChunk

    /// Whether a file operation is in flight, or a file is neither committed nor discarded.
    var usesFiles: Bool { feed?.isReading == true || outlets.contains { $0.file != nil } }

    /// Reads from the file or from memory as far as there is room in the ring.
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

    /// Takes the bytes that were read, and begins the next read if there is room for it.
    private func read(_ file: SourceFile) throws {
        try unsafe file.takeBytes(room: blob.room) { bytes in
            guard bytes.count > 0 else { throw sourceError(.tooShort, "ended after \(fed) bytes") }
            fed += Int64(bytes.count)
            _ = unsafe blob.offer(bytes)
        }
        let (room, remaining) = (blob.room, request.size - fed)
        guard !file.isReading, !file.holdsBytes, remaining > 0, room > 0 else { return }
        // Small reads would cost more than they save.
        guard remaining <= Int64(room) || blob.hasRoom, isWithinRate() else { return }
        let step = loop.rate == nil ? Self.fileStep : Self.fileChunk
        let count = Int(min(Int64(min(step, room)), remaining))
        loop.rate?.spend(count, holding: turn.take())
        file.read(at: fed, count: count)
    }

    /// Whether the rate limit lets the source read now; if not, schedules the next attempt.
    private func isWithinRate() -> Bool {
        guard let wait = loop.rate?.wait(holding: turn) else { return true }
        turn = wait
        sourceWaitsUntil = wait
        loop.wake(at: wait)
        return false
    }

    /// Takes the results of the operations on the sink's file.
    func takeSteps(of outlet: RelayOutlet) {
        for step in outlet.file?.takeSteps() ?? [] {
            let isWanted = outlet.isLive && end == nil
            switch step {
            case .success(.created): outlet.lastMoved = loop.now
            case .success(.written(_, let isCommitted)):
                guard isWanted else { continue }
                outlet.lastMoved = loop.now
                tell(outlet)
                guard isCommitted else { continue }
                outlet.file = nil
                end(outlet, .success(.stored(WireResponse(status: .created))))
            case .success(.discarded): outlet.file = nil
            case .failure(let error):
                if isWanted { end(outlet, .failure(outlet.error(.file, "\(error)"))) }
            }
        }
    }

    /// Begins to write the bytes that are ready; the last ones only when all bytes are verified.
    func writeFile(_ outlet: RelayOutlet) {
        guard outlet.isLive, let file = outlet.file, !file.isBusy, isWorthResuming(outlet) else { return }
        let hasBegun = unsafe file.write { room in
            guard case .bytes(let count) = unsafe blob.take(into: room, for: outlet.index) else {
                return (0, blob.isDelivered(outlet.index))
            }
            return (count, blob.isDelivered(outlet.index))
        }
        // Without a write there is no new room, and the loop would turn for nothing.
        if hasBegun, sourceIsWaiting, blob.hasRoom { mark() }
    }
}

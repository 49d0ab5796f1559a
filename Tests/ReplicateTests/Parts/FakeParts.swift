import Content
import HTTPTypes
import Platform
import TestClouds

@testable import Replicate
@testable import Wire

/// Uploads in parts in memory, as strict as ECR: a part at the wrong offset is refused with the right one.
///
/// Every call is recorded in ``calls``.
actor FakePartUploads: PartUploading {
    nonisolated let calls: CallLog
    /// The part size that it answers, in bytes.
    let partSize: Int64
    private(set) var uploads: [String: [UInt8]] = [:]
    private(set) var stored: [Digest: [UInt8]] = [:]
    private var hooks: [Int: @Sendable (isolated FakePartUploads) -> PartReception?] = [:]
    private var completions: [PartCompletion] = []
    private var sent = 0
    private var begun = 0

    init(_ calls: CallLog, partSize: Int64) {
        self.calls = calls
        self.partSize = partSize
    }

    /// Calls `action` when the part with this number arrives, counted from 1 over all uploads.
    ///
    /// If the action returns an answer, that is sent, and the part is not stored.
    func at(part number: Int, _ action: @escaping @Sendable (isolated FakePartUploads) -> PartReception?) {
        hooks[number] = action
    }

    /// Answers the next completions with `answers`, and stores no blob.
    func complete(with answers: PartCompletion...) { completions = answers }

    func forget() { uploads = [:] }

    /// Adds these bytes of a blob to the first upload.
    func take(_ range: Range<Int>, of bytes: [UInt8]) { uploads["1", default: []] += bytes[range] }

    func set(_ bytes: [UInt8], of id: String) { uploads[id] = bytes }

    /// Drops all but the first `count` bytes of an upload.
    func lose(after count: Int, of id: String) { uploads[id] = uploads[id].map { Array($0.prefix(count)) } }

    func begin() throws -> PartUpload {
        begun += 1
        calls.note("begin \(begun)")
        uploads["\(begun)"] = []
        return PartUpload(id: "\(begun)", partSize: partSize)
    }

    func send(_ part: PartBuffer, at offset: Int64, to upload: PartUpload) throws -> PartReception {
        try Task.checkCancellation()
        sent += 1
        calls.note("part \(upload.id) \(offset)+\(part.count)")
        if let answer = hooks[sent]?(self) { return answer }
        guard let held = uploads[upload.id] else { return .gone }
        guard offset == held.count else { return .standsAt(Int64(held.count)) }
        uploads[upload.id] = held + part.bytes
        return .accepted
    }

    func complete(_ upload: PartUpload, as digest: Digest) throws -> PartCompletion {
        calls.note("complete \(upload.id)")
        if !completions.isEmpty { return completions.removeFirst() }
        guard let bytes = uploads.removeValue(forKey: upload.id) else { return .gone }
        guard Digest(of: bytes) == digest else { return .refused }
        stored[digest] = bytes
        return .stored
    }
}

/// A host that serves one blob by ranges, unless a scripted behaviour changes that.
final class RangeHost: HTTPSending {
    enum Behaviour: Sendable {
        case status(Int, HTTPFields = [:])
        case failure(WireError)
        /// Sends the whole blob, whatever range was requested.
        case whole
        /// Sends this `Content-Range`.
        case contentRange(String)
        /// Sends this many bytes too few, with the headers of the full range.
        case short(Int)
        /// Changes one byte.
        case corrupt
    }

    private struct State: Sendable {
        var script: [Behaviour?] = []
        var requests: [WireRequest] = []
    }

    private let bytes: [UInt8]
    private let state = Lock(State())
    let calls: CallLog

    init(_ bytes: [UInt8], _ calls: CallLog) { (self.bytes, self.calls) = (bytes, calls) }

    /// Sets the behaviours for the next requests, in order; `nil` serves the request normally.
    func script(_ behaviours: [Behaviour?]) { state.withLock { $0.script += behaviours } }

    func script(_ behaviours: Behaviour...) { script(behaviours) }

    var requests: [WireRequest] { state.withLock { $0.requests } }

    func send(_ request: WireRequest) async throws -> WireResponse {
        try Task.checkCancellation()
        calls.note("get \(request.url.path) \(request.fields[.range] ?? "all")")
        let behaviour = state.withLock { state -> Behaviour? in
            state.requests.append(request)
            return state.script.isEmpty ? nil : state.script.removeFirst()
        }
        let range = request.fields[.range].map { field -> Range<Int> in
            let bounds = field.dropFirst(6).split(separator: "-").compactMap { Int($0) }
            return bounds[0]..<bounds[1] + 1
        }
        var body = range.map { Array(bytes[$0]) } ?? bytes
        var contentRange = range.map { "bytes \($0.lowerBound)-\($0.upperBound - 1)/\(bytes.count)" }
        switch behaviour {
        case .status(let status, let fields): return WireResponse(status: .init(code: status), fields: fields)
        case .failure(let error): throw error
        case .whole: return WireResponse(status: .ok)
        case .contentRange(let text): contentRange = text
        case .short(let count): body.removeLast(count)
        case .corrupt: body[body.count / 2] ^= 1
        case nil: break
        }
        request.receiver?.clear()
        body.withUnsafeBytes { _ = request.receiver?.append($0) }
        return WireResponse(
            status: range == nil ? .ok : .partialContent,
            fields: contentRange.map { [.contentRange: $0] } ?? [:]
        )
    }
}

/// A test bench for one blob uploaded in parts from a fake source to a fake registry, without sockets and real waits.
struct PartBench: Sendable {
    let calls = CallLog()
    let bytes: [UInt8]
    let blob: Descriptor
    let host: RangeHost
    let source: FakeRepository
    let uploads: FakePartUploads
    let destination: FakeRepository
    let events = Lock<[CopyEvent]>([])
    let log = LogLines()

    /// - Parameter count: The size of the blob in bytes. Parts have ten bytes.
    init(_ count: Int = 35) throws {
        bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
        blob = Descriptor(mediaType: .ociLayer, digest: Digest(of: bytes), size: Int64(count))
        host = RangeHost(bytes, calls)
        source = try FakeRepository(.source, "from/app", calls)
        uploads = FakePartUploads(calls, partSize: 10)
        destination = try FakeRepository(.destination, "to/app", calls, parts: uploads)
    }

    func large(
        _ mode: UploadOptions.Mode = .auto,
        above: Int64 = 1,
        state: String? = nil,
        smallest: Int = 1,
        attempts: Int = 8,
        clock: any Clock<Duration> = ContinuousClock()
    ) -> LargeBlobs {
        var options = UploadOptions(mode: mode, resumableAbove: above, stateDirectory: state)
        options.smallestPart = smallest
        return LargeBlobs(
            options,
            sender: host,
            retry: RetryPolicy(attempts: attempts, clock: InstantClock(), jitter: { 1 }),
            logger: log.logger,
            clock: clock,
            report: { [events] event in events.withLock { $0.append(event) } }
        )
    }

    func upload(_ large: LargeBlobs? = nil) async throws -> String? {
        try await (large ?? self.large()).upload(BlobTransfer(blob, from: source, to: destination))?.name
    }

    var parts: [String] { calls.lines("part ") }
    var gets: [String] { calls.lines("get ").map { String($0.drop { $0 != " " }.dropFirst()) } }

    func isStored() async -> Bool { await uploads.stored == [blob.digest: bytes] }

    /// The sum of the progress events since the last start.
    var progress: Int64 {
        events.withLock { events in
            events.reduce(0) { sum, event in
                switch event {
                case .blobStarted: 0
                case .blobResumed(_, _, let place): place
                case .blobProgress(_, _, let bytes): sum + Int64(bytes)
                default: sum
                }
            }
        }
    }
}

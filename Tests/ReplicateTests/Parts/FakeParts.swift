import Content
import HTTPTypes
import Platform
import TestClouds

@testable import Replicate
@testable import Wire

/// A registry's uploads in parts, in memory, as strict as ECR: parts follow one another, or it says where it stands.
///
/// Every call is written into the journal.
actor FakePartUploads: PartUploading {
    nonisolated let journal: Journal
    /// In bytes, as it answers.
    let partSize: Int64
    private(set) var uploads: [String: [UInt8]] = [:]
    private(set) var stored: [Digest: [UInt8]] = [:]
    private var hooks: [Int: @Sendable (isolated FakePartUploads) -> PartReception?] = [:]
    private var completions: [PartCompletion] = []
    private var sent = 0
    private var begun = 0

    init(_ journal: Journal, partSize: Int64) {
        self.journal = journal
        self.partSize = partSize
    }

    /// Does something when the part with this number comes, counted from 1 over all uploads; what it returns is
    /// answered in place of taking the part.
    func at(part number: Int, _ action: @escaping @Sendable (isolated FakePartUploads) -> PartReception?) {
        hooks[number] = action
    }

    /// Answers the next completions so, before any blob is made.
    func complete(with answers: PartCompletion...) { completions = answers }

    func forget() { uploads = [:] }

    /// Has these bytes of a blob in the first upload, however they came.
    func take(_ range: Range<Int>, of bytes: [UInt8]) { uploads["1", default: []] += bytes[range] }

    func set(_ bytes: [UInt8], of id: String) { uploads[id] = bytes }

    /// Cuts an upload down to its first bytes.
    func lose(after count: Int, of id: String) { uploads[id] = uploads[id].map { Array($0.prefix(count)) } }

    func begin() throws -> PartUpload {
        begun += 1
        journal.note("begin \(begun)")
        uploads["\(begun)"] = []
        return PartUpload(id: "\(begun)", partSize: partSize)
    }

    func send(_ part: PartBuffer, at offset: Int64, to upload: PartUpload) throws -> PartReception {
        try Task.checkCancellation()
        sent += 1
        journal.note("part \(upload.id) \(offset)+\(part.count)")
        if let answer = hooks[sent]?(self) { return answer }
        guard let held = uploads[upload.id] else { return .gone }
        guard offset == held.count else { return .standsAt(Int64(held.count)) }
        uploads[upload.id] = held + part.bytes
        return .accepted
    }

    func complete(_ upload: PartUpload, as digest: Digest) throws -> PartCompletion {
        journal.note("complete \(upload.id)")
        if !completions.isEmpty { return completions.removeFirst() }
        guard let bytes = uploads.removeValue(forKey: upload.id) else { return .gone }
        guard Digest(of: bytes) == digest else { return .refused }
        stored[digest] = bytes
        return .stored
    }
}

/// A host that serves one blob, by ranges unless the script says otherwise.
final class RangeHost: HTTPSending {
    enum Act: Sendable {
        case status(Int, HTTPFields = [:])
        case failure(WireError)
        /// All of it, whatever range was asked for.
        case whole
        /// With this in `Content-Range`.
        case says(String)
        /// So many bytes too few, and nothing said about it.
        case short(Int)
        /// One byte is another.
        case corrupt
    }

    private struct State: Sendable {
        var script: [Act?] = []
        var requests: [WireRequest] = []
    }

    private let bytes: [UInt8]
    private let state = Lock(State())
    let journal: Journal

    init(_ bytes: [UInt8], _ journal: Journal) { (self.bytes, self.journal) = (bytes, journal) }

    /// What is done at each request, in order; `nil` is as it should be.
    func plan(at acts: [Act?]) { state.withLock { $0.script += acts } }

    func plan(_ acts: Act...) { plan(at: acts) }

    var requests: [WireRequest] { state.withLock { $0.requests } }

    func send(_ request: WireRequest) async throws -> WireResponse {
        try Task.checkCancellation()
        journal.note("get \(request.url.path) \(request.fields[.range] ?? "all")")
        let act = state.withLock { state -> Act? in
            state.requests.append(request)
            return state.script.isEmpty ? nil : state.script.removeFirst()
        }
        let range = request.fields[.range].map { field -> Range<Int> in
            let bounds = field.dropFirst(6).split(separator: "-").compactMap { Int($0) }
            return bounds[0]..<bounds[1] + 1
        }
        var body = range.map { Array(bytes[$0]) } ?? bytes
        var says = range.map { "bytes \($0.lowerBound)-\($0.upperBound - 1)/\(bytes.count)" }
        switch act {
        case .status(let status, let fields): return WireResponse(status: .init(code: status), fields: fields)
        case .failure(let error): throw error
        case .whole: return WireResponse(status: .ok)
        case .says(let text): says = text
        case .short(let count): body.removeLast(count)
        case .corrupt: body[body.count / 2] ^= 1
        case nil: break
        }
        request.receiver?.clear()
        body.withUnsafeBytes { _ = request.receiver?.append($0) }
        return WireResponse(
            status: range == nil ? .ok : .partialContent,
            fields: says.map { [.contentRange: $0] } ?? [:]
        )
    }
}

/// One blob of a fake source on its way into a fake registry's parts: no socket, no wait.
struct PartBench: Sendable {
    let journal = Journal()
    let bytes: [UInt8]
    let blob: Descriptor
    let host: RangeHost
    let source: FakeRepository
    let uploads: FakePartUploads
    let destination: FakeRepository
    let events = Lock<[CopyEvent]>([])
    let log = LogLines()

    /// - Parameter count: Of the blob's bytes; parts have ten.
    init(_ count: Int = 35) throws {
        bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
        blob = Descriptor(mediaType: .ociLayer, digest: Digest(of: bytes), size: Int64(count))
        host = RangeHost(bytes, journal)
        source = try FakeRepository(.source, "from/app", journal)
        uploads = FakePartUploads(journal, partSize: 10)
        destination = try FakeRepository(.destination, "to/app", journal, parts: uploads)
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

    var parts: [String] { journal.lines("part ") }
    var gets: [String] { journal.lines("get ").map { String($0.drop { $0 != " " }.dropFirst()) } }

    func isStored() async -> Bool { await uploads.stored == [blob.digest: bytes] }

    /// What progress events add up to since the last start.
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

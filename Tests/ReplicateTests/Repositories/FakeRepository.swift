import Content
import HTTPTypes
import Platform
import Wire

@testable import Replicate

/// Records calls in order, across fake repositories and relays.
final class CallLog: Sendable {
    private let entries = Lock<[String]>([])

    func note(_ line: String) { entries.withLock { $0.append(line) } }

    var lines: [String] { entries.withLock { $0 } }

    func clear() { entries.withLock { $0 = [] } }

    /// The lines that begin with `prefix`, without the prefix.
    func lines(_ prefix: String) -> [String] {
        lines.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    func count(_ prefix: String) -> Int { lines(prefix).count }
}

/// A repository in memory, as strict as ECR: a manifest is refused while anything it names is missing.
///
/// Every call is recorded in ``calls`` as `NAME call …`, where `NAME` is the repository's.
actor FakeRepository: ImageRepository {
    nonisolated let reference: ImageReference
    nonisolated let side: CopyError.Side
    nonisolated let registryKey: String
    nonisolated let calls: CallLog
    /// The host of source addresses and uploads.
    nonisolated let host: String
    nonisolated let partUploads: (any PartUploading)?
    nonisolated let takesIndexesOfBlobs: Bool

    var manifests: [Digest: Manifest] = [:]
    var tags: [Tag: Digest] = [:]
    var blobs: Set<Digest> = []
    var openUploads: Set<String> = []
    /// What ``referrers(of:)`` lists; `nil` in a registry without the referrers API.
    var listedReferrers: [Digest: [Descriptor]]? = [:]
    /// The listed referrers of each subject, in a registry that stores and lists referrers separately; otherwise `nil`.
    var ownLists: [Digest: Set<Digest>]?
    /// What ``listDigestTags()`` returns; `nil` in a registry that does not list tags for a single image.
    var digestTagListing: DigestTagListing?
    var fixedTags: TagImmutability? = TagImmutability(byDefault: false)
    var listed: [ListedImage] = []
    var unusableTags: [ImageSelection.UnusableTag] = []
    /// Content that the repository claims to have without having it.
    var claimed: Set<Digest> = []
    /// Whether the refusal of a manifest names the missing content and the manifest itself.
    var namesWhatIsMissing = false
    /// The code of a refused manifest, if not ECR's.
    var refusalCode: String?
    var exists = true
    var mounts: Set<String> = []
    var readFailures: [ManifestID: CopyError.Reason] = [:]
    /// Thrown by every upload once it is open, as when a token can't be renewed.
    var sinkError: (any Error)?
    /// Awaited before an upload is opened and before a manifest is put, with the call.
    var gate: (@Sendable (_ call: String) async -> Void)?
    /// Called when an upload is open, before its bytes are asked for.
    var beforeSending: (@Sendable () async -> Void)?
    private(set) var violations: [String] = []
    private var failures: [(prefix: String, error: any Error, left: Int)] = []
    private var hooks: [(prefix: String, action: @Sendable (isolated FakeRepository) -> Void)] = []
    private var uploads = 0

    init(
        _ side: CopyError.Side,
        _ name: String,
        _ calls: CallLog,
        registry: String? = nil,
        parts: (any PartUploading)? = nil,
        takesIndexesOfBlobs: Bool = true
    ) throws {
        partUploads = parts
        self.takesIndexesOfBlobs = takesIndexesOfBlobs
        let registry = registry ?? "\(side.rawValue).test"
        reference = try ImageReference(parsing: "\(registry)/\(name)")
        (self.side, self.calls, host, registryKey) = (side, calls, registry, registry)
    }

    private nonisolated var name: String { reference.repository.value }

    /// Makes the next calls that begin with `prefix` throw `error`.
    func fail(_ prefix: String, _ error: any Error, times: Int = 1) { failures.append((prefix, error, times)) }

    /// Makes the next calls that begin with `prefix` fail with an error of this repository.
    func refuse(_ prefix: String, _ reason: CopyError.Reason, times: Int = 1) {
        let operation = String(prefix.prefix { $0 != " " })
        fail(prefix, CopyError(reason, side: side, image: reference, operation: operation), times: times)
    }

    /// Calls `action` right before the next call that begins with `prefix`.
    func before(_ prefix: String, _ action: @escaping @Sendable (isolated FakeRepository) -> Void) {
        hooks.append((prefix, action))
    }

    func change(_ action: @Sendable (isolated FakeRepository) -> Void) { action(self) }

    private func begin(_ call: String) throws {
        calls.note("\(name) \(call)")
        if let index = hooks.firstIndex(where: { call.hasPrefix($0.prefix) }) {
            hooks.remove(at: index).action(self)
        }
        if let index = failures.firstIndex(where: { call.hasPrefix($0.prefix) && $0.left > 0 }) {
            failures[index].left -= 1
            throw failures[index].error
        }
        guard exists || call == "create" else { throw failure(.repositoryMissing, "asking") }
        try Task.checkCancellation()
    }

    private func failure(_ reason: CopyError.Reason, _ operation: String) -> CopyError {
        CopyError(reason, side: side, image: reference, operation: operation)
    }

    func read(manifests wanted: [ManifestID], digests: [ManifestID]) throws -> Reading {
        try begin("read \(wanted.map(\.shown).joined(separator: " "))|\(digests.map(\.shown).joined(separator: " "))")
        var reading = Reading()
        for id in Set(wanted + digests) {
            if let reason = readFailures[id] {
                reading.failures[id] = reason
                continue
            }
            if case .digest(let digest) = id, claimed.contains(digest), !wanted.contains(id) {
                reading.digests[id] = digest
                continue
            }
            guard let digest = id.tag.map({ tags[$0] }) ?? id.digest, let manifest = manifests[digest] else { continue }
            guard id.digest == nil || id.digest == digest else {
                reading.failures[id] = .tagMismatch
                continue
            }
            reading.digests[id] = digest
            if wanted.contains(id) { reading.manifests[id] = manifest }
        }
        return reading
    }

    func missing(_ asked: [Descriptor]) throws -> Set<Digest> {
        try begin("missing \(asked.map(\.digest.short).joined(separator: " "))")
        return Set(asked.map(\.digest)).subtracting(blobs).subtracting(claimed)
    }

    func source(of blob: Descriptor) throws -> RelaySource {
        try begin("source \(blob.digest.short)")
        return .request(WireRequest(.get, try HTTPURL("https://\(host)/\(name)/\(blob.digest.hex)")))
    }

    func sourceRefused(_ answer: WireResponse, to request: WireRequest) {
        calls.note("\(name) refused \(answer.status.code)")
    }

    func receive(_ incoming: any IncomingBlob) async throws -> BlobReception {
        let (blob, sibling) = (incoming.blob, incoming.sibling)
        await gate?("start \(blob.digest.short)")
        try begin("start \(blob.digest.short)" + (sibling.map { " from \($0)" } ?? ""))
        if let sibling, mounts.contains(sibling.value) {
            blobs.insert(blob.digest)
            return .mounted
        }
        uploads += 1
        let number = "\(uploads)"
        openUploads.insert(number)
        do {
            try incoming.noteOpened()
            await beforeSending?()
            if let sinkError { throw sinkError }
            let location = try HTTPURL("https://\(host)/\(name)/uploads/\(number)")
            let answer = try await incoming.send(to: .request(WireRequest(.put, location)))
            guard answer.status.kind != .successful else { return .stored }
            throw try refusal(answer, of: blob)
        } catch {
            // In a task that isn't cancelled, so that the request is sent.
            await Task { close(number) }.value
            throw uploadFailure(error, blob)
        }
    }

    private func refusal(_ answer: WireResponse, of blob: Descriptor) throws -> BlobFailure {
        try begin("explain \(answer.status.code)")
        let reason = CopyError.Reason.rejected(code: "HTTP \(answer.status.code)", text: "as told")
        let advice = answer.retryAfter.map { RetryAdvice.wait($0) }
        return BlobFailure(
            failure(reason, "uploading \(blob.digest)"),
            advice ?? (answer.status.code >= 500 ? .backOff : .never)
        )
    }

    private func close(_ number: String) {
        calls.note("\(name) close \(number)\(Task.isCancelled ? " cancelled" : "")")
        openUploads.remove(number)
    }

    /// Stores a blob that a relay delivered and closes its upload.
    func accept(_ digest: Digest, _ url: HTTPURL) {
        blobs.insert(digest)
        openUploads.remove(url.path.split(separator: "/").last.map(String.init) ?? "")
    }

    func put(_ manifest: Manifest, tag: Tag?) async throws {
        await gate?("put \(manifest.digest.short)")
        try begin("put \(manifest.digest.short)" + (tag.map { " \($0)" } ?? ""))
        let lost = manifest.blobs.filter { !blobs.contains($0.digest) }.map(\.digest.short)
        let orphans = manifest.children.filter { manifests[$0.digest] == nil }.map(\.digest.short)
        guard lost.isEmpty, orphans.isEmpty else {
            violations.append("\(manifest.digest.short) lacks \((lost + orphans).joined(separator: " "))")
            let code = lost.isEmpty ? "ReferencedImagesNotFoundException" : "LayersNotFoundException"
            var error = failure(.rejected(code: refusalCode ?? code, text: "as ECR says"), "PutImage")
            if namesWhatIsMissing {
                error.digests = Set((manifest.blobs + manifest.children).map(\.digest)).subtracting(blobs)
                    .subtracting(manifests.keys).union([manifest.digest])
            }
            throw error
        }
        manifests[manifest.digest] = manifest
        if let tag { tags[tag] = manifest.digest }
        guard ownLists != nil else { return }
        if let subject = manifest.subject?.digest { ownLists?[subject, default: []].insert(manifest.digest) }
        if let subject = tag?.subject { ownLists?[subject, default: []].formUnion(manifest.children.map(\.digest)) }
    }

    func ownList(ofReferrersTo subject: Digest) throws -> Set<Digest>? {
        guard let ownLists else { return nil }
        try begin("own-list \(subject.short)")
        return ownLists[subject] ?? []
    }

    func referrers(of digest: Digest) throws -> ReferrerListing? {
        try begin("referrers \(digest.short)")
        return listedReferrers.map { ReferrerListing($0[digest] ?? []) }
    }

    func listDigestTags() throws -> DigestTagListing? {
        guard let digestTagListing else { return nil }
        try begin("digest-tags")
        return digestTagListing
    }

    func immutability() throws -> TagImmutability? {
        try begin("immutability")
        return fixedTags
    }

    func list() throws -> ImageListing {
        try begin("list")
        return ImageListing(images: listed, unusableTags: unusableTags)
    }

    func create() throws {
        try begin("create")
        exists = true
    }
}

extension ManifestID {
    /// A short form for call logs.
    var shown: String {
        [tag?.value, digest?.short].compactMap { $0 }.joined(separator: "@")
    }
}

/// A relay between fake repositories: a blob that the source has arrives, unless a scripted behaviour changes that.
final class FakeRelay: BlobRelaying {
    enum Behaviour: Sendable {
        case outcome(RelayOutcome)
        case failure(any Error)
        /// The blob arrives, and the answer is lost.
        case lostAnswer
        /// One of several sinks fails, and the others get the blob.
        case atOneSink(Int, WireError)
        /// The blob arrives after this closure returns.
        case after(@Sendable () async -> Void)
    }

    private struct State: Sendable {
        var repositories: [String: FakeRepository] = [:]
        var script: [Digest: [Behaviour]] = [:]
        var inFlight = 0
        var most = 0
        var urls: [String] = []
    }

    private let state = Lock(State())
    private let gate: (@Sendable () async throws -> Void)?
    let calls: CallLog

    init(_ calls: CallLog, gate: (@Sendable () async throws -> Void)? = nil) {
        (self.calls, self.gate) = (calls, gate)
    }

    func connect(_ repositories: FakeRepository...) {
        state.withLock { state in
            for repository in repositories { state.repositories["\(repository.reference)"] = repository }
        }
    }

    /// Sets the behaviours of the next relays of a blob, in order.
    func script(_ digest: Digest, _ behaviours: Behaviour...) {
        state.withLock { $0.script[digest, default: []] += behaviours }
    }

    /// The largest number of relays that were in flight at once.
    var most: Int { state.withLock { $0.most } }
    /// The addresses that bytes were requested from.
    var urls: [String] { state.withLock { $0.urls } }

    func relay(_ request: RelayRequest) async throws -> [RelayResult] {
        let sinks = request.sinks.compactMap { if case .request(let to) = $0 { to.url } else { nil } }
        if case .bytes(let bytes) = request.source {
            calls.note("embedded \(request.digest.short)")
            guard Digest(of: bytes) == request.digest, bytes.count == request.size else { return [] }
            for url in sinks { await repository(at: url)?.accept(request.digest, url) }
            return sinks.map { _ in .success(.stored(WireResponse(status: .created))) }
        }
        guard case .request(let from) = request.source else { return [] }
        calls.note("relay \(request.digest.short)" + (sinks.count > 1 ? " x\(sinks.count)" : ""))
        let behaviour = state.withLock { state -> Behaviour? in
            state.inFlight += 1
            state.most = max(state.most, state.inFlight)
            state.urls.append(from.url.text)
            guard let next = state.script[request.digest]?.first else { return nil }
            state.script[request.digest]?.removeFirst()
            return next
        }
        defer { state.withLock { $0.inFlight -= 1 } }
        try await gate?()
        try Task.checkCancellation()
        switch behaviour {
        case .outcome(let outcome): return sinks.map { _ in .success(outcome) }
        case .failure(let error as WireError): return sinks.map { _ in .failure(error) }
        case .failure(let error): throw error
        case .lostAnswer:
            await repository(at: sinks[0])?.accept(request.digest, sinks[0])
            return [.failure(WireError(.disconnected, "cut", url: sinks[0], end: .destination))]
        case .atOneSink(let index, let error):
            for (number, url) in sinks.enumerated() where number != index {
                await repository(at: url)?.accept(request.digest, url)
            }
            return sinks.indices.map {
                $0 == index ? .failure(error) : .success(.stored(WireResponse(status: .created)))
            }
        case .after(let wait):
            await wait()
            return await transfer(request, from.url, sinks)
        case nil: return await transfer(request, from.url, sinks)
        }
    }

    private func transfer(_ request: RelayRequest, _ from: HTTPURL, _ sinks: [HTTPURL]) async -> [RelayResult] {
        guard let source = repository(at: from), await source.blobs.contains(request.digest) else {
            return sinks.map { _ in .success(.sourceAnswered(WireResponse(status: .notFound))) }
        }
        for (index, url) in sinks.enumerated() {
            request.progress?(index, Int(request.size))
            await repository(at: url)?.accept(request.digest, url)
        }
        return sinks.map { _ in .success(.stored(WireResponse(status: .created))) }
    }

    private func repository(at url: HTTPURL) -> FakeRepository? {
        state.withLock { state in
            state.repositories.first { url.text.hasPrefix("https://\($0.key)/") }?.value
        }
    }
}

import Content
import HTTPTypes
import Platform
import Wire

@testable import Replicate

/// What was asked of whom, in order, across repositories and relays.
final class Journal: Sendable {
    private let entries = Lock<[String]>([])

    func note(_ line: String) { entries.withLock { $0.append(line) } }

    var lines: [String] { entries.withLock { $0 } }

    func clear() { entries.withLock { $0 = [] } }

    /// Those that begin with `prefix`, without it.
    func lines(_ prefix: String) -> [String] {
        lines.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
    }

    func count(_ prefix: String) -> Int { lines(prefix).count }
}

/// A registry in memory, as strict as ECR: a manifest is refused while anything it names is missing.
///
/// Every call is written into the journal as `NAME call …`, where `NAME` is the repository's.
actor FakeRepository: ImageRepository {
    nonisolated let reference: ImageReference
    nonisolated let side: CopyError.Side
    nonisolated let registryKey: String
    nonisolated let journal: Journal
    /// The host that bytes come from and go to.
    nonisolated let host: String
    nonisolated let partUploads: (any PartUploading)?
    nonisolated let takesIndexesOfBlobs: Bool

    var manifests: [Digest: Manifest] = [:]
    var tags: [Tag: Digest] = [:]
    var blobs: Set<Digest> = []
    var openUploads: Set<String> = []
    /// Asked for by ``referrers(of:)``; `nil` doesn't know the question.
    var listedReferrers: [Digest: [Descriptor]]? = [:]
    /// What is listed as referring to what, where putting and listing are two things; `nil` where they are one.
    var ownLists: [Digest: Set<Digest>]?
    /// What ``listDigestTags()`` answers; `nil` where tags aren't listed for the sake of one image.
    var digestTagListing: DigestTagListing?
    var fixedTags: TagImmutability? = TagImmutability(byDefault: false)
    var listed: [ListedImage] = []
    var unusableTags: [ImageSelection.UnusableTag] = []
    /// Said to be there by whoever is asked for it, though it is not.
    var pretended: Set<Digest> = []
    /// Whether a refusal names what is missing, and itself.
    var namesWhatIsMissing = false
    /// How a refusal is called, if not as ECR does.
    var refusalCode: String?
    var exists = true
    var mounts: Set<String> = []
    var readFailures: [ManifestID: CopyError.Reason] = [:]
    /// What every request for the sink of an upload throws, as when a token can't be renewed.
    var sinkError: (any Error)?
    /// Called before an upload is opened and before a manifest is put, with the call.
    var gate: (@Sendable (_ call: String) async -> Void)?
    private(set) var violations: [String] = []
    private var failures: [(prefix: String, error: any Error, left: Int)] = []
    private var hooks: [(prefix: String, action: @Sendable (isolated FakeRepository) -> Void)] = []
    private var uploads = 0

    init(
        _ side: CopyError.Side,
        _ name: String,
        _ journal: Journal,
        registry: String? = nil,
        parts: (any PartUploading)? = nil,
        takesIndexesOfBlobs: Bool = true
    ) throws {
        partUploads = parts
        self.takesIndexesOfBlobs = takesIndexesOfBlobs
        let registry = registry ?? "\(side.rawValue).test"
        reference = try ImageReference(parsing: "\(registry)/\(name)")
        (self.side, self.journal, host, registryKey) = (side, journal, registry, registry)
    }

    private nonisolated var name: String { reference.repository.value }

    /// Lets the next calls that begin with `prefix` fail.
    func fail(_ prefix: String, _ error: any Error, times: Int = 1) { failures.append((prefix, error, times)) }

    /// The same, with an error as this repository would throw it.
    func refuse(_ prefix: String, _ reason: CopyError.Reason, times: Int = 1) {
        let operation = String(prefix.prefix { $0 != " " })
        fail(prefix, CopyError(reason, side: side, image: reference, operation: operation), times: times)
    }

    /// Does something right before the next call that begins with `prefix`.
    func before(_ prefix: String, _ action: @escaping @Sendable (isolated FakeRepository) -> Void) {
        hooks.append((prefix, action))
    }

    func change(_ action: @Sendable (isolated FakeRepository) -> Void) { action(self) }

    private func begin(_ call: String) throws {
        journal.note("\(name) \(call)")
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
            if case .digest(let digest) = id, pretended.contains(digest), !wanted.contains(id) {
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
        return Set(asked.map(\.digest)).subtracting(blobs).subtracting(pretended)
    }

    func source(of blob: Descriptor) throws -> RelaySource {
        try begin("source \(blob.digest.short)")
        return .request(WireRequest(.get, try HTTPURL("https://\(host)/\(name)/\(blob.digest.hex)")))
    }

    func sourceRefused(_ answer: WireResponse, to request: WireRequest) {
        journal.note("\(name) refused \(answer.status.code)")
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
            if let sinkError { throw sinkError }
            let location = try HTTPURL("https://\(host)/\(name)/uploads/\(number)")
            let answer = try await incoming.send(to: .request(WireRequest(.put, location)))
            guard answer.status.kind != .successful else { return .stored }
            throw try refusal(answer, of: blob)
        } catch {
            // As a task that isn't cancelled: the registry gets the request.
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
        journal.note("\(name) close \(number)\(Task.isCancelled ? " cancelled" : "")")
        openUploads.remove(number)
    }

    /// What a relay that went well does to this end.
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
    /// Short, for a journal.
    var shown: String {
        [tag?.value, digest?.short].compactMap { $0 }.joined(separator: "@")
    }
}

/// A wire between fake repositories: what is at the source's end arrives, unless the script says otherwise.
final class FakeRelay: BlobRelaying {
    enum Act: Sendable {
        case outcome(RelayOutcome)
        case failure(any Error)
        /// The blob arrives, and the answer is lost.
        case lostAnswer
        /// One of several sinks fails, the others get the blob.
        case atOneSink(Int, WireError)
        /// The blob arrives when this is over.
        case after(@Sendable () async -> Void)
    }

    private struct State: Sendable {
        var ends: [String: FakeRepository] = [:]
        var script: [Digest: [Act]] = [:]
        var inFlight = 0
        var most = 0
        var urls: [String] = []
    }

    private let state = Lock(State())
    private let gate: (@Sendable () async throws -> Void)?
    let journal: Journal

    init(_ journal: Journal, gate: (@Sendable () async throws -> Void)? = nil) {
        (self.journal, self.gate) = (journal, gate)
    }

    func connect(_ repositories: FakeRepository...) {
        state.withLock { state in
            for repository in repositories { state.ends["\(repository.reference)"] = repository }
        }
    }

    func plan(_ digest: Digest, _ acts: Act...) { state.withLock { $0.script[digest, default: []] += acts } }

    /// The largest number of relays that were in flight at once.
    var most: Int { state.withLock { $0.most } }
    /// Where the bytes were asked for.
    var urls: [String] { state.withLock { $0.urls } }

    func relay(_ request: RelayRequest) async throws -> [RelayResult] {
        let sinks = request.sinks.compactMap { if case .request(let to) = $0 { to.url } else { nil } }
        if case .bytes(let bytes) = request.source {
            journal.note("carried \(request.digest.short)")
            guard Digest(of: bytes) == request.digest, bytes.count == request.size else { return [] }
            for url in sinks { await end(url)?.accept(request.digest, url) }
            return sinks.map { _ in .success(.stored(WireResponse(status: .created))) }
        }
        guard case .request(let from) = request.source else { return [] }
        journal.note("relay \(request.digest.short)" + (sinks.count > 1 ? " x\(sinks.count)" : ""))
        let act = state.withLock { state -> Act? in
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
        switch act {
        case .outcome(let outcome): return sinks.map { _ in .success(outcome) }
        case .failure(let error as WireError): return sinks.map { _ in .failure(error) }
        case .failure(let error): throw error
        case .lostAnswer:
            await end(sinks[0])?.accept(request.digest, sinks[0])
            return [.failure(WireError(.disconnected, "cut", url: sinks[0], end: .destination))]
        case .atOneSink(let index, let error):
            for (number, url) in sinks.enumerated() where number != index {
                await end(url)?.accept(request.digest, url)
            }
            return sinks.indices.map {
                $0 == index ? .failure(error) : .success(.stored(WireResponse(status: .created)))
            }
        case .after(let wait):
            await wait()
            return await carry(request, from.url, sinks)
        case nil: return await carry(request, from.url, sinks)
        }
    }

    private func carry(_ request: RelayRequest, _ from: HTTPURL, _ sinks: [HTTPURL]) async -> [RelayResult] {
        guard let source = end(from), await source.blobs.contains(request.digest) else {
            return sinks.map { _ in .success(.sourceAnswered(WireResponse(status: .notFound))) }
        }
        for (index, url) in sinks.enumerated() {
            request.progress?(index, Int(request.size))
            await end(url)?.accept(request.digest, url)
        }
        return sinks.map { _ in .success(.stored(WireResponse(status: .created))) }
    }

    private func end(_ url: HTTPURL) -> FakeRepository? {
        state.withLock { state in
            state.ends.first { url.text.hasPrefix("https://\($0.key)/") }?.value
        }
    }
}

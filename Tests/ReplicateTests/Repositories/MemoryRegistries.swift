import AWSIdentity
import Content
import HTTPTypes
import Logging
import Platform
import TestClouds
import Wire

@testable import Replicate

/// Plain registries in memory, at `source.example` and `destination.example`, that do what the specification asks.
///
/// A bend answers chosen requests in its own way. A registry refuses a manifest while anything it names is missing.
final class MemoryRegistries: HTTPSending, BlobRelaying {
    struct Repository: Sendable {
        var manifests: [Digest: Manifest] = [:]
        var tags: [String: Digest] = [:]
        var blobs: Set<Digest> = []

        mutating func seed(_ image: FakeImage, tag: String? = nil) {
            for manifest in image.manifests { manifests[manifest.digest] = manifest }
            blobs.formUnion(image.blobs.map(\.digest))
            if let tag { tags[tag] = image.digest }
        }
    }

    /// What is answered instead; `nil` where nothing is to be bent.
    typealias Bend = @Sendable (WireRequest) -> WireResponse?

    private struct State: Sendable {
        /// By host and name, as `source.example/team/app`.
        var repositories: [String: Repository] = [:]
        var requests: [WireRequest] = []
        /// Requests that were answered by the bend.
        var bent = 0
    }

    private let state = Lock(State())
    private let knowsReferrers: Bool
    private let bend: Bend

    init(knowsReferrers: Bool = true, _ bend: @escaping Bend = { _ in nil }) {
        (self.knowsReferrers, self.bend) = (knowsReferrers, bend)
    }

    var requests: [WireRequest] { state.withLock { $0.requests } }
    var bentCount: Int { state.withLock { $0.bent } }

    subscript(_ place: String) -> Repository {
        get { state.withLock { $0.repositories[place] ?? Repository() } }
        set { state.withLock { $0.repositories[place] = newValue } }
    }

    func send(_ request: WireRequest) async throws -> WireResponse {
        state.withLock { $0.requests.append(request) }
        if let bent = bend(request) {
            state.withLock { $0.bent += 1 }
            return bent
        }
        return state.withLock { answer(request, &$0) }
    }

    func relay(_ request: RelayRequest) async throws -> [RelayResult] {
        guard case .request(let from) = request.source, let (source, _, _) = place(of: from) else { return [] }
        return state.withLock { state in
            guard state.repositories[source]?.blobs.contains(request.digest) == true else {
                return request.sinks.map { _ in .success(.sourceAnswered(WireResponse(status: .notFound))) }
            }
            return request.sinks.map { sink in
                if case .request(let to) = sink, let (destination, _, _) = place(of: to) {
                    state.repositories[destination, default: Repository()].blobs.insert(request.digest)
                }
                return .success(.stored(WireResponse(status: .created)))
            }
        }
    }

    /// The repository, the kind of thing and its name.
    private func place(of request: WireRequest) -> (repository: String, kind: String, name: String)? {
        var parts = request.url.path.split(separator: "/").map(String.init)
        guard parts.count >= 5, parts.removeFirst() == "v2" else { return nil }
        let isUpload = request.url.path.contains("/blobs/uploads")
        let name = isUpload ? "uploads" : parts.removeLast()
        guard let end = parts.firstIndex(where: { ["manifests", "blobs", "tags", "referrers"].contains($0) }) else {
            return nil
        }
        return ("\(request.url.host)/\(parts[..<end].joined(separator: "/"))", parts[end], name)
    }

    private func answer(_ request: WireRequest, _ state: inout State) -> WireResponse {
        guard let (place, kind, name) = place(of: request) else { return .refusal(404, "NOT_FOUND") }
        if kind == "blobs", name == "uploads" {
            return WireResponse(status: .accepted, fields: [.location: "\(request.url.path)1?state=x"])
        }
        if kind == "manifests", request.method == .put { return put(request, place, name, &state) }
        guard let repository = state.repositories[place] else { return .refusal(404, "NAME_UNKNOWN") }
        switch kind {
        case "manifests":
            let digest = repository.tags[name] ?? (try? Digest(parsing: name))
            guard let digest, let manifest = repository.manifests[digest] else {
                return .refusal(404, "MANIFEST_UNKNOWN")
            }
            return WireResponse(manifest, withBody: request.method == .get)
        case "blobs":
            let isThere = (try? Digest(parsing: name)).map(repository.blobs.contains) ?? false
            return isThere ? WireResponse(status: .ok) : .refusal(404, "BLOB_UNKNOWN")
        case "tags":
            let tags = repository.tags.keys.sorted().map { #""\#($0)""# }.joined(separator: ",")
            return .json(200, #"{"name":"x","tags":[\#(tags)]}"#)
        default:
            guard knowsReferrers else { return .text(404, "404 page not found") }
            let found = repository.manifests.values.filter { $0.subject?.digest.description == name }
            return .list(found.map(\.descriptor).sorted { $0.digest < $1.digest })
        }
    }

    private func put(_ request: WireRequest, _ place: String, _ name: String, _ state: inout State) -> WireResponse {
        guard let manifest = try? Manifest(bytes: request.body) else { return .refusal(400, "MANIFEST_INVALID") }
        var repository = state.repositories[place] ?? Repository()
        let isWhole =
            repository.blobs.isSuperset(of: manifest.blobs.map(\.digest))
            && manifest.children.allSatisfy { repository.manifests[$0.digest] != nil }
        guard isWhole else { return .refusal(404, "MANIFEST_BLOB_UNKNOWN") }
        repository.manifests[manifest.digest] = manifest
        if (try? Digest(parsing: name)) == nil { repository.tags[name] = manifest.digest }
        state.repositories[place] = repository
        var response = WireResponse(status: .created)
        if knowsReferrers, let subject = manifest.subject?.digest, let field = HTTPField.Name("OCI-Subject") {
            response.fields[field] = "\(subject)"
        }
        return response
    }

    /// A run of the tool between the two registries, whose waits take no time.
    func replicator(attempts: Int = 3) -> TestEngine {
        let retry = RetryPolicy(attempts: attempts, clock: InstantClock(), jitter: { 1 })
        let logger = Logger(label: "memory") { _ in SwiftLogNoOpLogHandler() }
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: [:], home: "/nonexistent"),
            sender: self,
            retry: retry,
            logger: logger
        )
        return TestEngine(
            opener: RepositoryOpener(resolver: resolver, sender: self, retry: retry, logger: logger),
            relay: self,
            retry: retry,
            source: SideOptions(),
            destination: SideOptions(),
            report: { _ in }
        )
    }

    /// Copies `source.example/team/app` to the same name at `destination.example`.
    func copy(
        _ source: String = ":v1",
        _ selection: CopyRequest.Selection? = nil,
        _ options: CopyOptions = CopyOptions(referrers: .all)
    ) async throws -> [CopyResult] {
        let reference = try ImageReference(parsing: "source.example/team/app\(source)")
        return try await replicator().copy(
            reference,
            selection ?? .named,
            to: [try DestinationReference(parsing: "destination.example/")],
            tags: [],
            options
        )
    }
}

extension WireResponse {
    static func text(_ status: Int, _ text: String, _ fields: HTTPFields = [:]) -> WireResponse {
        var response = WireResponse(status: .init(code: status), fields: fields, body: Array(text.utf8))
        if response.fields[.contentType] == nil { response.fields[.contentType] = "text/html; charset=utf-8" }
        return response
    }

    static func json(_ status: Int, _ text: String) -> WireResponse {
        .text(status, text, [.contentType: "application/json"])
    }

    static func refusal(_ status: Int, _ code: String) -> WireResponse {
        .json(status, #"{"errors":[{"code":"\#(code)","message":"\#(code.lowercased())"}]}"#)
    }

    static func redirect(_ status: Int, _ location: String) -> WireResponse {
        WireResponse(status: .init(code: status), fields: [.location: location])
    }

    static func list(_ entries: [Descriptor], odd: [String] = []) -> WireResponse {
        let texts = entries.map { #"{"mediaType":"\#($0.mediaType)","digest":"\#($0.digest)","size":\#($0.size)}"# }
        let all = (odd + texts).joined(separator: ",")
        let text = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(all)]}"#
        return .text(200, text, [.contentType: MediaType.ociIndex.rawValue])
    }

    fileprivate init(_ manifest: Manifest, withBody: Bool) {
        self.init(status: .ok, fields: [.contentType: manifest.mediaType.rawValue])
        if let field = HTTPField.Name("Docker-Content-Digest") { fields[field] = "\(manifest.digest)" }
        if withBody { body = manifest.bytes }
    }
}

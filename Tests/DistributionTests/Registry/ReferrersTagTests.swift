import Content
import Distribution
import HTTPTypes
import Platform
import Testing
import Wire

@Suite("The list of referrers under a fallback tag", .timeLimit(.minutes(1)))
struct ReferrersTagTests {
    private static let subject = Digest(of: "subject".utf8)
    private let subject = subject

    private func entry(_ name: String) -> Descriptor {
        Descriptor(
            mediaType: .ociManifest,
            digest: Digest(of: name.utf8),
            size: Int64(name.utf8.count),
            artifactType: name
        )
    }

    private func add(_ names: String..., at fixture: ListFixture, preferring whole: Manifest? = nil) async throws {
        try await fixture.client.list(
            names.map(entry),
            asReferrersTo: subject,
            in: fixture.repository,
            preferring: whole
        )
    }

    private func list(_ names: String..., blank: String = "") throws -> Manifest {
        let entries = names.map { name in
            let entry = entry(name)
            return #"{"mediaType":"\#(entry.mediaType)","digest":"\#(entry.digest)","size":\#(entry.size),"x":1}"#
        }
        let text =
            #"{"schemaVersion":2,\#(blank)"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries.joined(separator: ","))]}"#
        return try Manifest(bytes: Array(text.utf8))
    }

    @Test("begins with the first entry, grows at its end, and is unchanged if every entry is listed")
    func grows() async throws {
        let fixture = try ListFixture(subject)
        try await add("a", at: fixture)
        try await add("b", "a", at: fixture)
        try await add("a", "b", at: fixture)
        #expect(try fixture.listed == [entry("a"), entry("b")])
        #expect(fixture.registry.asked == ["GET", "PUT", "HEAD", "GET", "PUT", "HEAD", "GET"])
        #expect(fixture.registry.requests[1].fields[.contentType] == MediaType.ociIndex.rawValue)
        #expect(try await fixture.client.listedReferrers(of: subject, in: fixture.repository).count == 2)
    }

    @Test("keeps the entries of others, byte for byte")
    func keeps() async throws {
        let existing = try list("theirs", blank: "\n   ")
        let fixture = try ListFixture(subject, holding: existing)
        try await add("ours", at: fixture)
        let text = String(decoding: fixture.registry.held, as: UTF8.self)
        #expect(text.hasPrefix(String(existing.text.dropLast(2))))
        #expect(try fixture.listed.map(\.digest) == [entry("theirs"), entry("ours")].map(\.digest))
    }

    @Test("is the source's own list, unless that would lose an entry")
    func preferring() async throws {
        let whole = try list("a", "b", blank: " ")
        for held in [nil, try list("a"), try list("b", "a")] {
            let fixture = try ListFixture(subject, holding: held)
            try await add("a", "b", at: fixture, preferring: whole)
            #expect(fixture.registry.held == whole.bytes)
            try await add("a", "b", at: fixture, preferring: whole)
            #expect(fixture.registry.asked.count { $0 == "PUT" } == 1)
        }
        let more = try ListFixture(subject, holding: list("c", "a"))
        try await add("a", "b", at: more, preferring: whole)
        #expect(try more.listed.map(\.digest) == ["c", "a", "b"].map { entry($0).digest })
    }

    @Test("that another process wrote at the same time is read again")
    func race() async throws {
        let fixture = try ListFixture(subject)
        // The other process read at the same time, and wrote after us.
        let theirs = try list("theirs")
        fixture.registry.afterPut { $0 = $1 == 1 ? theirs.bytes : $0 }
        try await add("ours", at: fixture)
        #expect(try fixture.listed.map(\.digest) == [entry("theirs"), entry("ours")].map(\.digest))
        #expect(fixture.registry.asked == ["GET", "PUT", "HEAD", "GET", "PUT", "HEAD"])

        // The other process kept our entry, so nothing is missing.
        let both = try list("ours", "theirs")
        let kind = try ListFixture(subject)
        kind.registry.afterPut { held, _ in held = both.bytes }
        try await add("ours", at: kind)
        #expect(kind.registry.asked == ["GET", "PUT", "HEAD", "GET"])
    }

    @Test("that others keep changing is an error in the end")
    func neverOurs() async throws {
        let fixture = try ListFixture(subject)
        let theirs = try list("theirs")
        fixture.registry.afterPut { held, _ in held = theirs.bytes }
        let error = try await registryError { try await add("ours", at: fixture) }
        #expect(error.operation == .writeManifest && error.message.contains("keep changing the list"))
        #expect(fixture.registry.asked.count { $0 == "PUT" } == 5)
    }

    @Test("is changed by one task at a time in this process")
    func oneAtATime() async throws {
        let fixture = try ListFixture(subject)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 { group.addTask { try await add("\(number)", at: fixture) } }
            try await group.waitForAll()
        }
        #expect(Set(try fixture.listed.map(\.digest)) == Set((0..<20).map { entry("\($0)").digest }))
        #expect(fixture.registry.asked.count == 60, "no task needed a second attempt")
    }

    @Test("does not replace a tag that holds another kind of manifest")
    func noList() async throws {
        let fixture = try ListFixture(subject, holding: Manifest(bytes: Array(imageText.utf8)))
        let error = try await registryError { try await add("ours", at: fixture) }
        #expect(error.message.contains("holds \(MediaType.ociManifest) instead of a list of referrers"))
        #expect(fixture.registry.held == Array(imageText.utf8))
    }

    @Test("is not written if the tag is an alias of the image, as in GitLab's registry")
    func alias() async throws {
        let text = imageText
        let image = try Manifest(bytes: Array(text.utf8))
        let fixture = try ListFixture(image.digest, holding: image)
        let error = try await registryError {
            try await fixture.client.list([entry("ours")], asReferrersTo: image.digest, in: fixture.repository)
        }
        #expect(error.message.contains("returns the image itself"))
        #expect(fixture.registry.asked == ["GET"], "there is no PUT")
        #expect(try await fixture.client.listedReferrers(of: image.digest, in: fixture.repository) == [])
    }

    @Test("leaves out missing entries if the registry refuses it because of them")
    func goneEntries() async throws {
        let fixture = try ListFixture(subject, holding: list("gone", "there", blank: " "))
        fixture.registry.holds([entry("there").digest, entry("ours").digest])
        try await add("ours", at: fixture)
        #expect(try fixture.listed.map(\.digest) == [entry("there"), entry("ours")].map(\.digest))
        #expect(
            String(decoding: fixture.registry.held, as: UTF8.self).contains(#""x":1"#),
            "the rest is unchanged, byte for byte"
        )
    }

    @Test("grows also if it is null, or has an entry that can't be used")
    func oddLists() async throws {
        let none = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":null}"#
        let fixture = try ListFixture(subject, holding: Manifest(bytes: Array(none.utf8)))
        try await add("ours", at: fixture)
        #expect(try fixture.listed == [entry("ours")])

        let odd = #"{"mediaType":"a/b","digest":"sha512:00","size":1}"#
        let list = none.replacing("null", with: "[\(odd)]")
        let other = try ListFixture(subject, holding: Manifest(bytes: Array(list.utf8)))
        try await add("ours", at: other)
        #expect(try other.listed == [entry("ours")])
        #expect(String(decoding: other.registry.held, as: UTF8.self).contains(odd))
    }

    @Test("has entries with the manifest's type, or its configuration's, and its annotations")
    func listing() throws {
        let manifest = try Manifest(bytes: Array(imageText.utf8))
        #expect(manifest.listing.artifactType == "application/vnd.oci.image.config.v1+json")
        let text = imageText.replacing(
            #""layers": []"#,
            with: #""layers": [], "artifactType":"a/b", "annotations":{"k":"v"}"#
        )
        let typed = try Manifest(bytes: Array(text.utf8))
        #expect(typed.listing.artifactType == "a/b" && typed.listing.annotations == ["k": "v"])
        #expect(typed.listing.digest == typed.digest && typed.listing.size == Int64(typed.bytes.count))
    }

    @Test("is not needed if the registry lists referrers itself, as OCI-Subject says")
    func ociSubject() async throws {
        let manifest = try Manifest(bytes: Array(imageText.utf8))
        for (fields, isListed) in [([:], false), (["OCI-Subject": "\(subject)"], true)] as [([String: String], Bool)] {
            let fixture = try Fixture(.answer(201, fields))
            let stored = try await fixture.client.putManifest(
                manifest,
                as: .digest(imageDigest),
                in: fixture.repository
            )
            #expect(stored.isListed == isListed)
        }
    }

    @Test("has a tag with the subject's digest")
    func tag() throws {
        let tag = try Tag(listingReferrersTo: subject)
        #expect(tag.value == "sha256-\(subject.hex)" && tag.subject == subject)
        for text in ["v1", "sha256-\(subject.hex).sig", "sha256-\(subject.hex.dropLast())", "sha512-\(subject.hex)"] {
            #expect(try Tag(parsing: text).subject == nil)
        }
    }
}

/// A registry with one tag.
private final class OneTagRegistry: HTTPSending {
    private struct State: Sendable {
        var held: [UInt8]?
        var requests: [WireRequest] = []
        var puts = 0
        /// The other manifests, which a list may name; `nil` for a registry that doesn't check.
        var manifests: Set<Digest>?
        var afterPut: (@Sendable (inout [UInt8]?, Int) -> Void)?
    }

    private let state: Lock<State>
    private let path: String

    init(_ path: String, _ held: [UInt8]?) {
        self.path = path
        state = Lock(State(held: held))
    }

    var held: [UInt8] { state.withLock { $0.held ?? [] } }
    var requests: [WireRequest] { state.withLock { $0.requests } }
    var asked: [String] { requests.map { "\($0.method)" } }

    func holds(_ manifests: Set<Digest>) { state.withLock { $0.manifests = manifests } }

    /// Sets the changes of another process after each PUT, which is numbered from 1.
    func afterPut(_ body: @escaping @Sendable (inout [UInt8]?, Int) -> Void) { state.withLock { $0.afterPut = body } }

    func send(_ request: WireRequest) async throws -> WireResponse {
        // Other tasks run before each answer.
        await Task.yield()
        return state.withLock { state in
            state.requests.append(request)
            if let named = request.url.path.split(separator: "/").last.flatMap({ try? Digest(parsing: String($0)) }),
                let manifests = state.manifests
            {
                var response = WireResponse(status: manifests.contains(named) ? .ok : .notFound)
                if let name = HTTPField.Name("Docker-Content-Digest") { response.fields[name] = "\(named)" }
                return response
            }
            guard request.url.path == path else { return WireResponse(status: .badRequest) }
            if request.method == .put {
                let children = (try? Manifest(bytes: request.body).children.map(\.digest)) ?? []
                if let manifests = state.manifests, !manifests.isSuperset(of: children) {
                    return WireResponse(
                        status: .notFound,
                        body: Array(errors("MANIFEST_BLOB_UNKNOWN", "unknown to registry").utf8)
                    )
                }
                state.held = request.body
                state.puts += 1
                state.afterPut?(&state.held, state.puts)
                return WireResponse(status: .created)
            }
            guard let held = state.held else { return WireResponse(status: .notFound) }
            let type = (try? Manifest(bytes: held))?.mediaType.rawValue ?? ""
            var response = WireResponse(status: .ok, fields: [.contentType: type])
            if let name = HTTPField.Name("Docker-Content-Digest") { response.fields[name] = "\(Digest(of: held))" }
            if request.method == .get { response.body = held }
            return response
        }
    }
}

private struct ListFixture {
    let registry: OneTagRegistry
    let client: RegistryClient
    let repository: RepositoryName

    init(_ subject: Digest, holding held: Manifest? = nil) throws {
        repository = try RepositoryName(parsing: "team/app")
        registry = OneTagRegistry("/v2/team/app/manifests/sha256-\(subject.hex)", held?.bytes)
        client = RegistryClient(
            base: try HTTPURL("https://r.example"),
            authorization: AnonymousAuthorization(),
            sender: registry,
            retry: RetryPolicy(attempts: 1),
            logger: quiet
        )
    }

    var listed: [Descriptor] { get throws { try Manifest(bytes: registry.held).children } }
}

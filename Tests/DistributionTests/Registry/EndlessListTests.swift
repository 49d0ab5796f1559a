import Content
import Platform
import TestDoubles
import Testing
import Wire

@testable import Distribution

/// A registry whose lists never end.
private final class EndlessRegistry: HTTPSending {
    private let count = Lock(0)
    private let page: @Sendable (Int) -> String

    init(_ page: @escaping @Sendable (Int) -> String) { self.page = page }

    var pages: Int { count.withLock { $0 } }

    func send(_ request: WireRequest) async throws -> WireResponse {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let fields = ["Link": "<?next=\(number)>; rel=next", "Content-Type": MediaType.ociIndex.rawValue]
        return try response(200, fields, page(number))
    }

    func client() throws -> RegistryClient {
        RegistryClient(
            base: try HTTPURL("https://r.example"),
            authorization: AnonymousAuthorization(),
            sender: self,
            retry: RetryPolicy(attempts: 3, clock: RecordingClock(), jitter: { 1 }),
            logger: quiet
        )
    }
}

@Suite("Lists without end", .timeLimit(.minutes(1)))
struct EndlessListTests {
    private let repository: RepositoryName

    init() throws { repository = try RepositoryName(parsing: "team/app") }

    private func tagError(_ registry: EndlessRegistry) async throws -> RegistryError {
        let client = try registry.client()
        return try await registryError { try await client.tagPages(of: repository) { _ in } }
    }

    @Test("of tags stop at the limit of tags")
    func tags() async throws {
        let registry = EndlessRegistry { page in
            #"{"tags":["# + (0..<10_000).map { "\"t\(page)-\($0)\"" }.joined(separator: ",") + "]}"
        }
        let error = try await tagError(registry)
        #expect(error.kind == .malformedAnswer && error.message.contains("more than 500000 tags"))
        #expect(registry.pages == 51)
    }

    @Test(
        "of tags stop after too many empty pages in a row",
        arguments: [#"{"tags":[]}"#, #"{"tags":null}"#, "null", "{}"]
    )
    func emptyPages(_ page: String) async throws {
        let registry = EndlessRegistry { _ in page }
        let error = try await tagError(registry)
        #expect(error.message.contains("100 pages in a row without an entry"))
        #expect(registry.pages == 101)
    }

    @Test("of tags stop at the limit of pages, and at the limit of bytes")
    func pages() async throws {
        let small = EndlessRegistry { #"{"tags":["t\#($0)"]}"# }
        #expect(try await tagError(small).message.contains("more than 10000 pages"))
        #expect(small.pages == 10_000)
        let blanks = String(repeating: " ", count: 1 << 20)
        let large = EndlessRegistry { #"{"tags":["t\#($0)"]\#(blanks)}"# }
        #expect(try await tagError(large).message.contains("bytes"))
        #expect(large.pages == 32)
    }

    @Test("of referrers are used as far as they were read")
    func referrers() async throws {
        let registry = EndlessRegistry { page in
            let entries = (0..<1_000).map { number in
                #"{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(Digest(of: "\(page)-\(number)".utf8))","size":1}"#
            }
            return
                #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociIndex)","manifests":[\#(entries.joined(separator: ","))]}"#
        }
        let found = try #require(try await registry.client().referrers(of: someDigest, in: repository))
        #expect((found.interruption as? RegistryError)?.message.contains("more than 4000 referrers") == true)
        #expect(registry.pages == 5)
    }

    @Test(
        "with too many values or levels are malformed",
        arguments: [
            String(repeating: "[", count: 100_000),
            #"{"tags":"# + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "}",
            #"{"a":"# + String(repeating: #"{"a":"#, count: 100_000) + "1" + String(repeating: "}", count: 100_001),
            #"{"tags":["# + String(repeating: "{},", count: 200_000) + "{}]}",
        ]
    )
    func shapes(_ body: String) async throws {
        let fixture = try Fixture(.answer(200, [:], body), .answer(200, [:], body), .answer(200, [:], body))
        let error = try await registryError { try await fixture.client.tags(of: fixture.repository) }
        #expect(error.kind == .malformedAnswer)
        #expect(throws: (any Error).self) { try Manifest(bytes: Array(body.utf8)) }
        // A refusal has its own status, whatever its body.
        let odd: [String: String] = ["Content-Type": "text/plain"]
        // The first page is requested again without the number of tags.
        let refusal = try Fixture(.answer(418, odd, body), .answer(418, odd, body), attempts: 1)
        let refused = try await registryError { try await refusal.client.tags(of: refusal.repository) }
        #expect(refused.status == 418)
    }
}

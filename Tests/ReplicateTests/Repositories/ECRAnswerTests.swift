import Content
import FoundationEssentials
import HTTPTypes
import Platform
import TestClouds
import Testing
import Wire

@testable import Replicate

/// Answers of ECR's API, or of a substitute for it, that do not fit the request.
@Suite("Unexpected answers of ECR's API")
struct ECRAnswerTests {
    private static let image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app"

    private static func manifest(_ name: String) -> String {
        #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"#
            + #""application/vnd.oci.image.config.v1+json","digest":"\#(Digest(of: name.utf8))","size":2},"layers":[]}"#
    }

    private static func digest(_ name: String) -> String { "\(Digest(of: manifest(name).utf8))" }

    /// The JSON of one image in an answer.
    private static func entry(_ name: String, tag: String? = nil, digest: String? = nil) throws -> String {
        let text = String(decoding: try JSONEncoder().encode(manifest(name)), as: UTF8.self)
        let tag = tag.map { #""imageTag":"\#($0)","# } ?? ""
        return #"{"imageId":{\#(tag)"imageDigest":"\#(digest ?? Self.digest(name))"},"imageManifest":\#(text)}"#
    }

    private func inspect(_ suffix: String, _ body: String) async throws -> Inspection {
        let sender = ScriptedECR(body: body)
        let retry = RetryPolicy(attempts: 2, clock: InstantClock(), jitter: { 1 })
        let replicator = Replicator(
            opener: .forTests(sender, retry, variables: staticKeys),
            relay: FakeRelay(CallLog()),
            retry: retry
        )
        return try await replicator.inspect(ImageReference(parsing: Self.image + suffix), referrers: .none)
    }

    @Test("Repeated and unrequested images in an answer are ignored")
    func repeated() async throws {
        let (one, other) = (try Self.entry("a", tag: "v1"), try Self.entry("b", tag: "v2"))
        for images in ["\(one),\(one)", "\(other),\(one)", "\(one),\(other)"] {
            let found = try await inspect(":v1", #"{"images":[\#(images)],"failures":[]}"#)
            #expect("\(found.digest)" == Self.digest("a"))
        }
    }

    @Test("An answer with duplicate JSON members never yields an image with another digest")
    func duplicateKeys() async throws {
        let good = try Self.entry("a", tag: "v1")
        let found = try? await inspect(":v1", #"{"images":[],"images":[\#(good)],"failures":[]}"#)
        if let found { #expect("\(found.digest)" == Self.digest("a")) }
        let twice = good.replacing(#""imageDigest":"#, with: #""imageDigest":"\#(Self.digest("b"))","imageDigest":"#)
        let checked = try? await inspect(":v1", #"{"images":[\#(twice)],"failures":[]}"#)
        if let checked { #expect("\(checked.digest)" == Self.digest("a")) }
        // Only one of the two tags was requested.
        let tags = good.replacing(#""imageTag":"v1""#, with: #""imageTag":"v1","imageTag":"v2""#)
        let tagged = try? await inspect(":v1", #"{"images":[\#(tags)],"failures":[]}"#)
        if let tagged { #expect("\(tagged.digest)" == Self.digest("a")) }
    }

    @Test("An answer with another image than the requested digest is an error")
    func otherDigest() async throws {
        let wanted = "@\(Self.digest("a"))"
        for entry in [
            try Self.entry("b"), try Self.entry("b", digest: Self.digest("a")),
            try Self.entry("a", digest: Self.digest("a").uppercased()),
            try Self.entry("a", digest: "sha256:" + Self.digest("a").dropFirst(7).uppercased()),
        ] {
            await #expect(throws: CopyError.self, "\(entry)") {
                try await inspect(wanted, #"{"images":[\#(entry)],"failures":[]}"#)
            }
        }
    }

    @Test("An answer whose image does not match its digest or the requested tag is an error")
    func otherContent() async throws {
        for entry in [
            try Self.entry("b", tag: "v1", digest: Self.digest("a")),
            try Self.entry("a", tag: "v1", digest: "sha256:" + Self.digest("a").dropFirst(7).uppercased()),
            try Self.entry("a", tag: "v2"),
        ] {
            await #expect(throws: CopyError.self, "\(entry)") {
                try await inspect(":v1", #"{"images":[\#(entry)],"failures":[]}"#)
            }
        }
    }
}

private struct ScriptedECR: HTTPSending {
    let body: String

    func send(_ request: WireRequest) async throws -> WireResponse {
        WireResponse(status: .ok, body: Array(body.utf8))
    }
}

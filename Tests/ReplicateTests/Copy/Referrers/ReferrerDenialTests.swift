import Content
import Reporting
import Testing
import Wire

@testable import Replicate

/// A denied request for an image's list of referrers fails its copy; a denied read of one referrer does not.
@Suite("Denied referrers")
struct ReferrerDenialTests {
    private let image: FakeImage
    private let signature: FakeImage
    private let sbom: FakeImage

    init() throws {
        image = try FakeImage.image("a")
        signature = try FakeImage.image("signature", layers: ["signed"], subject: image.digest)
        sbom = try FakeImage.image("sbom", layers: ["bill"], subject: image.digest)
    }

    private func registries(_ intercept: @escaping MemoryRegistries.Interceptor) -> MemoryRegistries {
        let registries = MemoryRegistries { request in
            guard request.url.host == "source.example" else { return nil }
            return intercept(request)
        }
        registries["source.example/team/app"].seed(image, tag: "v1")
        registries["source.example/team/app"].seed(signature)
        registries["source.example/team/app"].seed(sbom)
        return registries
    }

    @Test("A denied referrer is left out and named, and the others arrive", arguments: ["/manifests/", "/referrers/"])
    func denied(request path: String) async throws {
        let name = signature.digest.description
        let registries = registries { request in
            request.url.path.contains(path) && request.url.path.hasSuffix(name) ? .refusal(403, "DENIED") : nil
        }
        let results = try await registries.copy()
        let held = registries["destination.example/team/app"]
        #expect(ExitStatus.of(results) == 0 && held.tags["v1"] == image.digest)
        #expect(held.manifests[sbom.digest] != nil)
        #expect((held.manifests[signature.digest] != nil) == (path == "/referrers/"))
        let failures = try #require(results.receipt?.referrerFailures)
        #expect(failures.count == 1 && failures.first?.description.contains(name) == true, "\(failures)")
    }

    @Test("A denied referrers request for the image fails the copy", arguments: [401, 403])
    func question(status: Int) async throws {
        let name = image.digest.description
        let registries = registries { request in
            request.url.path.hasSuffix("/referrers/\(name)") ? .refusal(status, "DENIED") : nil
        }
        #expect(ExitStatus.of(try await registries.copy()) == ExitStatus.notPermitted)
    }

    @Test(
        "Denied tags that the tag listing lacks are ignored (Artifactory); without a listing they are reported"
    )
    func guessedTags() async throws {
        let isDigestTag: @Sendable (WireRequest) -> Bool = { $0.url.path.contains("/manifests/sha256-") }
        let artifactory = registries { isDigestTag($0) ? .refusal(403, "DENIED") : nil }
        let results = try await artifactory.copy()
        #expect(ExitStatus.of(results) == 0 && results.receipt?.referrerFailures.isEmpty == true)
        #expect(results.receipt?.referrers == 2)

        let unlisted = registries {
            isDigestTag($0) || $0.url.path.hasSuffix("/tags/list") ? .refusal(403, "DENIED") : nil
        }
        let failures = try #require(try await unlisted.copy().receipt?.referrerFailures)
        // One for the image, and one for each of its referrers.
        #expect(failures.count == 3 && failures.allSatisfy { $0.tag == nil }, "\(failures)")
        #expect(failures.contains { $0.subject == image.digest && $0.description.hasPrefix("referrers of ") })
    }

    @Test("A denied tag in the tag listing is left out and named")
    func listedTag() async throws {
        let tag = "sha256-\(image.digest.hex).sig"
        let registries = registries { $0.url.path.contains("/manifests/sha256-") ? .refusal(403, "DENIED") : nil }
        registries["source.example/team/app"].seed(try FakeImage.image("cosign"), tag: tag)
        let results = try await registries.copy()
        #expect(ExitStatus.of(results) == 0)
        let failures = try #require(results.receipt?.referrerFailures)
        #expect(failures.map(\.tag?.value) == [tag], "\(failures)")
    }
}

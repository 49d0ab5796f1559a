import Content
import Platform
import TestClouds
import Testing

@testable import Promotion

/// Entries of an index that are marked as attestations, and that a machine would run all the same.
@Suite("Images that are marked as attestations")
struct MarkedChildTests {
    private static let mark = #","annotations":{"vnd.docker.reference.type":"attestation-manifest"}"#
    /// What the platform of the marked entry says; clients choose an image by it, and take one without platform too.
    static let platforms = [
        #","platform":{"os":"linux","architecture":"arm64"}"#, "",
        #","platform":{"os":"unknown","architecture":"arm64"}"#,
    ]

    /// An index with an image, and another one that is marked as an attestation.
    private func index(_ platform: String) throws -> (scene: SignatureScene, honest: Manifest, marked: Manifest) {
        let honest = SignatureScene.imageManifest("honest")
        let marked = SignatureScene.imageManifest("marked")
        func entry(_ manifest: Manifest, _ more: String) -> String {
            #"{"mediaType":"\#(manifest.mediaType)","digest":"\#(manifest.digest)","size":\#(manifest.byteCount)\#(more)}"#
        }
        let text = """
            {"schemaVersion":2,"mediaType":"\(MediaType.ociIndex)","manifests":[\
            \(entry(honest, #","platform":{"os":"linux","architecture":"amd64"}"#)),\
            \(entry(marked, Self.mark + platform))]}
            """
        var scene = SignatureScene(try Manifest(bytes: Array(text.utf8)))
        for child in [honest, marked] { scene.source.manifests[child.digest] = child }
        return (scene, honest, marked)
    }

    @Test("must be scanned", arguments: platforms)
    func scan(_ platform: String) async throws {
        var (scene, honest, marked) = try index(platform)
        let gate = ScanGate(ScanRequirement(maxSeverity: .medium), now: { gateTime }, clock: InstantClock())
        scene.source.facts = FakeFacts([honest.digest: [[scanPage("COMPLETE")]]])
        #expect(try await gate.decide(about: scene.candidate).result == .unknown)
        scene.source.facts = FakeFacts([
            honest.digest: [[scanPage("COMPLETE")]], marked.digest: [[scanPage("COMPLETE", [("CVE-1", "CRITICAL")])]],
        ])
        #expect(try await gate.decide(about: scene.candidate).result == .failed)
    }

    @Test("must be signed and attested where each image must be", arguments: platforms)
    func signatures(_ platform: String) async throws {
        let spdx = "https://spdx.dev/Document"
        var (scene, honest, marked) = try index(platform)
        let signed = SignatureGate.test([.test(TestKeys.p256)], signsChildren: true)
        let attested = AttestationGate(
            requirements: [AttestationRequirement(type: .spdx, key: .test(TestKeys.p256))],
            attestsChildren: true
        )
        func vouch(for manifest: Manifest) {
            scene.signWithTag(TestKeys.p256, of: manifest.digest)
            let envelope = TestSigner.envelope(TestSigner.statement(manifest.digest.hex, spdx), TestKeys.p256)
            scene.attach(bundle: TestSigner.bundle(envelope), to: manifest)
        }
        vouch(for: honest)
        #expect(try await signed.decide(about: scene.candidate).result == .failed)
        #expect(try await attested.decide(about: scene.candidate).result == .failed)
        vouch(for: marked)
        #expect(try await signed.decide(about: scene.candidate).result == .passed)
        #expect(try await attested.decide(about: scene.candidate).result == .passed)
    }

    @Test("are not those of BuildKit, which are for no platform")
    func buildKit() async throws {
        var (scene, honest, _) = try index(#","platform":{"os":"unknown","architecture":"unknown"}"#)
        scene.signWithTag(TestKeys.p256, of: honest.digest)
        let gate = SignatureGate.test([.test(TestKeys.p256)], signsChildren: true)
        #expect(try await gate.decide(about: scene.candidate).result == .passed)
    }
}

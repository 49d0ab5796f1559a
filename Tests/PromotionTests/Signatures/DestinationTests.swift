import Content
import Platform
import Testing

@testable import Promotion

@Suite("Signatures at the destination", .timeLimit(.minutes(1)))
struct DestinationTests {
    @Test("are the same ones, verified once more")
    func confirmed() async throws {
        var scene = SignatureScene()
        scene.signWithTag(TestKeys.p256)
        scene.signWithBundle(TestKeys.p256)
        let gate = SignatureGate.test([.test(TestKeys.p256)])
        let report = try await gate.examine(scene.candidate)
        #expect(report.decision.result == .passed)
        #expect(try await gate.confirm(report, at: scene.candidate).result == .passed)
        var without = scene
        without.source.referrers = [:]
        let lacking = try await gate.confirm(report, at: without.candidate)
        #expect(lacking.result == .failed)
        #expect(lacking.reason.contains("did not arrive"))
        without.source.tags = [:]
        #expect(try await gate.confirm(report, at: without.candidate).result == .failed)
        // One more, such as that of ECR's managed signing, makes no difference.
        scene.signWithBundle(TestKeys.other)
        #expect(try await gate.confirm(report, at: scene.candidate).result == .passed)
    }

    @Test("by Notation are looked up by the repository of the source")
    func policy() async throws {
        var scene = SignatureScene()
        let made = TestNotation(TestKeys.p256, of: scene.image.descriptor)
        scene.attach(notation: made.jws(), NotationSignature.jwsType)
        let store = TrustStore.test([made.chain.root], kind: .authority, policy: TrustPolicyTests.policy())
        let key = SignatureKey(argument: "trust", content: .store(store))
        let gate = SignatureGate.test([key])
        let report = try await gate.examine(scene.candidate)
        #expect(report.decision.result == .passed)
        var copy = scene
        copy.reference = try ImageReference(parsing: "prod.example/team/app:v1")
        #expect(try await gate.confirm(report, at: copy.candidate).result == .passed)
        let notes = report.notes(at: copy.reference, keys: [key])
        #expect(notes.count == 1)
        #expect(notes.first?.contains("'prod.example/team/app'") == true)
        #expect(notes.first?.contains("registryScopes") == true)
        #expect(report.notes(at: scene.reference, keys: [key]).isEmpty)
    }

    @Test("in bundles alone are refused by a policy-controller that wants the tag")
    func bundlesOnly() async throws {
        var scene = SignatureScene()
        scene.signWithBundle(TestKeys.p256)
        let keys = [SignatureKey.test(TestKeys.p256)]
        let gate = SignatureGate.test(keys)
        #expect(
            try await gate.examine(scene.candidate).notes(at: scene.reference, keys: keys).first?.contains(
                "policy-controller"
            ) == true
        )
        scene.signWithTag(TestKeys.p256)
        #expect(try await gate.examine(scene.candidate).notes(at: scene.reference, keys: keys).isEmpty)
    }
}

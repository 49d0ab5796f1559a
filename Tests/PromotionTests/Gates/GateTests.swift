import Content
import Foundation
import Platform
import Replicate
import TestClouds
import Testing

@testable import Promotion

/// Gates on age, tags, lists and platforms, each allowed, denied and undecidable.
@Suite("Gates")
struct GateTests {
    @Test("min-age decides by the time of the push")
    func age() async throws {
        var scene = try GateScene.image()
        let gate = AgeGate(.seconds(3_600), now: { gateTime })
        #expect(try await scene.decide(gate).result == .unknown, "another registry knows no push times")
        var facts = FakeFacts()
        scene.source.facts = facts
        #expect(try await scene.decide(gate).reason == "ECR does not say when it received the image")
        facts.times[scene.root.digest] = gateTime.addingTimeInterval(-3_600)
        scene.source.facts = facts
        let passed = try await scene.decide(gate)
        #expect(passed.result == .passed && passed.reason == "pushed at 2027-01-15T07:00:00Z, at least 1 h ago")
        facts.times[scene.root.digest] = gateTime.addingTimeInterval(-3_599)
        scene.source.facts = facts
        let failed = try await scene.decide(gate)
        #expect(failed.result == .failed)
        #expect(failed.reason.hasSuffix("less than 1 h ago; qualifies at 2027-01-15T08:00:01Z"))
        facts.failure = FakeGateSource.Missing(description: "no answer")
        scene.source.facts = facts
        #expect(try await scene.decide(gate).result == .unknown)
    }

    @Test("immutable-tag decides by the source's tag")
    func immutableTag() async throws {
        var scene = try GateScene.image()
        let gate = ImmutableTagGate()
        #expect(try await scene.decide(gate).result == .unknown)
        var facts = FakeFacts()
        scene.source.facts = facts
        #expect(try await scene.decide(gate).result == .unknown)
        facts.tags = TagImmutability(byDefault: true, exclusions: ["dev*"])
        scene.source.facts = facts
        #expect(try await scene.decide(gate).result == .passed)
        scene.tag = try Tag(parsing: "dev-1")
        let failed = try await scene.decide(gate)
        #expect(failed.result == .failed && failed.reason == "the source's tag 'dev-1' can be moved")
        scene.tag = nil
        #expect(try await scene.decide(gate).reason == "the image is named by its digest, which can't move")
    }

    @Test("immutable-tag decides by every tag by which a rule chose the image")
    func immutableTags() async throws {
        var scene = try GateScene.image()
        var facts = FakeFacts()
        facts.tags = TagImmutability(byDefault: true, exclusions: ["latest"])
        scene.source.facts = facts
        var candidate = try scene.candidate
        candidate.tags = try ["v1", "latest"].map { try Tag(parsing: $0) }
        let failed = try await ImmutableTagGate().decide(about: candidate)
        #expect(failed.result == .failed && failed.reason == "the source's tag 'latest' can be moved")
        candidate.tags = try ["v1", "v2"].map { try Tag(parsing: $0) }
        let passed = try await ImmutableTagGate().decide(about: candidate)
        #expect(passed.result == .passed && passed.reason == "the source's 2 tags of the image are immutable")
    }

    @Test("approved decides by a list of digests")
    func approved() async throws {
        let scene = try GateScene.image()
        let other = Digest(of: Array("other".utf8))
        func list(_ text: String) throws -> ApprovalGate {
            ApprovalGate(try Approval(reading: Array(text.utf8), named: "approved.txt"))
        }
        let passed = try await scene.decide(list("# release 1\n\n\(other)\n  \(scene.root.digest) checked by us\r\n"))
        #expect(passed.result == .passed && passed.reason == "\(scene.root.digest) is in 'approved.txt'")
        let failed = try await scene.decide(list("\(other)"))
        #expect(failed.result == .failed && failed.remedy?.contains("approved.txt") == true)
        let wrong = try #require(throws: GateProblem.self) { try list("\(other)\nsha256:12\u{1B}") }
        #expect("\(wrong)".hasPrefix("approved.txt, line 2: 'sha256:12?' is not a digest\n  next: "))
        #expect(throws: GateProblem.self) { try list("# nothing\n") }
    }

    @Test("platform decides by the index, or by the config")
    func platform() async throws {
        let gate = PlatformGate([ImagePlatform(os: "linux", architecture: "arm64")])
        #expect(try await GateScene.index(["linux/amd64", "linux/arm64"]).decide(gate).result == .passed)
        let failed = try await GateScene.index(["linux/amd64", "windows/amd64"]).decide(gate)
        #expect(
            failed.reason == "there is no image for linux/arm64; there are images for linux/amd64, windows/amd64"
        )
        let config = #"{"os":"linux","architecture":"arm64","variant":"v8"}"#
        #expect(try await GateScene.image(config).decide(gate).result == .passed)
        #expect(try await GateScene.image(#"{"os":"linux","architecture":"amd64"}"#).decide(gate).result == .failed)
        #expect(try await GateScene.image("{}").decide(gate).result == .unknown)
        #expect(try await GateScene.image("no JSON").decide(gate).result == .unknown)
        var scene = try GateScene.image(config)
        scene.source.blobs = [:]
        #expect(try await scene.decide(gate).reason.hasPrefix("the image's config could not be read"))
    }

    @Test("are evaluated all together, and each is reported")
    func together() async throws {
        struct Fixed: Gate {
            var name: String
            var result: GateDecision.Result?
            struct Broken: Error, CustomStringConvertible { var description = "broken\u{7}" }

            func decide(about candidate: GateCandidate) async throws -> GateDecision {
                guard let result else { throw Broken() }
                return GateDecision(name, result, "because", evidence: [.init("seen")], remedy: "do \(name)")
            }
        }
        let candidate = try GateScene.image().candidate
        let all = GateSet([
            Fixed(name: "a", result: .passed), Fixed(name: "b", result: .failed), Fixed(name: "c", result: .unknown),
            Fixed(name: "d", result: nil),
        ])
        let report = try await all.evaluate(candidate)
        #expect(report.decisions.map(\.gate) == ["a", "b", "c", "d"])
        #expect(report.decisions.map(\.result) == [.passed, .failed, .unknown, .unknown])
        #expect(report.digest == candidate.digest && !report.isPassed)
        let refusal = try #require(report.refusal)
        #expect(refusal.kind == .refused && refusal.reason.name == "gateDenied")
        #expect(
            refusal.cause
                == "3 of 4 gates denied the image: b failed: because; c is unknown: because; d is unknown: the gate could not be evaluated: broken"
        )
        #expect(refusal.cause == refusal.cause.filter { !$0.isNewline })
        #expect(
            report.lines.dropFirst().prefix(5) == [
                "  passed  a: because", "            seen", "  failed  b: because", "            seen",
                "            next: do b",
            ]
        )
        let passed = try await GateSet([Fixed(name: "a", result: .passed)]).evaluate(candidate)
        #expect(passed.isPassed && passed.refusal == nil)
        #expect(try await GateSet([]).evaluate(candidate).isPassed)
    }
}

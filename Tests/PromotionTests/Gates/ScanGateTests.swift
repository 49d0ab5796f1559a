import Content
import Foundation
import Platform
import TestClouds
import TestDoubles
import Testing

@testable import Promotion

/// Which scans let an image pass.
@Suite("Scan gate")
struct ScanGateTests {
    private func gate(_ requirement: ScanRequirement) -> ScanGate {
        ScanGate(requirement, now: { gateTime }, clock: InstantClock())
    }

    private func decide(
        _ pages: [String],
        _ limit: FindingSeverity? = .medium,
        ignoring ignored: [IgnoredFinding] = [],
        notOlderThan: Duration? = nil
    ) async throws -> GateDecision {
        var scene = try GateScene.image()
        scene.source.facts = FakeFacts([scene.root.digest: [pages]])
        return try await scene.decide(
            gate(ScanRequirement(maxSeverity: limit, ignored: ignored, notOlderThan: notOlderThan))
        )
    }

    @Test(
        "decides by each state that ECR names",
        arguments: [
            ("IN_PROGRESS", "is being scanned"), ("PENDING", "waits to be scanned"), ("FAILED", "could not be scanned"),
            ("UNSUPPORTED_IMAGE", "can't be scanned"), ("SCAN_ELIGIBILITY_EXPIRED", "is not scanned any more"),
            ("FINDINGS_UNAVAILABLE", "has no findings"), ("LIMIT_EXCEEDED", "a limit of scans is used up"),
            ("IMAGE_ARCHIVED", "is archived"), ("IMAGE_SIZE_EXCEEDED", "is too large"),
            ("NEW_STATE", "in the state 'NEW_STATE'"), ("COMPLETE", "has no finished scan"),
            ("ACTIVE", "has no finished scan"),
        ]
    )
    func states(_ status: String, _ text: String) async throws {
        let decision = try await decide([emptyScanPage(status)])
        #expect(decision.result == .unknown)
        #expect(decision.reason.contains(text), "\(decision.reason)")
        #expect(decision.remedy != nil)
    }

    @Test("tells a scan without findings from an image that was never scanned")
    func withoutFindings() async throws {
        for (status, enhanced) in [("COMPLETE", false), ("ACTIVE", true)] {
            let clean = try await decide([scanPage(status, enhanced: enhanced)])
            #expect(clean.result == .passed)
            #expect(clean.reason == "1 image scanned: no findings; allowed up to MEDIUM")
        }
        let never = try await decide([])
        #expect(never.result == .unknown)
        #expect(never.reason == "the image has never been scanned")
        let unfinished = try await decide([scanPage("ACTIVE", enhanced: true, completedAt: nil)])
        #expect(unfinished.result == .unknown, "an enhanced scan is active before its first result")
    }

    @Test("lets findings pass up to the limit, of basic and of enhanced scanning", arguments: [false, true])
    func limit(enhanced: Bool) async throws {
        let status = enhanced ? "ACTIVE" : "COMPLETE"
        let findings = [("CVE-1", "HIGH"), ("CVE-2", "LOW"), ("CVE-3", "CRITICAL"), ("CVE-4", "HIGH")]
        let pages = [
            scanPage(status, Array(findings[..<2]), enhanced: enhanced),
            scanPage(status, Array(findings[2...]), enhanced: enhanced),
        ]
        let failed = try await decide(pages, .medium)
        #expect(failed.result == .failed)
        #expect(failed.reason == "1 CRITICAL, 2 HIGH above MEDIUM")
        #expect(
            failed.evidence.first?.text
                == "CVE-3 CRITICAL in zlib\(enhanced ? " 1.2, fixed in 1.3" : "") in the image"
        )
        #expect(
            failed.evidence.map(\.text).contains {
                $0.contains("scanned at 2027-01-15T08:00:00Z, 1 CRITICAL, 2 HIGH, 1 LOW")
            }
        )
        #expect(try await decide(pages, .high).reason == "1 CRITICAL above HIGH")
        let all = try await decide(pages, .critical)
        #expect(
            all.result == .passed
                && all.reason == "1 image scanned: 4 findings, the worst CRITICAL; allowed up to CRITICAL"
        )
        #expect(try await decide(pages, nil).result == .passed, "without a limit, any finished scan will do")
    }

    @Test("does not decide by findings that are not rated", arguments: ["UNDEFINED", "UNTRIAGED", "SEVERE"])
    func unrated(_ severity: String) async throws {
        let pages = [scanPage("COMPLETE", [("CVE-1", severity), ("CVE-2", "LOW")])]
        let decision = try await decide(pages, .high)
        #expect(decision.result == .unknown)
        #expect(decision.reason == "1 finding in the image has no severity")
        #expect(try await decide(pages, .high, ignoring: [IgnoredFinding("CVE-1")]).result == .passed)
        #expect(try await decide(pages, .critical).result == .passed, "everything is allowed then")
    }

    @Test("leaves out what is ignored, until that ends")
    func ignored() async throws {
        let pages = [scanPage("COMPLETE", [("CVE-1", "CRITICAL"), ("CVE-1", "CRITICAL"), ("CVE-2", "LOW")])]
        let open = IgnoredFinding("CVE-1", reason: "not reachable", expiry: gateTime.addingTimeInterval(1))
        let passed = try await decide(pages, ignoring: [open, IgnoredFinding("CVE-9")])
        #expect(
            passed.result == .passed
                && passed.reason == "1 image scanned: 1 finding, the worst LOW; allowed up to MEDIUM"
        )
        #expect(
            passed.evidence.map(\.text).contains(
                "CVE-1 ignored until 2027-01-15T08:00:01Z (2 findings): not reachable"
            )
        )
        let ended = IgnoredFinding("CVE-1", reason: "not reachable", expiry: gateTime)
        let failed = try await decide(pages, ignoring: [ended])
        #expect(failed.result == .failed && failed.reason == "2 CRITICAL above MEDIUM")
        #expect(failed.evidence.map(\.text).contains("CVE-1 is not ignored any more, since 2027-01-15T08:00:00Z"))
    }

    @Test("counts what Amazon Inspector was told to hide, and not what is closed")
    func suppressed() async throws {
        let hidden = [scanPage("ACTIVE", [("CVE-1", "HIGH")], enhanced: true, state: "SUPPRESSED")]
        #expect(try await decide(hidden).result == .failed)
        let closed = [scanPage("ACTIVE", [("CVE-1", "HIGH")], enhanced: true, state: "CLOSED")]
        #expect(try await decide(closed).result == .passed)
    }

    @Test("does not decide when ECR counts more findings than it lists")
    func unlisted() async throws {
        let pages = [scanPage("COMPLETE", [("CVE-1", "LOW")], counts: ["HIGH": 2, "LOW": 9])]
        let decision = try await decide(pages)
        #expect(decision.result == .unknown)
        #expect(decision.reason == "ECR counts 2 findings of severity HIGH in the image, and lists 0")
        #expect(try await decide(pages, .high).result == .passed)
    }

    @Test("requires a scan that is not too old")
    func age() async throws {
        let pages = [scanPage("COMPLETE", completedAt: gateTime.timeIntervalSince1970 - 3_601)]
        let old = try await decide(pages, notOlderThan: .seconds(3_600))
        #expect(old.result == .failed)
        #expect(old.reason == "the scan of the image is of 2027-01-15T06:59:59Z, older than 1 h")
        #expect(try await decide(pages, notOlderThan: .seconds(3_601)).result == .passed)
    }

    @Test("decides about an index by its images, and not by its attestations")
    func index() async throws {
        var scene = try GateScene.index(["linux/amd64", "linux/arm64"])
        let (amd, arm) = (GateScene.digest("linux/amd64"), GateScene.digest("linux/arm64"))
        let requirement = gate(ScanRequirement(maxSeverity: .low))
        scene.source.facts = FakeFacts([amd: [[scanPage()]], arm: [[scanPage("COMPLETE", [("CVE-1", "LOW")])]]])
        let passed = try await scene.decide(requirement)
        #expect(passed.reason == "2 images scanned: 1 finding, the worst LOW; allowed up to LOW")
        #expect(Set(passed.evidence.compactMap(\.digest)) == [amd, arm])
        scene.source.facts = FakeFacts(amd, scanPage())
        let unknown = try await scene.decide(requirement)
        #expect(unknown.result == .unknown && unknown.reason == "linux/arm64 (\(arm)) has never been scanned")
        scene.source.facts = FakeFacts(amd, scanPage("COMPLETE", [("CVE-1", "HIGH")]))
        #expect(try await scene.decide(requirement).result == .failed, "a finding outweighs a doubt")
        scene = try GateScene.index([])
        scene.source.facts = FakeFacts()
        #expect(try await scene.decide(requirement).reason == "the index has no image that could be scanned")
    }

    @Test("waits for a scan as long as it is told to, and asks again only for what is not finished")
    func waiting() async throws {
        var scene = try GateScene.index(["linux/amd64", "linux/arm64"])
        let (amd, arm) = (GateScene.digest("linux/amd64"), GateScene.digest("linux/arm64"))
        scene.source.facts = FakeFacts([
            amd: [[scanPage()], [emptyScanPage("FAILED")]],
            arm: [[], [emptyScanPage("PENDING")], [emptyScanPage("IN_PROGRESS")], [scanPage()]],
        ])
        let patient = ScanRequirement(maxSeverity: .low, wait: .seconds(600))
        #expect(try await scene.decide(gate(patient)).result == .passed)
        scene.source.facts = FakeFacts([amd: [[scanPage()]], arm: [[], [emptyScanPage("PENDING")], [scanPage()]]])
        let hasty = try await scene.decide(gate(ScanRequirement(maxSeverity: .low, wait: .seconds(5))))
        #expect(hasty.result == .unknown && hasty.reason.contains("waits to be scanned"))
        #expect(hasty.remedy?.contains("--wait-scan") == true)
    }

    @Test("does not decide where findings can't be read, or where there is no ECR")
    func unreadable() async throws {
        var scene = try GateScene.image()
        let requirement = gate(ScanRequirement(maxSeverity: .low))
        #expect(try await scene.decide(requirement).reason.hasPrefix("the source is not ECR"))
        var facts = FakeFacts()
        facts.failure = FakeGateSource.Missing(description: "no \u{1B}[2Janswer")
        scene.source.facts = facts
        let decision = try await scene.decide(requirement)
        #expect(decision.result == .unknown)
        #expect(decision.reason == "the scan's findings could not be read: no [2Janswer")
    }

    @Test("keeps a few findings of many thousands, with hostile names made harmless")
    func many() async throws {
        let pages = (0..<40).map { page in
            scanPage(
                "COMPLETE",
                (0..<250).map { ("CVE-\(page)-\($0)\\u001b[31m\\u202e" + String(repeating: "x", count: 500), "HIGH") }
            )
        }
        let decision = try await decide(pages, .low)
        #expect(decision.reason == "10000 HIGH above LOW")
        #expect(decision.evidence.count == ScanReading.mostNamed + 1)
        for evidence in decision.evidence {
            #expect(evidence.text.utf8.count < 600)
            #expect(!evidence.text.unicodeScalars.contains { $0.value < 32 || $0.value == 0x202E })
        }
    }
}

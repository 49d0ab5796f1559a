import Content
import ECREmulator
import Foundation
import Platform
import Replicate
import Reporting
import TestClouds
import TestPrograms
import Testing

@testable import Promotion

/// Promotions on the emulator: what passes is promoted, and nothing is written of what doesn't.
@Suite("Promotion with gates", .timeLimit(.minutes(5)))
struct GateScenarioTests {
    // A program may end before it has read the question, as the command survives too.
    init() { Signals.surviveBrokenPipes() }

    private func withScene(_ body: (PromotionScene) async throws -> Void) async throws {
        try await withScratchDirectory { directory in
            let deny = "\(directory)/deny"
            try Data("#!/bin/sh\necho 'not this one'\nexit 3\n".utf8).write(to: URL(filePath: deny))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: deny)
            try await withCloud { cloud in
                let image = SeedImage.twoPlatforms("app", layersEach: [100, 2_000])
                try cloud.seed(image, tag: "v1")
                try cloud.makeDestination("prod/app", account: ScenarioCloud.production, region: ScenarioCloud.home)
                cloud.emulator.clearRequests()
                try await body(PromotionScene(cloud: cloud, image: image, directory: directory))
            }
        }
    }

    private func held(_ scene: PromotionScene) -> Digest? {
        scene.cloud.tag("v1", "prod/app", account: ScenarioCloud.production, region: ScenarioCloud.home)
    }

    /// Promotes with gates of these results, and checks what follows.
    private func check(_ wanted: [(gate: GateCase, result: GateDecision.Result)]) async throws {
        try await withScene { scene in
            let gates = try wanted.map { try $0.gate.gate($0.result, on: scene) }
            let name = wanted.map { "\($0.gate) \($0.result)" }.joined(separator: ", ")
            let planned = try await scene.promote(gates, dryRun: true)
            #expect(scene.writes.isEmpty, "\(name): a dry run wrote")
            let (results, report) = try await scene.promote(gates)
            #expect(report?.decisions.map(\.gate) == wanted.map(\.gate.gate))
            #expect(report?.decisions.map(\.result) == wanted.map(\.result), "\(name): \(report?.lines ?? [])")
            #expect(planned.report?.decisions.map(\.result) == wanted.map(\.result))
            if wanted.allSatisfy({ $0.result == .passed }) {
                #expect(results.receipt?.digest == scene.image.digest, "\(name): \(results)")
                #expect(held(scene) == scene.image.digest)
                #expect(ExitStatus.of(planned.results) == 0)
            } else {
                #expect(scene.writes.isEmpty, "\(name): wrote \(scene.writes)")
                #expect(held(scene) == nil)
                #expect(ExitStatus.of(results) == ExitStatus.refused, "\(name): \(results)")
                #expect(results.firstError?.reason.name == "gateDenied")
                let refusals = planned.results.flatMap { result -> [CopyError] in
                    if case .planned(let plan) = result { plan.refusals } else { [] }
                }
                #expect(refusals.map(\.reason.name) == ["gateDenied"])
                #expect(ExitStatus.of(planned.results) == 0, "a refusal is what a dry run shows")
            }
        }
    }

    @Test("each gate alone decides", arguments: GateCase.allCases)
    func alone(_ gate: GateCase) async throws {
        for result in gate.results { try await check([(gate, result)]) }
    }

    /// Every two gates.
    private static let allPairs = GateCase.allCases.flatMap { first in
        GateCase.allCases.filter { $0.rawValue > first.rawValue }.map { (first, $0) }
    }

    @Test("of two gates both must pass, and both are reported", arguments: allPairs)
    func pairs(_ first: GateCase, _ second: GateCase) async throws {
        for one in first.results {
            for other in second.results { try await check([(first, one), (second, other)]) }
        }
    }

    @Test("the digest is resolved once: a tag that moves meanwhile changes nothing")
    func pinned() async throws {
        try await withScene { scene in
            struct Mover: Gate {
                let name = "mover"
                let scene: PromotionScene

                func decide(about candidate: GateCandidate) async throws -> GateDecision {
                    try scene.cloud.seed(.oci("other", layers: [50]), tag: "v1")
                    return GateDecision(name, .passed, "moved")
                }
            }
            let (results, report) = try await scene.promote([Mover(scene: scene)])
            #expect(report?.digest == scene.image.digest)
            #expect(results.receipt?.digest == scene.image.digest)
            #expect(held(scene) == scene.image.digest)
        }
    }

    @Test("a missing permission is no decision, and says what to allow")
    func denied() async throws {
        try await withScene { scene in
            scene.cloud.emulator.deny(action: "ecr:DescribeImageScanFindings", repository: "team/app")
            let gate = try GateCase.scan.gate(.passed, on: scene)
            let (results, report) = try await scene.promote([gate])
            let decision = try #require(report?.decisions.first)
            #expect(decision.result == .unknown)
            #expect(decision.reason.contains("not allowed to ecr:DescribeImageScanFindings"), "\(decision.reason)")
            #expect(decision.remedy?.contains("ecr:DescribeImageScanFindings") == true, "\(decision.remedy ?? "")")
            #expect(ExitStatus.of(results) == ExitStatus.refused && scene.writes.isEmpty)
        }
    }

    @Test("a scan of thousands of findings is read in pages, and an enhanced one too", arguments: [false, true])
    func pages(isEnhanced: Bool) async throws {
        try await withScene { scene in
            for digest in scene.images {
                try scene.cloud.emulator.setScan(
                    EmulatedScan(
                        status: isEnhanced ? "ACTIVE" : "COMPLETE",
                        isEnhanced: isEnhanced,
                        completedAt: Date().timeIntervalSince1970,
                        findings: [.init("CVE-1", "CRITICAL", package: "zlib", version: "1", fixedIn: "2")],
                        counts: ["LOW": 2_499, "HIGH": 500]
                    ),
                    of: digest,
                    account: ScenarioCloud.build,
                    region: ScenarioCloud.home,
                    repository: "team/app"
                )
            }
            let accepted = ScanRequirement(maxSeverity: .high, ignored: [IgnoredFinding("CVE-1")])
            let gate = ScanGate(accepted, now: { Date() }, clock: InstantClock())
            let (results, report) = try await scene.promote([gate])
            #expect(
                report?.decisions.first?.reason == "2 images scanned: 5998 findings, the worst HIGH; allowed up to HIGH"
            )
            #expect(results.receipt != nil)
            #expect(scene.cloud.counts["DescribeImageScanFindings"] == 2 * 12)
            let strict = ScanGate(ScanRequirement(maxSeverity: .high), now: { Date() }, clock: InstantClock())
            #expect(try await scene.promote([strict]).report?.decisions.first?.reason == "2 CRITICAL above HIGH")
        }
    }

    @Test("gates cost no more requests than they ask for")
    func requests() async throws {
        try await withScene { scene in
            _ = try await scene.promote([])
            let without = scene.cloud.total
            scene.cloud.emulator.clearRequests()
            let gates = try [GateCase.scan, .age, .immutableTag].map { try $0.gate(.passed, on: scene) }
            _ = try await scene.promote(
                gates + [ApprovalGate(try Approval(reading: Array("\(scene.image.digest)".utf8), named: "a"))]
            )
            #expect(scene.cloud.counts["DescribeImageScanFindings"] == 2)
            #expect(scene.cloud.counts["DescribeImages"] == 1 && scene.cloud.counts["DescribeRepositories"] == 1)
            #expect(scene.cloud.total <= without + 4, "the image itself is there already")
        }
    }
}

import Content
import ECREmulator
import Foundation
import Replicate
import TestClouds

@testable import Promotion

/// Each gate on the emulator, in a state that allows, denies or does not decide about the image `team/app:v1`.
enum GateCase: String, CaseIterable, Sendable {
    case scan, age, immutableTag, approved, platform, command

    /// The gate's name in reports.
    var gate: String {
        switch self {
        case .scan: "scan"
        case .age: "min-age"
        case .immutableTag: "immutable-tag"
        case .approved: "approved"
        case .platform: "platform"
        case .command: "command"
        }
    }

    /// The results that the gate can have.
    var results: [GateDecision.Result] {
        switch self {
        // A list says of each digest whether it is approved, and an index names its platforms.
        case .approved, .platform: [.passed, .failed]
        default: [.passed, .failed, .unknown]
        }
    }

    /// Brings the emulator into a state with this result, and returns the gate.
    func gate(_ result: GateDecision.Result, on scene: PromotionScene) throws -> any Gate {
        let emulator = scene.cloud.emulator
        let (account, region) = (ScenarioCloud.build, ScenarioCloud.home)
        switch self {
        case .scan:
            if result != .unknown {
                for digest in scene.images {
                    try emulator.setScan(
                        of: digest,
                        counts: [result == .passed ? "LOW" : "HIGH": 2],
                        account: account,
                        region: region,
                        repository: "team/app"
                    )
                }
            }
            return ScanGate(ScanRequirement(maxSeverity: .medium), now: { Date() }, clock: InstantClock())
        case .age:
            if result == .unknown { emulator.deny(action: "ecr:DescribeImages", repository: "team/app") }
            return AgeGate(result == .failed ? .seconds(3_600) : .seconds(0), now: { Date() })
        case .immutableTag:
            if result == .unknown { emulator.deny(action: "ecr:DescribeRepositories", repository: "team/app") }
            try emulator.createRepository(
                account: account,
                region: region,
                "team/app",
                mutability: result == .passed ? "IMMUTABLE" : "MUTABLE"
            )
            return ImmutableTagGate()
        case .approved:
            let digest = result == .passed ? scene.image.digest : Digest(of: Array("other".utf8))
            return ApprovalGate(try Approval(reading: Array("\(digest)\n".utf8), named: "approved.txt"))
        case .platform:
            let architecture = result == .passed ? "arm64" : "s390x"
            return PlatformGate([ImagePlatform(os: "linux", architecture: architecture)])
        case .command:
            let program =
                switch result {
                case .passed: "true"
                case .failed: "\(scene.directory)/deny"
                case .unknown: "false"
                }
            return CommandGate(program, variables: ["PATH": "/usr/bin:/bin"], clock: ContinuousClock())
        }
    }
}

/// An emulator with an index to promote, and a production account.
struct PromotionScene: Sendable {
    let cloud: ScenarioCloud
    let image: SeedImage
    /// Where the programs of gates are.
    let directory: String

    /// The digests of the index's images.
    var images: [Digest] {
        image.manifests.filter { $0.digest != image.digest }.map(\.digest)
    }

    func promote(_ gates: [any Gate], dryRun: Bool = false) async throws -> (results: [CopyResult], report: GateReport?)
    {
        let admission = GateAdmission(GateSet(gates))
        var options = CopyOptions(ifExists: .fail, isDryRun: dryRun)
        options.tagsAfterReferrers = true
        options.admission = admission
        let destination = try cloud.destination(
            "prod/app",
            account: ScenarioCloud.production,
            region: ScenarioCloud.home
        )
        let results = try await cloud.replicator.copy(
            cloud.image("v1"),
            .named,
            to: [destination],
            tags: [],
            options
        )
        return (results, admission.reports.first)
    }

    /// The requests that write at the destination.
    var writes: [String] {
        cloud.emulator.requests.map(\.operation).filter { operation in
            ["PutImage", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "CreateRepository"].contains(
                operation
            )
                || ["POST", "PUT", "PATCH", "DELETE"].contains { operation.hasPrefix($0 + " ") }
        }
    }
}

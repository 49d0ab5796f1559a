import Content
import ECREmulator
import IAMPolicies
import Replicate
import TestClouds
import Testing

@testable import Doctor

@Suite("The doctor and gates", .timeLimit(.minutes(1)))
struct DoctorGateTests: DoctorScene {
    private let gates = GateNeeds(
        readsScans: true,
        readsPushTimes: true,
        readsTagSettings: true,
        publicKeys: [KeyName("arn:aws:kms:eu-west-1:111122223333:key/1")].compactMap { $0 }
    )

    @Test("tries what the gates ask for, and names what is missing")
    func tried() async throws {
        try await withCloud { cloud in
            try cloud.seed(SeedImage.oci("app", layers: [100]), tag: "v1")
            let doctor = Doctor(cloud.replicator.replicator, gates: gates)
            let well = try await doctor.examine(cloud.image("v1"), nil)
            let lines = lines(well)
            for action in ["ecr:DescribeImageScanFindings", "ecr:DescribeImages", "ecr:DescribeRepositories"] {
                #expect(lines.contains("ok source \(action): allowed"), "\(lines)")
            }
            let key = "skipped source kms:GetPublicKey: not tried; the gates need it on arn:"
            #expect(lines.contains { $0.hasPrefix(key) })
            #expect(well.exitCode == 0)
            cloud.emulator.deny(action: "ecr:DescribeImageScanFindings")
            let ill = try await doctor.examine(cloud.image("v1"), nil)
            let failed = ill.findings.filter { $0.status == .failed }
            #expect(failed.map(\.check) == ["ecr:DescribeImageScanFindings"] && ill.exitCode == 4)
            let without = Doctor(cloud.replicator.replicator)
            #expect(try await without.examine(cloud.image("v1"), nil).exitCode == 0)
        }
    }
}

import Content
import ECREmulator
import FoundationEssentials
import Replicate
import Reporting
import TestClouds
import Testing

@testable import Doctor

@Suite("The doctor on refused credentials", .timeLimit(.minutes(1)))
struct DoctorCredentialTests: DoctorScene {
    @Test("names the credentials, as text and as JSON")
    func unknown() async throws {
        try await withPatient { cloud, doctor in
            let key = try #require(cloud.emulator.environment.first { $0.name == "AWS_ACCESS_KEY_ID" }?.value)
            cloud.emulator.revoke(accessKeyID: key)
            let diagnosis = try await doctor.examine(cloud.image("v1"), nil)
            let failed = try #require(diagnosis.findings.first { $0.status == .failed })
            #expect(failed.check == "identity" && failed.text.hasPrefix("AWS does not accept the credentials"))
            #expect(failed.credentials == "…\(key.suffix(4)) from environment")
            #expect(diagnosis.text.contains("\n           credentials: …\(key.suffix(4)) from environment\n"))
            let json = String(decoding: try JSONEncoder().encode(diagnosis), as: UTF8.self)
            #expect(json.contains(#""credentials":"…\#(key.suffix(4)) from environment""#))
            #expect(diagnosis.exitCode == 4)
        }
    }

    @Test("names the credentials of a denied permission, at the API and at the registry")
    func denied() async throws {
        try await withPatient { cloud, doctor in
            for action in ["PutImage", "InitiateLayerUpload"] { cloud.emulator.deny(action: action) }
            let diagnosis = try await doctor.examine(cloud.image("v1"), cloud.destination())
            let failed = diagnosis.findings.filter { $0.status == .failed }
            #expect(failed.map(\.check) == ["ecr:InitiateLayerUpload", "ecr:PutImage"])
            #expect(failed.allSatisfy { $0.credentials?.hasSuffix(" from environment") == true }, "\(failed)")
        }
    }
}

import FoundationEssentials
import Testing

@testable import AWSIdentity

@Suite("CA bundles")
struct CertificateBundleTests {
    private func bundle(_ variables: [String: String] = [:], _ profiles: String?...) throws -> String? {
        let home = FileManager.default.temporaryDirectory.path + "/ecr-replicate-ca-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: home + "/.aws", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: home) }
        let config = """
            [default]
            ca_bundle = ~/default.pem
            [profile a]
            ca_bundle = /a.pem
            [profile a2]
            ca_bundle = /a.pem
            [profile b]
            ca_bundle = /b.pem
            [profile none]
            region = r
            """
        try Data(config.utf8).write(to: URL(filePath: home + "/.aws/config"))
        return try AWSEnvironment(variables: variables, home: home)
            .caBundle(for: profiles.map { IdentityOptions(profile: $0) })?
            .replacing(home, with: "HOME")
    }

    @Test("are named by AWS_CA_BUNDLE, then by the profiles of the sides")
    func order() throws {
        #expect(try bundle(["AWS_CA_BUNDLE": "~/x.pem"], "a", "b") == "HOME/x.pem")
        #expect(try bundle(["AWS_CA_BUNDLE": ""], "a", "a2") == "/a.pem")
        #expect(try bundle([:], nil, nil) == "HOME/default.pem")
        #expect(try bundle(["AWS_PROFILE": "b"], nil) == "/b.pem")
        #expect(try bundle([:], "none", "b") == "/b.pem")
        #expect(try bundle([:], "none") == nil)
        #expect(try bundle([:], "gone", "a") == "/a.pem", "the missing profile is reported when its keys are loaded")
    }

    @Test("must be one file for both sides")
    func two() {
        let error = #expect(throws: IdentityError.self) { try bundle([:], "a", "b") }
        #expect(error?.problem == "the profiles of the sides name different CA bundles, /a.pem and /b.pem")
        #expect(error?.remedy == "pass --ca-bundle with one file that has the certificates of both")
    }
}

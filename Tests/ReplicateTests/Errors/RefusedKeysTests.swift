import AWSIdentity
import Content
import ECREmulator
import FoundationEssentials
import Replicate
import Reporting
import TestClouds
import Testing

/// A machine has many keys, and ECR names whom they are of, not which they were.
@Suite("A denial by ECR", .timeLimit(.minutes(1)))
struct RefusedKeysTests {
    private func refusal(
        _ order: (ScenarioCloud) throws -> Void,
        destination: SideOptions = SideOptions()
    ) async throws -> CopyError {
        var refusal: CopyError?
        try await withCloud(destination: destination) { cloud in
            try cloud.seed(.oci("app", layers: [100]), tag: "v1")
            try cloud.makeDestination()
            try order(cloud)
            let tag = try Tag(parsing: "v1")
            do {
                let results = try await cloud.replicator.copy(
                    cloud.image("v1"),
                    .one(.tag(tag)),
                    to: [cloud.destination()],
                    tags: [],
                    CopyOptions(referrers: .none)
                )
                refusal = results.firstError
            } catch let error as CopyError {
                refusal = error
            }
        }
        return try #require(refusal)
    }

    @Test("names the keys, at the API and at the registry", arguments: ["PutImage", "InitiateLayerUpload"])
    func denied(_ action: String) async throws {
        let error = try await refusal { $0.emulator.deny(action: action) }
        guard case .denied("ecr:\(action)", _) = error.reason else {
            Issue.record("\(error)")
            return
        }
        let credentials = try #require(error.credentials)
        #expect(credentials.wholeMatch(of: /….{4} from environment/) != nil, "\(credentials)")
        #expect(error.explanation.contains("\n  credentials: \(credentials)\n  request id: "), "\(error)")
        let document = CopyDocument(
            command: "copy",
            exitCode: 4,
            results: [],
            error: CopyDocument.Failure(error),
            requests: 1,
            seconds: 1
        )
        let json = String(decoding: try JSONEncoder().encode(document), as: UTF8.self)
        #expect(json.contains(#""credentials":"\#(credentials)""#))
    }

    @Test("names the session of a role")
    func role() async throws {
        let role = "arn:aws:iam::\(ScenarioCloud.build):role/writer"
        let error = try await refusal(
            { $0.emulator.deny(action: "PutImage") },
            destination: SideOptions(identity: IdentityOptions(roleARN: role))
        )
        #expect(error.credentials?.hasSuffix(" from role \(role)") == true, "\(error)")
    }

    @Test("names keys that are no longer known")
    func revoked() async throws {
        let error = try await refusal { cloud in
            let key = try #require(cloud.emulator.environment.first { $0.name == "AWS_ACCESS_KEY_ID" }?.value)
            cloud.emulator.revoke(accessKeyID: key)
        }
        #expect(error.reason.name == "noCredentials")
        #expect(error.credentials?.hasSuffix(" from environment") == true, "\(error)")
    }

    @Test("names no keys in an error about something else")
    func others() async throws {
        let error = try await refusal { cloud in
            cloud.emulator.inject(
                Fault(on: "PutImage", at: nil, .error(code: "LimitExceededException", message: "full", status: 400))
            )
        }
        #expect(error.reason.name == "quota" && error.credentials == nil, "\(error)")
    }
}

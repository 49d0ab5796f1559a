import AWSIdentity
import ECRAPI
import Replicate

private struct CreateRepositoryCreationTemplate: ECROperation {
    static let name = "CreateRepositoryCreationTemplate"
    struct Response: Decodable, Sendable {}
    var prefix: String
    var appliedFor: [String]
    var imageTagMutability: String?
}

extension ScenarioCloud {
    /// Adds a creation template to the build account's registry in the other region.
    package func add(template prefix: String, for occasions: [String], tags mutability: String? = nil) async throws {
        let probe = try await replicator.opener.probe(
            try destination("any/thing").repository(for: source()),
            side: .destination,
            SideOptions()
        )
        _ = try await probe.ecr?.api.send(
            CreateRepositoryCreationTemplate(prefix: prefix, appliedFor: occasions, imageTagMutability: mutability)
        )
    }
}

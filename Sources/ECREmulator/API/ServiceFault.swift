/// What the service answers instead of a result, by ECR's own names.
///
/// - Source: docs/facts/ecr-api.md, and docs/facts/ecr-registry.md#error-answers for texts
struct ServiceFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// As in `__type`, for example `RepositoryNotFoundException`.
    var code: String
    var message: String
    /// Of the JSON API; the registry face has its own table.
    var status = 400
    /// Members beside the message: only `InvalidLayerPartException` has some.
    var details: [JSON.Member] = []
    /// In seconds, as a `Retry-After` header.
    var retryAfter: Int?

    var description: String { "\(code): \(message)" }

    init(_ code: String, _ message: String, status: Int = 400) {
        self.code = code
        self.message = message
        self.status = status
    }

    static func invalidParameter(_ member: String, _ constraint: String) -> ServiceFault {
        ServiceFault(
            "InvalidParameterException",
            "Invalid parameter at '\(member)' failed to satisfy constraint: '\(constraint)'"
        )
    }

    static func repositoryNotFound(_ name: String, _ account: String) -> ServiceFault {
        ServiceFault(
            "RepositoryNotFoundException",
            "The repository with name '\(name)' does not exist in the registry with id '\(account)'"
        )
    }

    static func uploadNotFound(_ id: String, _ repository: String, _ account: String) -> ServiceFault {
        ServiceFault(
            "UploadNotFoundException",
            "The upload with id '\(id)' in the repository with name '\(repository)' in registry with id '\(account)' "
                + "does not exist"
        )
    }

    static func layersNotFound(_ digest: String, _ repository: String, _ account: String) -> ServiceFault {
        ServiceFault(
            "LayersNotFoundException",
            "The layer with digest '\(digest)' does not exist within the repository with name '\(repository)' in the "
                + "registry with id '\(account)'"
        )
    }

    static let throttled = ServiceFault("ThrottlingException", "Rate exceeded")
}

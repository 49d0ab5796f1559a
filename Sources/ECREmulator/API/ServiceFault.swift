/// An error that the service answers, with ECR's own code and text.
///
/// - Source: docs/facts/ecr-api.md, and docs/facts/ecr-registry.md#error-answers for texts
struct ServiceFault: Error, Sendable, Equatable, CustomStringConvertible {
    /// The code as in `__type`, for example `RepositoryNotFoundException`.
    var code: String
    var message: String
    /// The HTTP status in the JSON API; the registry API has its own table.
    var status = 400
    /// Members besides the message; only `InvalidLayerPartException` and `KmsException` have any.
    var details: [JSON.Member] = []
    /// The value of a `Retry-After` header, in seconds.
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

    /// Makes the error for a KMS key that can't encrypt a repository of this region.
    static func otherRegion(ofKey key: String, _ region: String) -> ServiceFault {
        var fault = ServiceFault("KmsException", "The KMS key '\(key)' can't be used in the region \(region)")
        fault.details = [.init(name: "kmsError", value: "NotFoundException")]
        return fault
    }

    static let throttled = ServiceFault("ThrottlingException", "Rate exceeded")
}

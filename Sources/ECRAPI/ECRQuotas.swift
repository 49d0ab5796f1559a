internal import HTTPTypes
public import Wire

/// ECR's rates of calls per second for one account in one region, and the operation that each registry request counts
/// as.
///
/// All clients in the account share the quota. Where AWS has raised it, a `Pacer` discovers the higher rate.
public enum ECRQuotas {
    /// The calls per second by operation; AWS publishes no rates for the others.
    ///
    /// - Source: docs/facts/quotas.md#rates
    public static let usual: [String: Double] = [
        "GetAuthorizationToken": 500,
        "BatchCheckLayerAvailability": 1_000,
        "InitiateLayerUpload": 100,
        "UploadLayerPart": 500,
        "CompleteLayerUpload": 100,
        "PutImage": 10,
        "BatchGetImage": 2_000,
        "GetDownloadUrlForLayer": 3_000,
    ]

    /// Returns the operation whose quota a request to ECR's registry uses.
    ///
    /// - Returns: `nil` for a request whose quota isn't known.
    /// - Source: docs/facts/quotas.md#rates and docs/facts/permissions.md#actions
    public static func operation(of request: WireRequest) -> String? {
        let words = request.url.path.split(separator: "/")
        guard words.first == "v2", words.count > 1 else { return nil }
        let (place, last) = (words[words.count - 2], words[words.count - 1])
        switch request.method {
        case .put where place == "manifests": return "PutImage"
        case .get where place == "manifests", .head where place == "manifests", .get where place == "referrers":
            return "BatchGetImage"
        case .get where place == "tags" && last == "list": return "ListImages"
        case .post where place == "blobs" && last == "uploads": return "InitiateLayerUpload"
        case .patch: return "UploadLayerPart"
        case .put: return "CompleteLayerUpload"
        case .head where place == "blobs": return "BatchCheckLayerAvailability"
        case .get where place == "blobs": return "GetDownloadUrlForLayer"
        default: return nil
        }
    }
}

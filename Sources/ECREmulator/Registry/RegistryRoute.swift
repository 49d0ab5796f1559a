/// The operation that a `/v2` request asks for.
enum RegistryRoute: Sendable, Equatable {
    case base
    case catalog
    case tags(repository: String)
    case manifest(repository: String, reference: String)
    case blob(repository: String, digest: String)
    case uploads(repository: String)
    case upload(repository: String, id: String)
    case referrers(repository: String, digest: String)
    case unknown

    /// - Parameter path: The path from `/v2` on, percent-encoded. A repository's name may contain slashes, so the last
    ///   words decide.
    init(path: String) {
        let parts = path.split(separator: "/").map { $0.percentDecoded }
        guard parts.first == "v2" else {
            self = .unknown
            return
        }
        let words = Array(parts.dropFirst())
        let count = words.count
        func repository(_ dropped: Int) -> String { words.dropLast(dropped).joined(separator: "/") }
        switch count {
        case 0: self = .base
        case 1 where words[0] == "_catalog": self = .catalog
        case 3... where words[count - 2] == "tags" && words[count - 1] == "list":
            self = .tags(repository: repository(2))
        case 3... where words[count - 2] == "manifests":
            self = .manifest(repository: repository(2), reference: words[count - 1])
        case 3... where words[count - 2] == "referrers":
            self = .referrers(repository: repository(2), digest: words[count - 1])
        case 3... where words[count - 2] == "blobs" && words[count - 1] == "uploads":
            self = .uploads(repository: repository(2))
        case 3... where words[count - 2] == "blobs":
            self = .blob(repository: repository(2), digest: words[count - 1])
        case 4... where words[count - 3] == "blobs" && words[count - 2] == "uploads":
            self = .upload(repository: repository(3), id: words[count - 1])
        default: self = .unknown
        }
    }

    var repository: String? {
        switch self {
        case .base, .catalog, .unknown: nil
        case .tags(let name), .uploads(let name): name
        case .manifest(let name, _), .blob(let name, _), .upload(let name, _), .referrers(let name, _): name
        }
    }

    /// The operation's name in the request log and in faults.
    func operation(_ method: String) -> String {
        switch self {
        case .base: "\(method) base"
        case .catalog: "\(method) catalog"
        case .tags: "\(method) tags"
        case .manifest: "\(method) manifest"
        case .blob: "\(method) blob"
        case .uploads: "\(method) upload"
        case .upload: method == "PUT" ? "PUT blob" : "\(method) upload"
        case .referrers: "\(method) referrers"
        case .unknown: "\(method) unknown"
        }
    }

    /// The API's action that the request needs permission for.
    ///
    /// - Source: docs/facts/permissions.md#actions
    func action(_ method: String) -> String? {
        switch self {
        case .base, .unknown: nil
        case .catalog: "DescribeRepositories"
        case .tags: "ListImages"
        case .manifest: method == "PUT" ? "PutImage" : method == "DELETE" ? "BatchDeleteImage" : "BatchGetImage"
        case .blob: method == "HEAD" ? "BatchCheckLayerAvailability" : "GetDownloadUrlForLayer"
        case .uploads: "InitiateLayerUpload"
        case .upload: method == "PUT" ? "CompleteLayerUpload" : "UploadLayerPart"
        case .referrers: "BatchGetImage"
        }
    }
}

internal import HTTPTypes
public import Wire

extension WireResponse {
    /// Whether the answer says that a limit over hours or a month is used up, so that a retry won't help.
    ///
    /// Docker Hub counts pulls over six hours, and says so in its message and in `ratelimit-remaining: 0;w=21600`; ECR
    /// Public counts an anonymous caller's gigabytes over a month. `Rate exceeded`, also from ECR Public, is about
    /// requests per second.
    ///
    /// - Source: docker docs, "Docker Hub pull usage and limits"; ECR Public User Guide, "Service quotas";
    ///   canonical/rockcraft#654, opensearch-project/opensearch-build#3737
    public var namesPullLimit: Bool {
        guard status.code == 429 else { return false }
        let text = String(decoding: body.prefix(4_096), as: UTF8.self).lowercased()
        if ["pull rate limit", "data limit exceeded"].contains(where: text.contains) { return true }
        guard let left = HTTPField.Name("ratelimit-remaining").flatMap({ fields[$0] }) else { return false }
        let parts = left.split(separator: ";").map { $0.filter { $0 != " " } }
        let window = parts.first { $0.hasPrefix("w=") }.flatMap { Int($0.dropFirst(2)) }
        return parts.first == "0" && (window ?? 0) >= Self.longWindow
    }

    /// The shortest window that counts as long, in seconds.
    private static let longWindow = 3_600
}

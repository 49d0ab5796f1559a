internal import Content

/// The reason to report when a registry rejects an index whose entries are blobs.
///
/// BuildKit's older registry caches have this form. Docker Hub, GHCR, GitLab and docker-registry store such indexes.
/// ECR does not, and has no setting for it.
///
/// - Source: github.com/aws/containers-roadmap issue 876; BuildKit's README, "Registry (push image and cache
///   separately)"
extension CopyError.Reason {
    /// - Parameter answer: The registry's message, if it was asked.
    static func refusedIndexOfBlobs(_ index: Manifest, answer: String? = nil) -> CopyError.Reason {
        let type = index.blobEntries.first?.mediaType.rawValue ?? ""
        return .unsupported(
            index.isBuildCache ? .buildCache(answer: answer) : .indexOfBlobs(index.digest, type: type, answer: answer)
        )
    }
}

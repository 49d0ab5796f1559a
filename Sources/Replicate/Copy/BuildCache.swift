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
        let said = answer.map { ": \($0)" } ?? ""
        guard index.isBuildCache else {
            let type = index.blobEntries.first?.mediaType.rawValue ?? ""
            return .unsupported(
                "the index \(index.digest) lists '\(printable(type, upTo: 200))', which is not a manifest, and the registry takes "
                    + "only indexes of manifests\(said)",
                remedy: "build the index again without that entry; \(leavingOut)"
            )
        }
        return .unsupported(
            "this is a BuildKit build cache: an index that lists layers (\(MediaType.buildKitCacheConfig)), and the registry takes "
                + "only indexes of manifests\(said)",
            remedy:
                "write the cache as an image manifest: add image-manifest=true,oci-mediatypes=true to --cache-to type=registry; "
                + leavingOut
        )
    }

    private static var leavingOut: String { "to copy the other tags without it, pass --exclude TAG with --all-tags" }
}

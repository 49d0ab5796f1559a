public import Content

extension CopyError {
    /// What a registry, a layout or this package can't do.
    public enum Unsupported: Sendable, Equatable {
        /// The reference names neither a tag nor a digest.
        case referenceWithoutImage
        /// The destination names no repository, and the source is a layout, which has no name to keep.
        case destinationWithoutRepository
        /// The registry has no list of its repositories.
        case listOfRepositories
        /// The newest images can't be chosen, because the registry doesn't say when images were pushed.
        case newestWithoutPushTimes
        /// A platform can't be chosen from a single image.
        case platformOfSingleImage
        /// The single image is for this platform, which is not among the wanted ones.
        case imageOfOtherPlatform(String)
        /// The registry refuses a manifest whose layers are only named by `urls`; the text says which layers.
        case foreignLayers(String)
        /// The registry takes only indexes of manifests, and this one is a BuildKit cache.
        case buildCache(answer: String?)
        /// The registry takes only indexes of manifests, and this one has an entry of another type.
        case indexOfBlobs(Digest, type: String, answer: String?)
        /// The blob can't be uploaded in parts; the text says why.
        case uploadInParts(String)
        /// The image has more referrers than are followed.
        case referrers(most: Int)
        /// The image's manifests need more memory than this, in bytes.
        case manifestMemory(Int64)
        /// The layout is damaged; the text says how.
        case damagedLayout(String)
        /// Several images of the layout have one name; `example` names one of them by its digest.
        case ambiguousName(String, example: String)
        /// The image shares its tag with other images of the layout; `example` names it by its digest.
        case sharedTag(String, example: String)
        /// The source's repository is encrypted with this KMS key, and no key is named for it at the destination.
        case unmappedKey(String)
        /// A repository of this region can't be encrypted with the KMS key, which is in another region.
        case keyOfOtherRegion(String, region: String)
        /// Archives are only read.
        case writingToArchive
        case other(String)
    }
}

extension CopyError.Unsupported: CustomStringConvertible {
    public var description: String {
        switch self {
        case .referenceWithoutImage: "the reference names neither a tag nor a digest"
        case .destinationWithoutRepository: "the source is an image layout, which has no repository name to keep"
        case .listOfRepositories: "the registry has no list of its repositories (/v2/_catalog)"
        case .newestWithoutPushTimes:
            "the newest images can't be chosen, because this registry doesn't say when images were pushed"
        case .platformOfSingleImage: "a platform can only be chosen from an index, and this is a single image"
        case .imageOfOtherPlatform(let platform):
            "the image is for \(platform), which is not among the selected platforms"
        case .foreignLayers(let text), .uploadInParts(let text), .damagedLayout(let text), .other(let text),
            .ambiguousName(let text, _), .sharedTag(let text, _):
            text
        case .buildCache(let answer):
            "this is a BuildKit build cache: an index that lists layers (\(MediaType.buildKitCacheConfig)), and the "
                + "registry accepts only indexes of manifests" + Self.said(answer)
        case .indexOfBlobs(let index, let type, let answer):
            "the index \(index) lists '\(printable(type, upTo: 200))', which is not a manifest, and the registry "
                + "accepts only indexes of manifests" + Self.said(answer)
        case .referrers(let most): "there are more than \(most) referrers, and at most \(most) are copied for one image"
        case .manifestMemory(let limit): "the image's manifests need more than \(ByteCount(limit)) of memory"
        case .unmappedKey(let key):
            "the source's repository is encrypted with the KMS key '\(quotable(key, upTo: 300))', and no key is named for "
                + "it at the destination"
        case .keyOfOtherRegion(let key, let region):
            "a repository in \(region) can't be encrypted with the KMS key '\(quotable(key, upTo: 300))' of another region"
        case .writingToArchive: "images can't be written to archives"
        }
    }

    private static func said(_ answer: String?) -> String { answer.map { ": \($0)" } ?? "" }
}

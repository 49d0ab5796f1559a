internal import Replicate

/// What to do about what a registry, a layout or this program can't do.
struct UnsupportedAdvice {
    private let what: CopyError.Unsupported
    private let error: CopyError

    init(_ what: CopyError.Unsupported, _ error: CopyError) { (self.what, self.error) = (what, error) }

    var text: String {
        switch what {
        case .referenceWithoutImage: "add :TAG or @DIGEST"
        case .destinationWithoutRepository: "add the repository to the destination: HOST/REPO"
        case .listOfRepositories: Self.nameTheRepository(at: error)
        case .newestWithoutPushTimes: "leave out --newest, or choose by tag with --match"
        case .platformOfSingleImage: "leave out --platform"
        case .imageOfOtherPlatform: "select that platform too, or leave the image out"
        case .foreignLayers:
            "choose a platform without such layers with --platform, or make the registry allow these urls "
                + "(docker-registry: validation.manifests.urls.allow)"
        case .buildCache:
            "write the cache as an image manifest: add image-manifest=true,oci-mediatypes=true to --cache-to type=registry; "
                + Self.leavingOut
        case .indexOfBlobs: "build the index again without that entry; \(Self.leavingOut)"
        case .uploadInParts: "leave out --upload api"
        case .referrers: "delete the referrers at the source that are no longer needed"
        case .manifestMemory: "copy fewer platforms with --platform"
        case .damagedLayout: "create the layout again from the original images"
        case .ambiguousName where error.side == .destination:
            "use another tag, or remove one of the images from the layout first"
        case .ambiguousName(_, let example): "name one by its digest, as in \(example)"
        case .sharedTag(_, let example): "copy each by its digest, as in \(example), with a tag of its own"
        case .unmappedKey(let key):
            "name the key to use: --kms-key \(key)=KEY, or in a rule file '\(key): KEY' among the kmsKeys of the "
                + "destination's registry; KEY is an ARN, an id or an alias there, and alias/aws/ecr stands for AWS's own key"
        case .keyOfOtherRegion(_, let region): "name a key of \(region) with --kms-key, or in kmsKeys of a rule file"
        case .writingToArchive: "copy the image to a directory: oci:DIR"
        case .other: "this image can't be copied as it is"
        }
    }

    /// The advice about a registry that doesn't list its repositories.
    static func nameTheRepository(at error: CopyError) -> String {
        "name the repository: ecr-replicate ls \(error.place)REPO; many registries list their repositories on their web "
            + "pages only, or to administrators"
    }

    private static let leavingOut = "to copy the other tags without it, pass --exclude TAG with --all-tags"
}

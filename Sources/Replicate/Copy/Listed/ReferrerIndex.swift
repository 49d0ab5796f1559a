internal import Content

/// The referrers of a repository by subject, taken from a listing of all its images.
///
/// - Source: docs/facts/ecr-api.md#describeimages: the listing names the subject of every referrer
struct ReferrerIndex: Sendable {
    private let referrers: [Digest: [ListedImage]]

    init(_ images: [ListedImage]) {
        var referrers: [Digest: [ListedImage]] = [:]
        for image in images {
            guard let subject = image.subject else { continue }
            referrers[subject, default: []].append(image)
        }
        self.referrers = referrers
    }

    /// The manifests whose subject is `digest`.
    func referrers(of digest: Digest) -> [Digest] { (referrers[digest] ?? []).map(\.digest) }

    /// Every digest that something refers to.
    var subjects: some Sequence<Digest> { referrers.keys }

    /// The referrers of `digest`, as the registry's own list would name them.
    func listing(of digest: Digest) -> ReferrerListing {
        // The listing states the size of the image, not of the manifest; nothing reads the size of an entry.
        ReferrerListing(
            (referrers[digest] ?? []).map { image in
                Descriptor(mediaType: image.mediaType ?? .ociManifest, digest: image.digest, size: 0)
            }
        )
    }
}

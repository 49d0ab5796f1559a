internal import Content
internal import ECRAPI

/// Lists images and referrers, page by page.
extension ECRImageRepository {
    func list() async throws -> ImageListing {
        try await namingCacheRule { try await images() }
    }

    func listImages(taggedOnly: Bool) async throws -> ImageListing? {
        try await namingCacheRule { try await images(taggedOnly ? .tagged : .any) }
    }

    /// Lists all tags, a thousand images a page, where `BatchGetImage` answers for a hundred tags.
    ///
    /// If the caller may not list, the tags are requested by name.
    func listHeldTags() async throws -> HeldTags? {
        let listing: ImageListing
        do {
            listing = try await images()
        } catch let error as CopyError where error.isDenial {
            return nil
        }
        var held = HeldTags()
        for image in listing.images {
            for tag in image.tags { held.digests[tag] = image.digest }
            if image.isArchived { held.archived.formUnion(image.tags) }
        }
        return held
    }

    private func images(_ status: ImageFilter.TagStatus = .tagged) async throws -> ImageListing {
        try await explained("DescribeImages") {
            var listing = ImageListing()
            let question = DescribeImages(
                registryId: host.account,
                repositoryName: reference.repository,
                filter: ImageFilter(tagStatus: status, imageStatus: .any)
            )
            for try await page in api.pages(question) {
                listing.images += page.imageDetails.map { detail in
                    var image = ListedImage(
                        digest: detail.imageDigest,
                        tags: listing.usable(detail.imageTags ?? []),
                        pushedAt: detail.imagePushedAt?.secondsSince1970,
                        size: detail.imageSizeInBytes,
                        mediaType: detail.imageManifestMediaType,
                        isArchived: detail.imageStatus.map { $0 != .active } ?? false
                    )
                    image.subject = detail.subjectManifestDigest
                    return image
                }
            }
            return listing
        }
    }

    func referrers(of digest: Digest) async throws -> ReferrerListing? {
        try await explained("ListImageReferrers", .digest(digest)) {
            do {
                let question = ListImageReferrers(
                    registryId: host.account,
                    repositoryName: reference.repository,
                    subject: digest,
                    filter: nil
                )
                var found: [Descriptor] = []
                for try await page in api.pages(question) {
                    found += page.referrers.map { referrer in
                        Descriptor(
                            mediaType: referrer.mediaType,
                            digest: referrer.digest,
                            size: referrer.size,
                            annotations: referrer.annotations ?? [:],
                            artifactType: referrer.artifactType
                        )
                    }
                    // The listing has more referrers than are followed, which the budget then reports.
                    guard found.count <= ReferrerBudget.most else { break }
                }
                return ReferrerListing(found)
            } catch let error as ECRError where error.code.isUnknownOperation || error.code == .validation {
                return nil
            }
        }
    }
}

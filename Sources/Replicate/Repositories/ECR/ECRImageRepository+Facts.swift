internal import Content
internal import ECRAPI

/// What ECR knows about an image beside its content.
extension ECRImageRepository: ImageFactSource {
    var facts: (any ImageFactSource)? { self }

    func pushTime(of digest: Digest) async throws -> Double? {
        try await explained("DescribeImages", .digest(digest)) {
            let answer = try await api.send(
                DescribeImages(
                    registryId: host.account,
                    repositoryName: reference.repository,
                    imageIds: [ImageIdentifier(digest: digest)]
                )
            )
            return answer.imageDetails.first { $0.imageDigest == digest }?.imagePushedAt?.secondsSince1970
        }
    }

    func fixedTags() async throws -> TagImmutability? {
        try await explained("DescribeRepositories") {
            let answer = try await api.send(
                DescribeRepositories(registryId: host.account, repositoryNames: [reference.repository])
            )
            return answer.repositories.first.flatMap { repository in
                TagImmutability(repository.imageTagMutability, repository.imageTagMutabilityExclusionFilters)
            }
        }
    }

    func readScan(
        of digest: Digest,
        pageSize: Int,
        _ page: (DescribeImageScanFindings.Response) throws -> Void
    ) async throws -> Bool {
        try await explained("DescribeImageScanFindings", .digest(digest)) {
            let question = DescribeImageScanFindings(
                registryId: host.account,
                repositoryName: reference.repository,
                imageId: ImageIdentifier(digest: digest),
                maxResults: pageSize
            )
            do {
                for try await answer in api.pages(question) { try page(answer) }
                return true
            } catch let error as ECRError where error.code == .scanNotFound {
                return false
            }
        }
    }
}

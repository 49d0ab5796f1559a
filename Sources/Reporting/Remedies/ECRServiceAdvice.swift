internal import Content
internal import Replicate

/// What to do about an image, a key or a quota of ECR, with commands to paste where AWS offers them.
///
/// - Source: docs/facts/ecr-api.md#archived-images and docs/facts/quotas.md#limits; ECR User Guide, "Service quotas"
///   (tags per image are fixed, images per repository and repositories are not), "Encryption at rest" and "Archiving
///   images"; AWS Prescriptive Guidance, "Encryption best practices for Amazon ECR"; KMS API Reference, `EnableKey`,
///   `CancelKeyDeletion`
struct ECRServiceAdvice {
    let place: ECRPlace
    /// The value of `--image-id` for the image; `nil` if the image isn't known.
    private let imageID: String?

    /// - Returns: `nil` if the image is not in ECR.
    init?(_ image: ImageReference?) {
        guard let image, let place = ECRPlace(image) else { return nil }
        self.place = place
        imageID = image.digest.map { "imageDigest=\($0)" } ?? image.tag.map { "imageTag=\($0)" }
    }

    private var region: String { place.host.region }

    private var repository: String { place.awsOptions }

    var archived: String {
        let id = imageID ?? "imageDigest=DIGEST"
        return "restore it, wait until it is ACTIVE again, then run again:\n    aws ecr update-image-storage-class "
            + "\(repository) --image-id \(id) --target-storage-class STANDARD\n    aws ecr describe-images \(repository) "
            + "--image-ids \(id) --filter imageStatus=ANY --query 'imageDetails[].imageStatus'"
    }

    /// What to do about a quota that is exhausted.
    ///
    /// - Parameter text: ECR's message for the exception.
    func quota(_ text: String) -> String {
        if text.contains("tags per image") {
            return
                "ECR allows 1,000 tags per image, which can't be raised: delete some that are no longer needed\n    "
                + "aws ecr batch-delete-image \(repository) --image-ids imageTag=TAG\n    or push a new build, which "
                + "has another digest"
        }
        if text.contains("images per repository") || text.contains("number of images") {
            return
                "delete images that are no longer needed (a lifecycle policy can do that), or ask for a higher "
                + "quota:\n    \(increase("L-03A36CE1"))"
        }
        if text.contains("repositories") {
            return
                "delete repositories that are no longer needed, or ask for a higher quota:\n    \(increase("L-CFEB8E8D"))"
        }
        return "delete content that is no longer needed, or ask for a higher quota if this one can be raised:\n    "
            + "aws service-quotas list-service-quotas --service-code ecr --region \(region) --query "
            + "'Quotas[].[QuotaName,QuotaCode,Value,Adjustable]' --output table"
    }

    private func increase(_ code: String) -> String {
        "aws service-quotas request-service-quota-increase --service-code ecr --region \(region) --quota-code \(code) "
            + "--desired-value N"
    }

    /// What to do about a KMS key that can't be used.
    ///
    /// The grants that ECR makes when it creates a repository can't be made again, and a repository's key can't be
    /// changed.
    ///
    /// - Parameter text: KMS's message, or the name of its error.
    func key(_ text: String) -> String {
        let find =
            "find the key with:\n    aws ecr describe-repositories --region \(region) --registry-id \(place.host.account) "
            + "--repository-names \(place.repository) --query 'repositories[].encryptionConfiguration.kmsKey'\n    "
        let anew = "the repository's key and grant can't be changed: push the images to a new repository"
        if text.contains("Disabled") {
            return find + "and enable it: aws kms enable-key --region \(region) --key-id KEY"
        }
        if text.contains("InvalidState") || text.contains("pending deletion") {
            return find
                + "if its deletion is scheduled, cancel that: aws kms cancel-key-deletion --region \(region) --key-id "
                + "KEY, then aws kms enable-key with the same options"
        }
        if text.contains("NotFound") {
            return "the key was deleted, and the content that it encrypts can't be read any more; \(anew)"
        }
        return find
            + "and check its state: aws kms describe-key --region \(region) --key-id KEY\n    if it is enabled, ECR's "
            + "grant on it was revoked or retired; \(anew)"
    }
}

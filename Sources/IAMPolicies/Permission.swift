package import Replicate

/// An action that a copy asks AWS for, with its side, its reason and the occasion.
///
/// This is the only list of these actions: `iam-policy` writes policies from it, and `docs/permissions.md` shows it.
///
/// - Source: docs/facts/permissions.md; ECR's service model, which covers `ListImageReferrers` by `ecr:BatchGetImage`
package struct Permission: Sendable, Hashable {
    /// When a copy asks for the action.
    package enum Occasion: String, Sendable, Hashable, CaseIterable {
        /// In every copy, even one that only sets tags in one repository.
        case always
        /// When an image is copied to another repository, registry or account.
        case copying
        /// With `--all-tags`, `--match`, `--exclude` or `--newest`, and for `ls`.
        case listing
        /// When an image is copied to another repository, except with `--upload api` if no layer can be mounted.
        case uploadingByRegistry
        /// With `--create-repository defaults` or `like-source`, when the repository is missing.
        case creating
        /// With `--create-repository like-source`, when the repository is missing.
        case creatingLikeSource
        /// When the copy creates a repository with its own KMS key.
        case creatingWithKey
        /// Before a tag is moved.
        case movingTags
        /// When source and destination are in the same registry.
        case mounting
        /// When an image has foreign layers.
        case foreignLayers
        /// When the repository is missing.
        case missing
        /// For rules, whose images are listed at both sides.
        case planning
        /// For rules that select repositories of the source by a pattern.
        case listingRepositories
        /// For rules that delete what the source no longer has.
        case pruning
        /// With the gates on scans: `--max-severity`, `--scan-not-older-than`.
        case readingScans
        /// With the gate `--min-age`.
        case readingAge
        /// With the gate `--require-immutable-tag`.
        case readingTagSettings
        /// With gates on signatures, attestations or platforms, where nothing is copied from another repository.
        case readingContent
        /// With gates whose keys are in KMS.
        case verifyingWithKey
        /// For records that a key in KMS signs.
        case signingRecords
    }

    package let action: String
    package let side: CopyError.Side
    package let occasion: Occasion
    /// What the copy needs the action for.
    package let why: String
    /// What happens when the action is denied and the copy continues; `nil` if the copy fails, with exit code 4.
    package let otherwise: String?
    /// Whether a copy without the action does what was asked for, perhaps slower or with less in its report.
    package let isOptional: Bool

    /// - Parameter loses: Whether, without the action, the copy does less than was asked for.
    private init(
        _ action: String,
        _ side: CopyError.Side,
        _ occasion: Occasion,
        _ why: String,
        otherwise: String? = nil,
        loses: Bool = false
    ) {
        (self.action, self.side, self.occasion) = (action, side, occasion)
        (self.why, self.otherwise) = (why, otherwise)
        isOptional = otherwise != nil && !loses
    }

    /// The action's row in the table of `docs/permissions.md`.
    package var row: String {
        "| `\(action)` | \(side.rawValue) | \(occasion.words) | \(why) | \(otherwise ?? "exit 4") |"
    }

    /// An action by which a copy recognizes the repository that it is creating.
    private static func asking(_ action: String) -> Permission {
        Self(
            action,
            .destination,
            .creatingLikeSource,
            "if the repository exists by then, finds out whether this copy created it",
            otherwise: "its settings stay as they are, and a note says so"
        )
    }

    /// An action by which a gate decides; without it, the gate's result is unknown, and the image does not pass.
    private static func gate(_ action: String, _ occasion: Occasion, _ why: String) -> Permission {
        Self(action, .source, occasion, why, otherwise: "the gate is unknown: exit 3", loses: true)
    }

    /// All permissions, in the order in which policies list them.
    package static let all: [Permission] = [
        Self("ecr:BatchGetImage", .source, .copying, "reads manifests, signatures and the list of referrers"),
        Self("ecr:GetDownloadUrlForLayer", .source, .copying, "gets the address of each layer"),
        Self(
            "ecr:DescribePullThroughCacheRules",
            .source,
            .missing,
            "names the pull-through cache rule that covers the repository",
            otherwise: "the error doesn't name it"
        ),
        Self("ecr:DescribeImages", .source, .listing, "lists the tagged images"),
        Self("ecr:DescribeImages", .source, .planning, "lists the images"),
        Self("ecr:DescribeRepositories", .source, .listingRepositories, "lists the registry's repositories"),
        Self(
            "ecr:BatchCheckLayerAvailability",
            .source,
            .foreignLayers,
            "finds out whether the source holds the bytes of foreign layers",
            otherwise: "they are left where their `urls` point"
        ),
        Self("ecr:DescribeRepositories", .source, .creatingLikeSource, "reads tag mutability, encryption and scanning"),
        Self("ecr:ListTagsForResource", .source, .creatingLikeSource, "reads the resource tags"),
        Self("ecr:GetLifecyclePolicy", .source, .creatingLikeSource, "reads the lifecycle policy"),
        Self("ecr:GetRepositoryPolicy", .source, .creatingLikeSource, "reads the repository policy"),
        gate("ecr:DescribeImageScanFindings", .readingScans, "reads what the scan found"),
        gate("ecr:DescribeImages", .readingAge, "reads when ECR received the image"),
        gate("ecr:DescribeRepositories", .readingTagSettings, "reads which tags are immutable"),
        gate("ecr:BatchGetImage", .readingContent, "reads signatures and attestations"),
        gate("ecr:GetDownloadUrlForLayer", .readingContent, "gets the address of signatures, attestations and configs"),
        gate("kms:GetPublicKey", .verifyingWithKey, "reads the public key that must have signed"),
        Self(
            "ecr:GetAuthorizationToken",
            .destination,
            .uploadingByRegistry,
            "gets the token for uploading layers through the registry"
        ),
        Self("ecr:BatchGetImage", .destination, .always, "finds out what tags hold and which manifests exist"),
        Self(
            "ecr:DescribeImages",
            .destination,
            .listing,
            "lists what tags hold, a thousand images at once",
            otherwise: "tags are read a hundred at once"
        ),
        Self("ecr:DescribeImages", .destination, .planning, "lists the images, to compare them with the source's"),
        Self(
            "ecr:DescribeRepositories",
            .destination,
            .planning,
            "finds out whether a tag is immutable, so that `plan` says so",
            otherwise: "`PutImage` reports it, after bytes have moved",
            loses: true
        ),
        Self("ecr:BatchCheckLayerAvailability", .destination, .copying, "finds out which layers exist"),
        Self("ecr:InitiateLayerUpload", .destination, .copying, "begins each upload"),
        Self("ecr:UploadLayerPart", .destination, .copying, "sends the bytes"),
        Self("ecr:CompleteLayerUpload", .destination, .copying, "ends each upload"),
        Self("ecr:PutImage", .destination, .always, "stores manifests and sets tags"),
        Self(
            "ecr:DescribeRepositoryCreationTemplates",
            .destination,
            .missing,
            "finds out whether a creation template makes ECR create the repository on push",
            otherwise: "no push is tried; the copy fails unless `--create-repository defaults`"
        ),
        Self(
            "ecr:DescribeRepositories",
            .destination,
            .movingTags,
            "finds out whether a tag is immutable, before bytes move",
            otherwise: "`PutImage` reports it, after bytes have moved"
        ),
        Self(
            "ecr:GetDownloadUrlForLayer",
            .destination,
            .mounting,
            "lets a layer be mounted from the repository that has it",
            otherwise: "the layer is uploaded"
        ),
        Self("ecr:BatchDeleteImage", .destination, .pruning, "deletes images that the source no longer has"),
        Self("ecr:CreateRepository", .destination, .creating, "creates the repository"),
        asking("ecr:ListTagsForResource"), asking("ecr:GetLifecyclePolicy"), asking("ecr:GetRepositoryPolicy"),
        Self("ecr:TagResource", .destination, .creatingLikeSource, "creates it with the source's resource tags"),
        Self(
            "ecr:PutLifecyclePolicy",
            .destination,
            .creatingLikeSource,
            "sets the lifecycle policy",
            otherwise: "the repository is created without it, and a note says so",
            loses: true
        ),
        Self(
            "ecr:SetRepositoryPolicy",
            .destination,
            .creatingLikeSource,
            "sets the repository policy",
            otherwise: "the repository is created without it, and a note says so",
            loses: true
        ),
        Self(
            "kms:CreateGrant",
            .destination,
            .creatingWithKey,
            "lets ECR use the key, for as long as the repository lives"
        ),
        Self(
            "kms:RetireGrant",
            .destination,
            .creatingWithKey,
            "lets ECR retire that grant when the repository is deleted"
        ),
        Self("kms:DescribeKey", .destination, .creatingWithKey, "finds the key"),
        Self("kms:GetPublicKey", .destination, .signingRecords, "reads which key it is, before anything is copied"),
        Self("kms:Sign", .destination, .signingRecords, "signs the record"),
    ]
}

extension Permission.Occasion {
    /// The occasion in words, as Markdown.
    var words: String {
        switch self {
        case .always: "always"
        case .copying: "to another repository"
        case .listing: "`--all-tags`, `--match`, `--exclude`, `--newest`; `ls`"
        case .uploadingByRegistry: "to another repository, unless `--upload api` and nothing can be mounted"
        case .creating: "`--create-repository defaults` or `like-source`, the repository is missing"
        case .creatingLikeSource: "`--create-repository like-source`, the destination's repository is missing"
        case .creatingWithKey: "the repository is created with a KMS key of its own"
        case .movingTags: "a tag moves"
        case .mounting: "both sides are in one registry"
        case .foreignLayers: "the image has foreign layers"
        case .missing: "the repository is missing"
        case .planning: "rules"
        case .listingRepositories: "rules with patterns of repositories"
        case .pruning: "rules with `prune`"
        case .readingScans: "gates: `--max-severity`, `--scan-not-older-than`"
        case .readingAge: "gates: `--min-age`"
        case .readingTagSettings: "gates: `--require-immutable-tag`"
        case .readingContent: "gates on signatures, attestations or platforms, within one repository"
        case .verifyingWithKey: "gates with `awskms:///ARN`"
        case .signingRecords: "`--sign-record awskms:///ARN`"
        }
    }
}

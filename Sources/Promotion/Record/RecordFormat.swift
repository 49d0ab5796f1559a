package import Content
internal import Platform

/// The names and limits of promotion records.
///
/// They are a promise to everyone who keeps or checks records: within a format version, members are added and never
/// renamed.
///
/// - Source: docs/records.md#format
package enum RecordFormat {
    /// The version of ``PromotionRecord``; a reader takes no other.
    package static let version = 1
    /// The predicate type of a record without gates, and the name of the member of a verification summary that holds the
    /// same object.
    ///
    /// The project has no domain of its own, and `.invalid` is never given to anyone (RFC 2606); the schemas of `config/`
    /// use the same name.
    package static let predicateType = "https://ecr-replicate.invalid/promotion/v1"
    /// The `verifier.id` of verification summaries.
    package static let verifierID = "https://ecr-replicate.invalid/promote"

    /// - Source: docs/facts/attestations.md#statement
    package static let statementType = "https://in-toto.io/Statement/v1"
    /// - Source: docs/facts/attestations.md#verification-summary
    package static let summaryType = "https://slsa.dev/verification_summary/v1"
    package static let slsaVersion = "1.2"

    /// The type of a signed record: a Sigstore bundle.
    ///
    /// - Source: docs/facts/attestations.md#bundle
    package static let bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"
    /// The artifact type of an unsigned record, which is no bundle: a bundle has a signature.
    package static let unsignedType = DSSEEnvelope.statementType

    /// Annotations of a record's manifest.
    package enum Annotation {
        package static let created = "org.opencontainers.image.created"
        package static let bundleContent = "dev.sigstore.bundle.content"
        package static let bundlePredicate = "dev.sigstore.bundle.predicateType"
        /// `promote` or `undo`.
        package static let action = "ecr-replicate.promotion.action"
        /// The repository of the decision, which is another one where a record was copied with its image.
        package static let repository = "ecr-replicate.promotion.repository"
        /// The tags, each as `TAG=DIGEST` with the digest that it held before, or `TAG=none`, separated by blanks;
        /// `none` for an image that gets no tag.
        package static let tags = "ecr-replicate.promotion.tags"
        /// The digest of the policy, or `none`.
        package static let policy = "ecr-replicate.promotion.policy"
        /// The digest of the record that is undone.
        package static let undoes = "ecr-replicate.promotion.undoes"
    }

    /// The word for a digest that there is not.
    package static let none = "none"

    /// The largest record that is written or read, in bytes.
    package static let largest = 1 << 20
    /// The most records that are shown for one reference.
    package static let mostRecords = 1_000
    /// The most images whose records are read for one reference.
    package static let mostImages = 200
    /// The most pieces of evidence that a record keeps for one gate.
    package static let mostEvidence = 100
    /// The most digests of evidence in a verification summary, which must name all or none.
    package static let mostInputs = 1_000
    /// The longest text of a record, in bytes.
    package static let longestText = 500
}

extension ImageReference {
    /// The repository's name in records, which is the same however the reference names the registry's host.
    package var recordName: String {
        switch registry {
        case .ecr(let host) where host.localAuthority == nil:
            "\(ECRHost(account: host.account, region: host.region).name)/\(repository)"
        case .plain(let registry): "\(registry.authority)/\(repository)"
        default: "\(bare)"
        }
    }
}

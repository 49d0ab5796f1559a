internal import Promotion

extension RuleFileShape {
    /// The keys of `gates`, which mean what the options of `promote` with these names mean.
    static let gates = Shape(
        name: "gates",
        keys: [
            .init(
                name: "maxSeverity",
                summary: "The worst finding of a scan that an image may have.",
                kind: .choice(FindingSeverity.allCases.map(\.rawValue)),
                otherNames: ["severity"]
            ),
            .init(
                name: "ignore",
                summary: "Findings that don't count, each with a reason and an end.",
                kind: .objects(ignoredFinding),
                otherNames: ["ignored", "exceptions", "allow"]
            ),
            .init(
                name: "scanNotOlderThan",
                summary: "The greatest age of the scan, as 24h or 7d.",
                kind: .text(),
                otherNames: ["maxScanAge", "scanAge"]
            ),
            .init(
                name: "waitScan",
                summary: "How long to wait for a scan that is not finished, as 5m.",
                kind: .text(),
                otherNames: ["waitForScan", "scanTimeout"]
            ),
            .init(
                name: "requireSignature",
                summary:
                    "Public keys and trust stores, each of which must have signed the image: files, directories of certificates, or awskms:///ARN.",
                kind: .texts,
                otherNames: ["signature", "signatures", "keys", "verify"]
            ),
            .init(
                name: "signerIdentity",
                summary:
                    "Identities to trust beside those of a trust policy: x509.subject: …, or ARNs of signing profiles.",
                kind: .texts,
                otherNames: ["signerIdentities", "identity", "identities"]
            ),
            .init(
                name: "eachImage",
                summary:
                    "Whether each image of an index must be signed and attested, instead of the index (default: false).",
                kind: .flag
            ),
            .init(
                name: "requireAttestation",
                summary:
                    "Attestations that the image must have, as TYPE or TYPE:KEY; a type is spdx, cyclonedx, slsaprovenance or a URI.",
                kind: .texts,
                otherNames: ["attestation", "attestations"]
            ),
            .init(
                name: "provenanceBuilder",
                summary: "The builder that the provenance must name.",
                kind: .text(),
                otherNames: ["builder"]
            ),
            .init(
                name: "provenanceSource",
                summary: "The source repository that the provenance must name.",
                kind: .text(),
                otherNames: ["sourceRepository"]
            ),
            .init(
                name: "minAge",
                summary: "How long ago ECR must have received the image, as 1h or 7d.",
                kind: .text(),
                otherNames: ["cooldown", "age"]
            ),
            .init(
                name: "requireImmutableTag",
                summary: "Whether the tag must be immutable at the source (default: false).",
                kind: .flag,
                otherNames: ["immutableTag", "immutable"]
            ),
            .init(
                name: "approved",
                summary: "Files that list the approved digests, one a line; the image must be in each.",
                kind: .texts,
                otherNames: ["approvals", "allowlist"]
            ),
            .init(
                name: "approvedKey",
                summary: "Public keys, one of which must have signed the statement that approved names.",
                kind: .texts,
                otherNames: ["approvedKeys"]
            ),
            .init(
                name: "requirePlatform",
                summary: "Platforms for which there must be an image, as linux/arm64.",
                kind: .texts,
                otherNames: ["platform", "platforms"]
            ),
            .init(
                name: "command",
                summary: "Programs, each of which must let the image pass.",
                kind: .texts,
                otherNames: ["gateCommand", "program", "exec"]
            ),
            .init(
                name: "commandTimeout",
                summary: "The time that each program may take (default: 1m).",
                kind: .text(),
                otherNames: ["timeout"]
            ),
        ]
    )

    static let ignoredFinding = Shape(
        name: "ignoredFinding",
        keys: [
            .init(
                name: "finding",
                summary: "The name of the finding, as CVE-2026-12345.",
                kind: .text(),
                isRequired: true,
                otherNames: ["cve", "id", "name", "vulnerability"]
            ),
            .init(
                name: "reason",
                summary: "Why it does not count.",
                kind: .text(),
                isRequired: true,
                otherNames: ["why", "comment", "justification"]
            ),
            .init(
                name: "until",
                summary: "The last day in UTC on which it does not count, as 2026-12-31.",
                kind: .text(),
                isRequired: true,
                otherNames: ["expires", "expiry", "end"]
            ),
        ]
    )
}

package import Content

/// What an image must pass before it is promoted, as the options of `promote` and the `gates` of a rule write it.
package struct GateSettings: Sendable, Hashable {
    /// What the scan must say; `nil` for no such gate.
    package var scan: ScanRequirement?
    /// Keys and trust stores, each of which must have signed the image.
    package var signatures: [String] = []
    /// Identities that are trusted beside those of a trust policy: `x509.subject: …`, or ARNs of signing profiles.
    package var signerIdentities: [String] = []
    /// Whether each image of an index must be signed and attested, instead of the index.
    package var ofEachImage = false
    /// The attestations that the image must have, as `TYPE` or `TYPE:KEY`.
    package var attestations: [String] = []
    /// The builder that a provenance attestation must name.
    package var provenanceBuilder: String?
    /// The source repository that a provenance attestation must name.
    package var provenanceSource: String?
    /// How long ago ECR must have received the image.
    package var minAge: Duration?
    /// Whether the source's tag must be immutable.
    package var requiresImmutableTag = false
    /// Files that list the approved digests; the image must be in each of them.
    package var approvals: [String] = []
    /// The keys that may sign such a file.
    package var approvalKeys: [String] = []
    /// The platforms for which there must be an image.
    package var platforms: [ImagePlatform] = []
    /// Programs, each of which must let the image pass.
    package var commands: [String] = []
    /// The time that each program may take; `nil` for the usual time.
    package var commandLimit: Duration?

    package init() {}

    /// Whether there is no gate.
    package var isEmpty: Bool {
        scan == nil && signatures.isEmpty && attestations.isEmpty && minAge == nil && !requiresImmutableTag
            && approvals.isEmpty && platforms.isEmpty && commands.isEmpty
    }
}

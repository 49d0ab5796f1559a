internal import Content

/// What AWS Signer adds to a Notation signature: the signing profile and the job.
///
/// - Source: docs/facts/signatures.md#aws-signer
struct SignerAttributes: Hashable {
    static let plugin = "com.amazonaws.signer.notation.plugin"
    static let profileName = "com.amazonaws.signer.signingProfileVersion"
    static let jobName = "com.amazonaws.signer.signingJob"
    /// The critical attributes that are understood.
    static let names: Set<String> = [
        NotationAttributes.pluginName, NotationAttributes.pluginVersionName, profileName, jobName,
    ]

    /// The ARN of the signing profile, with its version.
    var profileVersion: String
    /// The ARN of the signing job.
    var job: String

    /// Reads them if the signature wants AWS Signer's plug-in.
    ///
    /// - Returns: `nil` if it wants none.
    /// - Throws: ``SignatureProblem`` if it wants another plug-in, or if an attribute is missing or not critical.
    init?(texts: [String: String], critical: Set<String>) throws(SignatureProblem) {
        guard let plugin = texts[NotationAttributes.pluginName] else { return nil }
        guard plugin == Self.plugin else {
            throw SignatureProblem(
                .undecided,
                "it asks for the verification plug-in '\(quotable(plugin, upTo: 100))', which is not known"
            )
        }
        guard critical.isSuperset(of: [NotationAttributes.pluginName, Self.profileName, Self.jobName]),
            let profile = texts[Self.profileName], let job = texts[Self.jobName], Self.isProfileVersion(profile),
            Self.isSigner(job)
        else { throw .refused("the attributes of AWS Signer are incomplete") }
        (profileVersion, self.job) = (profile, job)
    }

    /// Whether an identity is the ARN of this profile, with any version or with this one.
    func matches(_ identity: String) -> Bool {
        if identity == profileVersion { return true }
        guard Self.isProfile(identity), let slash = profileVersion.lastIndex(of: "/") else { return false }
        return profileVersion[..<slash] == identity
    }

    /// Whether a text is the ARN of a signing profile, with or without version.
    static func isIdentity(_ text: String) -> Bool { isProfile(text) || isProfileVersion(text) }

    private static func isSigner(_ text: String) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        return parts.count == 6 && parts[0] == "arn" && parts[2] == "signer" && !parts[1].isEmpty && !parts[3].isEmpty
            && parts[4].count == 12 && parts[4].utf8.allSatisfy { (0x30...0x39).contains($0) } && !parts[5].isEmpty
    }

    /// The parts of an ARN's resource `/signing-profiles/NAME[/VERSION]` after the first.
    private static func profileParts(_ text: String) -> [Substring]? {
        guard isSigner(text), let resource = text.split(separator: ":", maxSplits: 5).last else { return nil }
        let parts = resource.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].isEmpty, parts[1] == "signing-profiles" else { return nil }
        return parts[2...].allSatisfy { !$0.isEmpty } ? Array(parts[2...]) : nil
    }

    private static func isProfile(_ text: String) -> Bool { profileParts(text)?.count == 1 }
    private static func isProfileVersion(_ text: String) -> Bool { profileParts(text)?.count == 2 }
}

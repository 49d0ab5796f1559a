package import IAMPolicies
internal import Replicate

extension GateNeeds {
    /// What the gates ask for; files and programs of this machine ask AWS for nothing.
    package init(_ settings: GateSettings) {
        let keys = settings.signatures + settings.approvalKeys + settings.attestations
        self.init(
            readsScans: settings.scan != nil,
            readsPushTimes: settings.minAge != nil,
            readsTagSettings: settings.requiresImmutableTag,
            readsContent: !settings.signatures.isEmpty || !settings.attestations.isEmpty
                || !settings.platforms.isEmpty,
            publicKeys: keys.compactMap(Self.key).unique()
        )
    }

    /// A key that is written `awskms:///ARN`, also after an attestation's type; `nil` for a file.
    private static func key(_ text: String) -> KeyName? {
        let parts = text.split(separator: prefix, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return KeyName(String(parts[1]))
    }

    private static let prefix = "awskms:///"
}

/// What the gates of a promotion ask AWS for, besides what a copy asks for.
package struct GateNeeds: Sendable, Hashable {
    /// Whether the findings of scans are read.
    package var readsScans: Bool
    /// Whether the time of the push is read.
    package var readsPushTimes: Bool
    /// Whether it is read which tags are immutable.
    package var readsTagSettings: Bool
    /// Whether signatures, attestations or configs are read, which a copy of whole images reads anyway.
    package var readsContent: Bool
    /// The keys in KMS whose public keys are read.
    package var publicKeys: [KeyName]

    package init(
        readsScans: Bool = false,
        readsPushTimes: Bool = false,
        readsTagSettings: Bool = false,
        readsContent: Bool = false,
        publicKeys: [KeyName] = []
    ) {
        (self.readsScans, self.readsPushTimes, self.readsTagSettings) = (readsScans, readsPushTimes, readsTagSettings)
        (self.readsContent, self.publicKeys) = (readsContent, publicKeys)
    }

    /// Whether nothing else is asked for.
    package var isEmpty: Bool { self == GateNeeds() }
}

package import Content
internal import FoundationEssentials

extension PromotionRecord.Policy {
    /// The policy of a rule of a rule file.
    ///
    /// - Parameter digest: The digest of the file's bytes.
    package static func rule(_ rule: String, of file: String, _ digest: Digest) -> Self {
        // Only the name is kept: where the file was is of no use to a reader, and may tell too much.
        let name = file.split(separator: "/").last.map(String.init) ?? file
        return Self(name: printable("\(name)#\(rule)", upTo: RecordFormat.longestText), digest: digest)
    }

    /// The policy of gates on the command line: the digest of their canonical text.
    ///
    /// The order of options doesn't count, and neither do the waits, which don't change what passes.
    package static func commandLine(_ settings: GateSettings) -> Self {
        Self(name: "command-line", digest: Digest(of: Array(text(of: settings).utf8)))
    }

    static func text(of settings: GateSettings) -> String {
        var lines: [String] = []
        func add(_ name: String, _ values: [String]) { lines += values.sorted().map { "\(name)=\($0)" } }
        if let scan = settings.scan {
            add("scan", ["required"])
            add("max-severity", [scan.maxSeverity.map(\.rawValue)].compactMap { $0 })
            add("ignore", scan.ignored.map(\.name))
            add("scan-not-older-than", [scan.notOlderThan].compactMap { $0 }.map { "\($0.components.seconds)s" })
        }
        add("require-signature", settings.signatures)
        add("signer-identity", settings.signerIdentities)
        if settings.ofEachImage { lines.append("each-image") }
        add("require-attestation", settings.attestations)
        add("provenance-builder", [settings.provenanceBuilder].compactMap { $0 })
        add("provenance-source", [settings.provenanceSource].compactMap { $0 })
        add("min-age", [settings.minAge].compactMap { $0 }.map { "\($0.components.seconds)s" })
        if settings.requiresImmutableTag { lines.append("require-immutable-tag") }
        add("approved", settings.approvals)
        add("approved-key", settings.approvalKeys)
        add("require-platform", settings.platforms.map(\.description))
        add("gate-command", settings.commands)
        return lines.map { "\($0)\n" }.joined()
    }
}

internal import AWSIdentity
internal import Content
internal import FoundationEssentials
internal import Promotion

/// The gates of a rule, with the positions that later checks need.
struct LocatedGates {
    var settings = GateSettings()
    /// The positions of its keys.
    var keys: [String: Unread] = [:]
}

extension RuleFileReader {
    mutating func gates(_ node: Unread) -> Located<LocatedGates>? {
        guard let keys = values.keys(of: node, RuleFileShape.gates) else { return nil }
        var settings = GateSettings()
        settings.scan = scan(keys)
        settings.signatures = texts(keys["requireSignature"])
        settings.signerIdentities = texts(keys["signerIdentity"])
        settings.ofEachImage = keys["eachImage"].flatMap { values.flag($0) }?.value ?? false
        settings.attestations = texts(keys["requireAttestation"])
        settings.provenanceBuilder = keys["provenanceBuilder"].flatMap { values.text($0) }?.value.text
        settings.provenanceSource = keys["provenanceSource"].flatMap { values.text($0) }?.value.text
        settings.minAge = keys["minAge"].flatMap { values.duration($0) }?.value
        settings.requiresImmutableTag = keys["requireImmutableTag"].flatMap { values.flag($0) }?.value ?? false
        settings.approvals = texts(keys["approved"])
        settings.approvalKeys = texts(keys["approvedKey"])
        settings.platforms = keys["requirePlatform"].map { isEmptyList($0) ? [] : platforms($0).value } ?? []
        settings.commands = texts(keys["command"])
        settings.commandLimit = keys["commandTimeout"].flatMap { values.duration($0) }?.value
        refuseUseless(keys)
        return node.with(LocatedGates(settings: settings, keys: keys))
    }

    private mutating func texts(_ node: Unread?) -> [String] {
        guard let node, !isEmptyList(node) else { return [] }
        return values.texts(node).map(\.value.text)
    }

    /// Complains of an empty list, which would leave the gate out.
    private mutating func isEmptyList(_ node: Unread) -> Bool {
        guard values.items(node).isEmpty else { return false }
        values.complain(node, "this list is empty, so it asks for nothing", "name something in it, or remove the key")
        return true
    }

    private mutating func scan(_ keys: [String: Unread]) -> ScanRequirement? {
        guard ["maxSeverity", "ignore", "scanNotOlderThan", "waitScan"].contains(where: { keys[$0] != nil }) else {
            return nil
        }
        var requirement = ScanRequirement()
        requirement.maxSeverity = keys["maxSeverity"].flatMap { values.choice($0, of: FindingSeverity.self) }?.value
        requirement.notOlderThan = keys["scanNotOlderThan"].flatMap { values.duration($0) }?.value
        requirement.wait = keys["waitScan"].flatMap { values.duration($0) }?.value
        for item in keys["ignore"].map({ values.items($0) }) ?? [] {
            guard let finding = ignored(item) else { continue }
            if requirement.ignored.contains(where: { $0.name == finding.name }) {
                values.complain(item, "'\(finding.name)' is ignored twice", "remove one of them")
            } else {
                requirement.ignored.append(finding)
            }
        }
        return requirement
    }

    /// A finding to ignore, which in a file has a reason and an end.
    private mutating func ignored(_ node: Unread) -> IgnoredFinding? {
        guard let keys = values.keys(of: node, RuleFileShape.ignoredFinding) else { return nil }
        let reason = keys["reason"].flatMap { values.text($0) }
        let until = keys["until"].flatMap { expiry($0) }
        guard let name = keys["finding"].flatMap({ values.text($0) }) else { return nil }
        guard IgnoredFinding.isName(name.value.text) else {
            values.complain(
                name,
                "\(name.value.shown) is not the name of a finding",
                "write it as the scan does, as CVE-2026-12345"
            )
            return nil
        }
        guard let reason, let until else { return nil }
        return IgnoredFinding(name.value.text, reason: reason.value.text, expiry: until.value)
    }

    /// The end of a day, or a time.
    private mutating func expiry(_ node: Unread) -> Located<Date>? {
        guard let text = values.text(node) else { return nil }
        let written = text.value.text
        guard let date = AWSTime.parse(written) else {
            values.complain(text, "\(text.value.shown) is not a date", "write it as 2026-12-31, the last day in UTC")
            return nil
        }
        // A date alone is its whole day.
        return text.with(written.utf8.count == 10 ? date.addingTimeInterval(86_400) : date)
    }

    /// Complains of keys that have no effect without another one.
    private mutating func refuseUseless(_ keys: [String: Unread]) {
        let needs: [(key: String, others: [String], suggestion: String)] = [
            ("ignore", ["maxSeverity"], "add maxSeverity: HIGH"),
            ("waitScan", ["maxSeverity", "scanNotOlderThan"], "add maxSeverity: HIGH"),
            ("approvedKey", ["approved"], "add approved: FILE"),
            ("signerIdentity", ["requireSignature"], "add requireSignature: KEY"),
            ("eachImage", ["requireSignature", "requireAttestation"], "add requireSignature: KEY"),
            ("commandTimeout", ["command"], "add command: PROGRAM"),
            ("provenanceBuilder", ["requireAttestation"], "add requireAttestation: slsaprovenance:KEY"),
            ("provenanceSource", ["requireAttestation"], "add requireAttestation: slsaprovenance:KEY"),
        ]
        for (key, others, suggestion) in needs {
            guard let node = keys[key], !others.contains(where: { keys[$0] != nil }) else { continue }
            values.complain(
                node,
                "'\(key)' has no effect without \(others.joined(separator: " or "))",
                "\(suggestion), or remove it"
            )
        }
    }
}

extension GateSettings {
    /// Whether the gate of this key is set, and asks ECR.
    func needsECR(for key: String) -> Bool {
        switch key {
        case "maxSeverity", "scanNotOlderThan": scan != nil
        case "minAge": minAge != nil
        case "requireImmutableTag": requiresImmutableTag
        default: false
        }
    }
}

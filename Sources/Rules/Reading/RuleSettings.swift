internal import Content
internal import Replicate

/// The settings that `defaults` and a rule may have.
struct RuleSettings {
    var tags: Located<LocatedTagRule>?
    var platforms: Located<[ImagePlatform]>?
    var referrers: Located<CopyOptions.Referrers>?
    var ifExists: Located<CopyOptions.IfExists>?
    var createRepository: Located<RuleRepositoryCreation>?
    var gates: Located<LocatedGates>?
    var prune: Located<RulePrune?>?

    /// These settings, and the defaults where there are none.
    func over(_ defaults: RuleSettings) -> RuleSettings {
        RuleSettings(
            tags: tags ?? defaults.tags,
            platforms: platforms ?? defaults.platforms,
            referrers: referrers ?? defaults.referrers,
            ifExists: ifExists ?? defaults.ifExists,
            createRepository: createRepository ?? defaults.createRepository,
            gates: gates ?? defaults.gates,
            prune: prune ?? defaults.prune
        )
    }
}

/// The selection of tags, with the positions that later checks need.
struct LocatedTagRule {
    var rule = TagRule()
    /// The positions of its keys.
    var keys: [String: Unread] = [:]
}

extension RuleFileReader {
    /// - Returns: `nil` if it is not a mapping.
    mutating func settings(_ node: Unread, _ shape: Shape) -> RuleSettings? {
        values.keys(of: node, shape).map { settings($0) }
    }

    mutating func settings(_ keys: [String: Unread]) -> RuleSettings {
        var settings = RuleSettings()
        settings.tags = keys["tags"].flatMap { tags($0) }
        settings.platforms = keys["platforms"].map { platforms($0) }
        settings.referrers = keys["referrers"].flatMap { values.choice($0, of: CopyOptions.Referrers.self) }
        settings.ifExists = keys["ifExists"].flatMap { values.choice($0, of: CopyOptions.IfExists.self) }
        settings.createRepository = keys["createRepository"].flatMap {
            values.choice($0, of: RuleRepositoryCreation.self)
        }
        settings.gates = keys["gates"].flatMap { gates($0) }
        settings.prune = keys["prune"].flatMap { prune($0) }
        return settings
    }

    mutating func platforms(_ node: Unread) -> Located<[ImagePlatform]> {
        var platforms: [ImagePlatform] = []
        for text in values.texts(node) {
            let platform = values.parsed(text, { text throws(ReferenceError) in try ImagePlatform(parsing: text) }) {
                ("\($0)", "write os/architecture, as linux/amd64; leave platforms out for the whole image")
            }
            guard let platform else { continue }
            if platforms.contains(platform.value) {
                values.complain(text, "\(text.value.shown) is given twice", "remove one of them")
            } else {
                platforms.append(platform.value)
            }
        }
        return node.with(platforms)
    }

    private mutating func prune(_ node: Unread) -> Located<RulePrune?>? {
        guard let keys = values.keys(of: node, RuleFileShape.prune) else { return nil }
        let isEnabled = keys["enabled"].flatMap { values.flag($0) }
        let most = keys["maxDelete"].flatMap { values.count($0) }
        guard isEnabled?.value == true else { return node.with(nil) }
        if let enabled = isEnabled, keys["maxDelete"] == nil {
            values.complain(
                enabled,
                "prune needs maxDelete, the most images that one run may delete",
                "add maxDelete: 5"
            )
        }
        return node.with(most.map { RulePrune(maxDelete: $0.value) })
    }
}

internal import Content
internal import Replicate

/// Makes rules of ECR's own replication.
///
/// - Source: docs/facts/ecr-operations.md#describeregistry, docs/facts/ecr-api.md#native-replication
struct ReplicationImport {
    private var reader: ForeignReader
    private var file = ImportedFile()
    private var source = 0

    /// - Throws: ``RuleImport/OptionFault`` if the account is missing, or the region or account is not one.
    static func file(
        _ root: Unread,
        _ reader: inout ForeignReader,
        _ options: RuleImport.Options
    ) throws(RuleImport.OptionFault) -> ImportedFile {
        var made = ReplicationImport(reader: reader)
        try made.read(root, options)
        reader = made.reader
        return made.file
    }

    private init(reader: ForeignReader) {
        self.reader = reader
        file.header += [
            "ECR's replication copies what is pushed after it was set up; a rule also copies what was there before.",
            "ECR's replication also copies images without a tag; to keep that, add tags: { match: \"*\", untagged: true }.",
        ]
    }

    private mutating func read(_ root: Unread, _ options: RuleImport.Options) throws(RuleImport.OptionFault) {
        var rules: Unread?
        var account: Located<String>?
        if case .list = root.value.value {
            rules = root
        } else {
            var keys = reader.keys(root)
            account = keys.take("registryId").flatMap { reader.text($0) }
            rules = keys.take("rules")
            if let configuration = keys.take("replicationConfiguration") {
                var inner = reader.keys(configuration)
                rules = inner.take("rules")
                file.header += ImportNote.comments(inner.notes([:], of: "ECR"))
            }
            file.header += ImportNote.comments(keys.notes(["ResponseMetadata": ""], of: "ECR"))
        }
        try readSource(account, options)
        let items = rules.map { reader.items($0) } ?? []
        if items.isEmpty {
            reader.complain(rules ?? root, "there is no replication rule", "nothing is replicated, so write rules anew")
        }
        for item in items { readRule(item) }
    }

    private mutating func readSource(
        _ given: Located<String>?,
        _ options: RuleImport.Options
    ) throws(RuleImport.OptionFault) {
        let region = options.region ?? ""
        if let fault = RegionText.fault(in: region) {
            throw .init(description: "--region \(shown(region)) \(fault)")
        }
        guard let account = given?.value ?? options.account else {
            throw .init(
                description: "the file does not name the account that it is of; add it as --account, or pass the whole "
                    + "output of aws ecr describe-registry"
            )
        }
        if let other = options.account, other != account {
            throw .init(description: "the file is of account \(shown(account)), not of --account \(shown(other))")
        }
        if given == nil, (try? AccountID(parsing: account)) == nil {
            throw .init(
                description: "--account \(shown(account)) is not an AWS account: \(AccountID.advice(for: account))"
            )
        }
        if let given { _ = self.account(given) }
        source = file.registry(at: .ecr(account: account, region: region))
        file.note(
            ImportNote("", line: 0, "add profile: or roleArn: where the default credentials are not enough"),
            onRegistry: source
        )
    }

    private mutating func account(_ text: Located<String>) -> String? {
        guard (try? AccountID(parsing: text.value)) == nil else { return text.value }
        reader.complain(text, "\(shown(text.value)) is not an AWS account", AccountID.advice(for: text.value))
        return nil
    }

    // MARK: Rules

    private mutating func readRule(_ node: Unread) {
        var keys = reader.keys(node)
        var destinations: [ImportedDestination] = []
        for item in keys.take("destinations").map({ reader.items($0) }) ?? [] {
            if let destination = destination(item) { destinations.append(destination) }
        }
        let filters = keys.take("repositoryFilters").map { reader.items($0) } ?? []
        var patterns: [String] = []
        var why: NotTranslatable?
        for item in filters {
            do throws(NotTranslatable) {
                if let pattern = try pattern(item) { patterns.append(pattern) }
            } catch {
                why = why ?? error
            }
        }
        let deletion = deletion(keys.take("deleteReplication"))
        guard !node.value.isFaulty else { return }
        if destinations.isEmpty { why = why ?? NotTranslatable(reason: "it has no destination") }
        if let why {
            file.leaveOut(node.with(()), why)
            return
        }
        var rule = ImportedRule(
            name: "replication",
            origins: [node.with(())],
            source: source,
            repositories: patterns.isEmpty ? ["*"] : patterns,
            destinations: destinations,
            referrers: .all,
            createRepository: .defaults
        )
        if let deletion { rule.note(.end, deletion) }
        for note in keys.notes([:], of: "ECR") { rule.note(.end, note) }
        file.add(rule)
    }

    private mutating func destination(_ node: Unread) -> ImportedDestination? {
        var keys = reader.keys(node)
        let region = keys.take("region").flatMap { reader.text($0) }
        let account = keys.take("registryId").flatMap { reader.text($0) }
        guard !node.value.isFaulty else { return nil }
        for (name, text) in [("region", region), ("registryId", account)] where text == nil {
            reader.complain(node, "'\(name)' is missing", "add \(name)")
        }
        guard let region, let account = account.flatMap({ self.account($0) }) else { return nil }
        if let fault = RegionText.fault(in: region.value) {
            reader.complain(region, "\(shown(region.value)) \(fault.problem)", fault.remedy)
            return nil
        }
        let index = file.registry(at: .ecr(account: account, region: region.value))
        for note in keys.notes([:], of: "ECR") { file.note(note, onRegistry: index) }
        return ImportedDestination(registry: index)
    }

    /// The pattern of a filter; `nil` if it could not be read.
    private mutating func pattern(_ node: Unread) throws(NotTranslatable) -> String? {
        var keys = reader.keys(node)
        let filter = keys.take("filter").flatMap { reader.text($0) }
        let kind = keys.take("filterType").flatMap { reader.text($0) }
        guard let filter else {
            if !node.value.isFaulty { reader.complain(node, "'filter' is missing", "add filter") }
            return nil
        }
        guard kind?.value ?? "PREFIX_MATCH" == "PREFIX_MATCH" else {
            throw NotTranslatable(
                reason: "the filterType \(shown(kind?.value ?? "")) is not known",
                remedy: "write the pattern by hand"
            )
        }
        let isName = filter.value.utf8.allSatisfy { byte in
            (97...122).contains(byte) || (48...57).contains(byte) || "._-/".utf8.contains(byte)
        }
        guard isName else {
            throw NotTranslatable(reason: "\(shown(filter.value)) is not the beginning of the name of a repository")
        }
        return filter.value + "*"
    }

    private mutating func deletion(_ node: Unread?) -> ImportNote? {
        guard let node else { return nil }
        var keys = reader.keys(node)
        guard keys.take("enabled").flatMap({ reader.flag($0) }) ?? false else { return nil }
        return ImportNote(
            node,
            "deletions are not copied; prune: { enabled: true, maxDelete: 5 } deletes what the source does not have, "
                + "also what was never copied from there"
        )
    }
}

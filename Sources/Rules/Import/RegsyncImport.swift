internal import Content
internal import Replicate

/// Makes rules of the steps of regsync.
///
/// - Source: docs/facts/rule-files-of-others.md#regsync
struct RegsyncImport {
    var reader: ForeignReader
    var file = ImportedFile()
    /// The settings of registries by the name that steps use.
    private var registrySettings: [ImportedPlace: RegistrySettings] = [:]
    private var defaults = StepDefaults()

    private struct RegistrySettings {
        /// Where the registry really is.
        var place: ImportedPlace
        /// What stands before the names of its repositories.
        var prefix: String?
    }

    struct StepDefaults {
        var referrers = false
        var digestTags = false
    }

    static func file(_ root: Unread, _ reader: inout ForeignReader) -> ImportedFile {
        var made = RegsyncImport(reader: reader)
        made.read(root)
        reader = made.reader
        return made.file
    }

    private init(reader: ForeignReader) {
        self.reader = reader
        file.referrers = .none
    }

    private mutating func read(_ root: Unread) {
        var keys = reader.keys(root)
        if let version = keys.take("version").flatMap({ reader.text($0) }), version.value != "1" {
            reader.complain(version, "\(shown(version.value)) is not a version of regsync's files that is known")
        }
        if let creds = keys.take("creds") { for entry in reader.items(creds) { readRegistry(entry) } }
        if let node = keys.take("defaults") { readDefaults(node) }
        if let sync = keys.take("sync") {
            let steps = reader.items(sync)
            if steps.isEmpty, !sync.value.isFaulty { reader.complain(sync, "there is no step", "add one to sync:") }
            for step in steps { readStep(step) }
        }
        file.header += ImportNote.comments(keys.notes([:], of: "regsync"))
        if usesUnescapedDots {
            file.header.append(
                "regsync reads tags as expressions, in which a dot is any character: re:1.0 also matches 1-0. Write "
                    + "1.0, without re:, where only this tag is meant."
            )
        }
    }

    /// Whether a tag with plain dots was meant, as far as its looks go.
    private var usesUnescapedDots: Bool {
        file.rules.contains { rule in
            (rule.tags.match + rule.tags.exclude).contains { pattern in
                pattern.hasPrefix("re:") && pattern.contains(".") && ImportedTags.isTag(String(pattern.dropFirst(3)))
                    && !pattern.contains { "()|+\\$^{".contains($0) }
            }
        }
    }

    // MARK: Registries

    private mutating func readRegistry(_ node: Unread) {
        var keys = reader.keys(node)
        let nameNode = keys.take("registry")
        guard let name = nameNode.flatMap({ reader.text($0) }) else {
            if !node.value.isFaulty { reader.complain(node, "'registry' is missing", "add registry: HOST") }
            return
        }
        let hostname = keys.take("hostname").flatMap { reader.text($0) }
        let tls = keys.take("tls").flatMap { reader.text($0) }
        let scheme = keys.take("scheme").flatMap { reader.text($0) }
        let prefix = keys.take("pathPrefix").flatMap { reader.text($0) }
        if let hostname, hostname.value.contains("@") {
            reader.complain(hostname, "a host has no @", "log in with docker login")
            return
        }
        do {
            let text = try GoTemplate.text(of: name.value, [:])
            file.uses(text)
            let known = ImportedPlace(host: text)
            var place = hostname.map { ImportedPlace(host: ForeignText($0.value)) } ?? known
            if tls?.value == "disabled" || scheme?.value == "http" { place = place.overHTTP }
            registrySettings[known] = RegistrySettings(place: place, prefix: prefix?.value)
            let index = file.registry(at: place)
            var notes = keys.notes(RegsyncKeys.registry(isECR: place.isECR), of: "regsync")
            if let tls, tls.value == "insecure" {
                notes.append(ImportNote(tls, "certificates are always checked; pass the CA's with --ca-bundle"))
            }
            for note in notes { file.note(note, onRegistry: index) }
        } catch {
            file.otherRegistryNotes.append(ImportNote(node, "the registry is not known: \(error.reason)"))
        }
    }

    /// The registry of a reference, and the name of its repository there.
    private mutating func resolved(
        _ reference: ForeignReference,
        _ text: ForeignText
    ) throws(NotTranslatable) -> (registry: Int, repository: ForeignText) {
        file.uses(text)
        guard let settings = registrySettings[reference.place] else {
            return (file.registry(at: reference.place), reference.repository)
        }
        let index = file.registry(at: settings.place)
        guard let prefix = settings.prefix else { return (index, reference.repository) }
        let prefixed = reference.repository.part("\(prefix)/\(reference.repository.marked)")
        try ForeignReference.check(repository: prefixed)
        return (index, prefixed)
    }

    private mutating func readDefaults(_ node: Unread) {
        var keys = reader.keys(node)
        defaults.referrers = keys.take("referrers").flatMap { reader.flag($0) } ?? false
        defaults.digestTags = keys.take("digestTags").flatMap { reader.flag($0) } ?? false
        file.referrers = defaults.referrers || defaults.digestTags ? .all : .none
        if defaults.referrers != defaults.digestTags, let key = keys.key("referrers") ?? keys.key("digestTags") {
            file.defaultsNotes.append(ImportNote(key, RegsyncKeys.oneKindOfReferrer))
        }
        file.defaultsNotes += keys.notes(RegsyncKeys.defaults, of: "regsync")
    }

    // MARK: Steps

    private mutating func readStep(_ node: Unread) {
        var keys = reader.keys(node)
        let origin = node.with(())
        var texts: [String: Located<String>] = [:]
        for name in ["source", "target", "type"] {
            let value = keys.take(name)
            texts[name] = value.flatMap { reader.text($0) }
            if !node.value.isFaulty, value.map(reader.isNothing) ?? true {
                reader.complain(node, "'\(name)' is missing", "add \(name):")
            }
        }
        guard let source = texts["source"], let target = texts["target"], let type = texts["type"] else { return }
        var step = RegsyncStep(origin: origin, source: source, target: target)
        step.read(&keys, &reader, defaults)
        step.notes[.end, default: []] += keys.notes(RegsyncKeys.step, of: "regsync")
        do throws(NotTranslatable) {
            switch type.value {
            case "image": try addImage(step)
            case "repository": try addRepository(step)
            case "registry": try addRegistry(step)
            default:
                reader.complain(
                    type,
                    "\(shown(type.value)) is not one of image, repository, registry",
                    nearest(to: type.value, among: ["image", "repository", "registry"]).map { "did you mean '\($0)'?" }
                )
            }
        } catch {
            file.leaveOut(origin, error)
        }
    }

    /// The texts of source and target, in which the target may name the source.
    private func places(of step: RegsyncStep) throws(NotTranslatable) -> (source: ForeignText, target: ForeignText) {
        let source = try GoTemplate.text(
            of: step.source.value,
            [".Sync.Source": ForeignText(step.source.value), ".Sync.Target": ForeignText(step.target.value)]
        )
        let target = try GoTemplate.text(
            of: step.target.value,
            [".Sync.Source": source, ".Sync.Target": ForeignText(step.target.value)]
        )
        return (source, target)
    }

    private mutating func addImage(_ step: RegsyncStep) throws(NotTranslatable) {
        var step = step
        let (sourceText, targetText) = try places(of: step)
        let source = try ForeignReference(image: sourceText)
        let target = try ForeignReference(image: targetText)
        guard target.digest == nil else {
            throw NotTranslatable(reason: "the target \(shown(step.target.value)) has a digest")
        }
        step.noteUnused("image")
        let tag = source.tag?.written ?? "latest"
        let wanted = target.tag?.written ?? "latest"
        var tags = ImportedTags()
        if let digest = source.digest {
            tags.digests = [digest]
        } else {
            tags.match = [tag]
        }
        let keepsTag = source.digest == nil && tag == wanted
        var rule = try rule(step, (source, sourceText), (target, targetText), tags)
        rule.destinations[0].tag = keepsTag ? nil : wanted
        rule.joinsTags = keepsTag
        file.add(rule)
    }

    private mutating func addRepository(_ step: RegsyncStep) throws(NotTranslatable) {
        let (sourceText, targetText) = try places(of: step)
        let source = try ForeignReference(image: sourceText)
        let target = try ForeignReference(image: targetText)
        guard source.digest == nil, target.digest == nil else {
            throw NotTranslatable(reason: "a repository has no digest", remedy: "write type: image for one image")
        }
        var step = step
        step.noteUnused("repository")
        for (text, reference) in [(step.source, source), (step.target, target)] where reference.tag != nil {
            step.note(.end, ImportNote(text, "the tag has no meaning in a repository step"))
        }
        let targetTag = try step.targetTag(source)
        if let targetTag { file.uses(targetTag) }
        for (number, tags) in try step.selections().enumerated() {
            var rule = try rule(
                number == 0 ? step : step.withoutNotes,
                (source, sourceText),
                (target, targetText),
                tags
            )
            rule.destinations[0].tag = targetTag?.written
            file.add(rule)
        }
    }

    private mutating func addRegistry(_ step: RegsyncStep) throws(NotTranslatable) {
        let (sourceText, targetText) = try places(of: step)
        let source = try ForeignReference(registry: sourceText)
        let target = try ForeignReference(registry: targetText)
        guard source.repository.marked.isEmpty else {
            throw NotTranslatable(
                reason: "the source \(shown(step.source.value)) of a registry step is more than a host",
                remedy: "write type: repository for one repository"
            )
        }
        guard registrySettings[source.place]?.prefix == nil, registrySettings[target.place]?.prefix == nil else {
            throw NotTranslatable(reason: "a registry with pathPrefix lists its repositories without the prefix")
        }
        var step = step
        let repositories = try step.repositories()
        let targetTag = try step.targetTag(source)
        if let targetTag { file.uses(targetTag) }
        let prefix = target.repository.marked.isEmpty ? "" : target.repository.written + "/"
        for (number, tags) in try step.selections().enumerated() {
            var rule = try rule(
                number == 0 ? step : step.withoutNotes,
                (source, sourceText),
                (target, targetText),
                tags
            )
            rule.repositories = repositories.allowed
            rule.excluded = repositories.denied
            rule.destinations[0].repository = prefix.isEmpty ? nil : prefix + "{repository}"
            rule.destinations[0].tag = targetTag?.written
            file.add(rule)
        }
    }

    private mutating func rule(
        _ step: RegsyncStep,
        _ source: (reference: ForeignReference, text: ForeignText),
        _ target: (reference: ForeignReference, text: ForeignText),
        _ tags: ImportedTags
    ) throws(NotTranslatable) -> ImportedRule {
        let (from, repository) = try resolved(source.reference, source.text)
        let (to, targetRepository) = try resolved(target.reference, target.text)
        let name = repository.marked.isEmpty ? file.registries[from].name : repository.written
        var rule = ImportedRule(
            name: ImportedRule.name(from: name),
            origins: [step.origin],
            source: from,
            repositories: [repository.written],
            destinations: [
                ImportedDestination(
                    registry: to,
                    repository: targetRepository.written == repository.written ? nil : targetRepository.written
                )
            ],
            tags: tags,
            platforms: step.platforms,
            referrers: step.copiesReferrers ? .all : .none,
            notes: step.notes
        )
        for platform in try step.checkedPlatforms() { rule.note(.platforms, platform) }
        if rule.referrers == .none, tags.takesDigestTags {
            rule.referrers = .all
            rule.note(
                .referrers,
                ImportNote(
                    step.origin,
                    "its tags include signatures (sha256-….sig), which are copied with their images here"
                )
            )
        }
        return rule
    }
}

extension ImportedPlace {
    /// The place without TLS; ECR has none.
    fileprivate var overHTTP: ImportedPlace {
        if case .host(let host) = self, !host.hasPrefix("http://") { .host("http://" + host) } else { self }
    }
}

extension ImportedRule {
    /// A name for a rule, in the letters that such names have.
    static func name(from text: String) -> String {
        let short = text.hasPrefix("library/") ? text.dropFirst(8) : text[...]
        let allowed = short.filter { !"${}".contains($0) }.map { character in
            character.isASCII && (character.isLetter || character.isNumber) || "._-".contains(character)
                ? character : "-"
        }
        let name = String(allowed.drop { $0 == "-" }.prefix(80))
        return name.isEmpty ? "rule" : name
    }
}

internal import Content
internal import Replicate

/// Makes rules of the registries of a file of `skopeo sync --src yaml`.
///
/// - Source: docs/facts/rule-files-of-others.md#skopeo-sync
struct SkopeoImport {
    private var reader: ForeignReader
    private var file = ImportedFile()
    private let target: ForeignReference
    private let options: RuleImport.Options

    private static let registryKeys = [
        "credentials": "credentials are not copied; log in with docker login",
        "cert-dir": "certificates are not copied; pass the CA's with --ca-bundle",
    ]

    /// - Throws: ``RuleImport/OptionFault`` if the destination is not one.
    static func file(
        _ root: Unread,
        _ reader: inout ForeignReader,
        _ options: RuleImport.Options
    ) throws(RuleImport.OptionFault) -> ImportedFile {
        var made = SkopeoImport(reader: reader, target: try target(options.destination ?? ""), options: options)
        made.read(root)
        reader = made.reader
        return made.file
    }

    private static func target(_ text: String) throws(RuleImport.OptionFault) -> ForeignReference {
        let layout = ["oci:", "docker://"].first { text.hasPrefix($0) }
        let bare = text.dropFirst(layout?.count ?? 0)
        do throws(NotTranslatable) {
            guard !bare.isEmpty, !bare.contains("://") else { throw NotTranslatable(reason: "write HOST/PREFIX") }
            return try ForeignReference(registry: ForeignText(layout == "oci:" ? "ocidir://\(bare)" : String(bare)))
        } catch {
            throw .init(description: "--to \(shown(text)) is not a registry with an optional prefix: \(error.reason)")
        }
    }

    private init(reader: ForeignReader, target: ForeignReference, options: RuleImport.Options) {
        (self.reader, self.target, self.options) = (reader, target, options)
        file.referrers = .none
        file.header.append(
            "skopeo sync without --all copies one platform of an image, and a rule copies all; to keep one, add it to "
                + "defaults, as platforms: [linux/amd64]."
        )
    }

    private mutating func read(_ root: Unread) {
        for entry in reader.entries(root) {
            if entry.key.value.hasPrefix("x-") {
                file.header += ImportNote.comments(
                    [ImportNote(entry.key, "its anchors are replaced by their values")]
                )
                continue
            }
            readRegistry(entry.key, entry.value)
        }
        guard file.steps.isEmpty else { return }
        reader.complain(root, "there is no image", "add one below images:")
    }

    // MARK: Registries

    private mutating func readRegistry(_ name: Located<String>, _ node: Unread) {
        if let at = name.value.lastIndex(of: "@") {
            // What stands before it may be a login, which is in the paths of all values below, too.
            let origin = Located((), at: name.position, pathed("", "…" + name.value[at...]))
            file.leaveOut(origin, NotTranslatable(reason: "a registry's name has no @"))
            return
        }
        var keys = reader.keys(node)
        let verifies = keys.take("tls-verify").flatMap { reader.flag($0) } ?? true
        let groups = ["images", "images-by-tag-regex", "images-by-semver"].map { keys.take($0) }
        let notes = keys.notes(Self.registryKeys, of: "skopeo")
        var source: (index: Int, prefix: String)?
        do throws(NotTranslatable) {
            guard !name.value.contains("://") else {
                throw NotTranslatable(reason: "\(shown(name.value)) is not a host", remedy: "write it without ://")
            }
            let registry = try ForeignReference(registry: ForeignText(name.value))
            let prefix = registry.repository.marked
            let index = file.registry(at: registry.place)
            source = (index, prefix.isEmpty ? "" : prefix + "/")
            for note in notes { file.note(note, onRegistry: index) }
            if !verifies, let key = keys.key("tls-verify") {
                let advice =
                    "certificates are always checked; pass the CA's with --ca-bundle, or write http:// before "
                    + "the host of a registry without TLS"
                file.note(ImportNote(key, advice), onRegistry: index)
            }
        } catch {
            file.leaveOut(node.with(()), error)
        }
        // The values are read in any case, so that their mistakes are found.
        if let images = groups[0] { readImages(images, source) }
        if let images = groups[1] {
            readEach(images, source) { expression throws(NotTranslatable) in
                ImportedTags(match: [try ForeignExpression.pattern(expression.value, .anywhere)])
            }
        }
        if let images = groups[2] { readVersions(images, source) }
    }

    private mutating func readImages(_ node: Unread, _ source: (index: Int, prefix: String)?) {
        var whole: [(name: Located<String>, repository: ForeignText)] = []
        for entry in reader.entries(node) {
            let texts = reader.texts(entry.value)
            guard let source else { continue }
            do throws(NotTranslatable) {
                let repository = try self.repository(entry.key, source)
                if texts.isEmpty {
                    whole.append((entry.key, repository))
                } else {
                    let (tags, notes) = try Self.tags(texts)
                    add(entry.key, source.index, [repository], tags, notes)
                }
            } catch {
                file.leaveOut(entry.key.with(()), error)
            }
        }
        guard let source, let first = whole.first else { return }
        var notes: [ImportNote] = []
        if !options.isScoped { notes += Self.collisions(whole) }
        add(first.name, source.index, whole.map(\.repository), ImportedTags(), notes)
    }

    private mutating func readVersions(_ node: Unread, _ source: (index: Int, prefix: String)?) {
        readEach(node, source) { constraint throws(NotTranslatable) in
            let versions = try ForeignVersions(skopeo: constraint.value)
            return ImportedTags(
                semver: written(versions.range),
                takesPrereleases: versions.takesPrereleases,
                exclude: versions.excluded.map(written)
            )
        }
    }

    /// Makes a rule of each repository, whose tags one text selects.
    private mutating func readEach(
        _ node: Unread,
        _ source: (index: Int, prefix: String)?,
        _ tags: (Located<String>) throws(NotTranslatable) -> ImportedTags
    ) {
        for entry in reader.entries(node) {
            guard let text = reader.text(entry.value), let source else { continue }
            do throws(NotTranslatable) {
                add(entry.key, source.index, [try repository(entry.key, source)], try tags(text), [])
            } catch {
                file.leaveOut(entry.key.with(()), error)
            }
        }
    }

    // MARK: Rules

    private func repository(
        _ name: Located<String>,
        _ source: (index: Int, prefix: String)
    ) throws(NotTranslatable) -> ForeignText {
        var path = source.prefix + name.value
        let isHub = file.registries[source.index].place.isDockerHub
        if isHub, !path.contains("/") { path = "library/" + path }
        let text = ForeignText(path)
        try ForeignReference.check(repository: text)
        return text
    }

    /// The tags and digests of a list; skopeo leaves out what is neither.
    private static func tags(_ texts: [Located<String>]) throws(NotTranslatable) -> (ImportedTags, [ImportNote]) {
        var tags = ImportedTags()
        var notes: [ImportNote] = []
        for text in texts {
            if let digest = try? Digest(parsing: text.value) {
                tags.digests.append(digest.description)
            } else if let tag = try? Tag(parsing: text.value, as: .distribution) {
                if !tags.match.contains(tag.value) { tags.match.append(tag.value) }
            } else {
                notes.append(ImportNote(text, "\(shown(text.value)) is neither a tag nor a digest, and is left out"))
            }
        }
        guard tags != ImportedTags() else {
            throw NotTranslatable(reason: "none of its tags is a tag or a digest")
        }
        return (tags, notes)
    }

    /// Notes about repositories that skopeo writes to the same place.
    private static func collisions(
        _ repositories: [(name: Located<String>, repository: ForeignText)]
    ) -> [ImportNote] {
        var first: [Substring: Located<String>] = [:]
        return repositories.compactMap { name, repository in
            let last = repository.marked.split(separator: "/").last ?? ""
            guard let other = first[last] else {
                first[last] = name
                return nil
            }
            return ImportNote(
                name,
                "it is written to the same place as \(other.path), and the tags that both have are refused; give them "
                    + "rules with different names"
            )
        }
    }

    private mutating func add(
        _ name: Located<String>,
        _ source: Int,
        _ repositories: [ForeignText],
        _ tags: ImportedTags,
        _ notes: [ImportNote]
    ) {
        let prefix = target.repository.marked.isEmpty ? "" : target.repository.written + "/"
        let repository = options.isScoped ? "\(file.registries[source].place.host)/{repository}" : "{name}"
        var rule = ImportedRule(
            name: ImportedRule.name(
                from: repositories.count == 1 ? repositories[0].written : file.registries[source].name
            ),
            origins: [name.with(())],
            source: source,
            repositories: repositories.map(\.written),
            destinations: [
                ImportedDestination(
                    registry: file.registry(at: target.place),
                    repository: prefix + repository,
                    tag: options.suffix.map { "{tag}" + written($0) }
                )
            ],
            tags: tags,
            referrers: .none
        )
        for note in notes { rule.note(.from, note) }
        if tags.takesDigestTags {
            rule.referrers = .all
            rule.note(
                .referrers,
                ImportNote(
                    name,
                    "its tags include signatures (sha256-….sig), which are copied with their images here"
                )
            )
        }
        file.add(rule)
    }
}

package import Content
internal import Replicate

/// A template of a repository's name or a tag: text with placeholders in braces.
package struct NameTemplate: Sendable, Hashable {
    enum Part: Sendable, Hashable {
        case text(String)
        case placeholder(String)
    }

    /// The template as it is written.
    package let text: String
    let parts: [Part]

    /// The placeholders that need no group.
    static let placeholders = ["registry", "repository", "name", "tag", "digest"]

    /// Why a text is not a template, and what to write instead.
    struct Problem: Error {
        var reason: String
        var remedy: String?
    }

    init(parsing text: String) throws(Problem) {
        self.text = text
        var parts: [Part] = []
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[brace] == "{" else {
                throw Problem(reason: "there is a } without its {")
            }
            if brace > rest.startIndex { parts.append(.text(String(rest[..<brace]))) }
            guard let end = rest[brace...].firstIndex(of: "}") else {
                throw Problem(reason: "there is a { without its }")
            }
            let name = String(rest[brace..<end].dropFirst())
            guard !name.isEmpty else { throw Problem(reason: "there is nothing between { and }") }
            parts.append(.placeholder(name))
            rest = rest[end...].dropFirst()
        }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
    }

    /// The names of its placeholders.
    var names: [String] {
        parts.compactMap { if case .placeholder(let name) = $0 { name } else { nil } }
    }

    /// Whether every image gets the same name.
    var isConstant: Bool { names.isEmpty }

    /// The name for one image.
    ///
    /// - Parameter values: By placeholder.
    /// - Returns: `nil` if a placeholder has no value, as `{tag}` of an image without a tag.
    package func filled(_ values: [String: String]) -> String? {
        var name = ""
        for part in parts {
            switch part {
            case .text(let text): name += text
            case .placeholder(let placeholder):
                guard let value = values[placeholder] else { return nil }
                name += value
            }
        }
        return name
    }
}

/// The values of placeholders for images of one repository.
package struct NameValues: Sendable {
    private var places: [String: String]
    private var groups: [String: String]

    /// Which of the two names a template is for.
    package enum Kind: Sendable { case repository, tag }

    /// - Parameter pattern: The pattern that selected the repository.
    package init(registry: RuleRegistry, repository: RepositoryName, selectedBy pattern: RepositoryPattern) {
        let last = repository.value.split(separator: "/").last.map(String.init)
        places = ["registry": registry.name, "repository": repository.value, "name": last ?? repository.value]
        groups = pattern.groups?.texts(in: repository.value) ?? [:]
    }

    /// The values for one image.
    ///
    /// Named groups are those of both patterns. A numbered group is one of the pattern of the same kind of name.
    /// `{digest}` is the 64 digits alone, because no tag can hold a colon.
    ///
    /// - Parameter match: The rule's patterns for tags; the first that matches the tag gives the groups.
    package func values(
        for kind: Kind,
        tag: Tag?,
        digest: Digest?,
        match: [TextualPattern] = []
    ) -> [String: String] {
        var ofTag: [String: String] = [:]
        if let tag { ofTag = match.first { $0.pattern.matches(tag) }?.groups?.texts(in: tag.value) ?? [:] }
        let (own, other) = kind == .repository ? (groups, ofTag) : (ofTag, groups)
        var values = own.merging(other.filter { Int($0.key) == nil }) { own, _ in own }
        values.merge(places) { _, place in place }
        values["tag"] = tag?.value
        values["digest"] = digest?.hex
        return values
    }
}

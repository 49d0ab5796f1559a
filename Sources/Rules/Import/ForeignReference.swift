internal import Content
internal import Replicate

/// Where another program's image or repository is, in the words of a rule file.
///
/// - Source: docs/facts/rule-files-of-others.md#references
struct ForeignReference: Hashable {
    var place: ImportedPlace
    /// The name as the other program has it, with the `library/` of Docker's own images; empty for a registry alone.
    var repository: ForeignText
    var tag: ForeignText?
    var digest: String?

    /// Reads `[HOST/]REPOSITORY[:TAG][@DIGEST]` or `ocidir://DIRECTORY/REPOSITORY[:TAG][@DIGEST]`.
    init(image text: ForeignText) throws(NotTranslatable) {
        let (scheme, body) = Self.scheme(of: text.marked[...])
        var rest = body
        if let at = rest.firstIndex(of: "@") {
            digest = try Self.digest(rest[at...].dropFirst())
            rest = rest[..<at]
        }
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            let tag = text.part(rest[colon...].dropFirst())
            // A port without a repository is not a tag.
            if scheme != nil || rest.contains("/") || !tag.sample.utf8.allSatisfy({ (48...57).contains($0) })
                || !rest[..<colon].contains(".")
            {
                try Self.check(tag: tag)
                self.tag = tag
                rest = rest[..<colon]
            }
        }
        if let scheme {
            (place, repository) = try Self.layout(scheme, text.part(rest))
        } else {
            let (host, path) = Self.split(rest)
            place = ImportedPlace(host: host.map { text.part($0) })
            repository = Self.repository(text.part(path), at: place)
        }
        try Self.check(repository: repository)
    }

    /// Reads `HOST[/PREFIX]` or `ocidir://DIRECTORY`: a registry, and what stands before the names of its repositories.
    init(registry text: ForeignText) throws(NotTranslatable) {
        let (scheme, body) = Self.scheme(of: text.marked[...])
        var rest = body
        while rest.count > 1, rest.last == "/" { rest.removeLast() }
        if scheme != nil {
            try Self.check(scheme: scheme ?? "")
            (place, repository) = (.layout(directory: text.part(rest).written), ForeignText(""))
            return
        }
        let (host, path) = Self.split(rest + "/")
        place = ImportedPlace(host: host.map { text.part($0) })
        repository = text.part(path.hasSuffix("/") ? path.dropLast() : path)
        // A prefix may be shorter than the name of a repository.
        if !repository.marked.isEmpty, (try? RepositoryName(parsing: repository.sample + "/a")) == nil {
            try Self.check(repository: repository)
        }
    }

    /// Whether the name of a registry is a host: what other names would be on Docker Hub.
    static func isHost(_ text: some StringProtocol) -> Bool {
        text.contains(".") || text.contains(":") || text == "localhost" || text.contains(where: \.isUppercase)
            || ForeignText.hasVariable(text)
    }

    // MARK: Parts

    private static func scheme(of text: Substring) -> (scheme: Substring?, rest: Substring) {
        guard let range = text.firstRange(of: "://") else { return (nil, text) }
        return (text[..<range.lowerBound], text[range.upperBound...])
    }

    private static func check(scheme: some StringProtocol) throws(NotTranslatable) {
        guard scheme == "ocidir" else {
            throw NotTranslatable(
                reason: "'\(quotable(scheme, upTo: 50))://' is not a kind of place that a rule file knows",
                remedy: "write a registry as HOST/REPOSITORY"
            )
        }
    }

    /// Splits off the first part of a name if it is a host.
    private static func split(_ text: Substring) -> (host: Substring?, path: Substring) {
        guard let slash = text.firstIndex(of: "/"), isHost(text[..<slash]) else { return (nil, text) }
        return (text[..<slash], text[slash...].dropFirst())
    }

    private static func repository(_ path: ForeignText, at place: ImportedPlace) -> ForeignText {
        let isShort = !path.marked.contains("/") && !ForeignText.hasVariable(path.marked)
        return place.isDockerHub && isShort ? path.part("library/" + path.marked) : path
    }

    /// The directory, and the last part of its path as the repository's name.
    private static func layout(
        _ scheme: Substring,
        _ path: ForeignText
    ) throws(NotTranslatable) -> (ImportedPlace, ForeignText) {
        try check(scheme: scheme)
        guard let slash = path.marked.lastIndex(of: "/") else { return (.layout(directory: "."), path) }
        let directory = path.part(slash == path.marked.startIndex ? "/" : path.marked[..<slash])
        return (.layout(directory: directory.written), path.part(path.marked[slash...].dropFirst()))
    }

    // MARK: Checks

    private static func digest(_ text: Substring) throws(NotTranslatable) -> String {
        guard let digest = try? Digest(parsing: String(text)) else {
            throw NotTranslatable(
                reason: "'\(quotable(text, upTo: 100))' is not a digest that a rule file knows",
                remedy: "write sha256: and 64 lowercase hexadecimal characters"
            )
        }
        return digest.description
    }

    static func check(tag: ForeignText) throws(NotTranslatable) {
        do {
            _ = try Tag(parsing: tag.sample)
        } catch {
            throw Self.problem(with: error, tag, "a tag")
        }
    }

    static func check(repository: ForeignText) throws(NotTranslatable) {
        do {
            _ = try RepositoryName(parsing: repository.sample)
        } catch {
            throw Self.problem(with: error, repository, "the name of a repository")
        }
    }

    private static func problem(with error: ReferenceError, _ text: ForeignText, _ what: String) -> NotTranslatable {
        let reason =
            switch error {
            case .malformedRepository(_, let reason), .malformedTag(_, let reason): reason
            default: "\(error)"
            }
        return NotTranslatable(reason: "\(shown(text.written)) is not \(what): \(reason)")
    }
}

/// Where a registry is, as a rule file has it.
enum ImportedPlace: Hashable {
    case ecr(account: String, region: String)
    /// A host, with `http://` if it is not to be asked over TLS.
    case host(String)
    case layout(directory: String)

    static let dockerHub = ImportedPlace.host("docker.io")

    /// - Parameter host: `nil` for Docker Hub.
    init(host: ForeignText?) {
        guard let host else {
            self = .dockerHub
            return
        }
        guard host.stands.isEmpty else {
            self = .host(host.written)
            return
        }
        let name = host.marked.lowercased()
        if ["docker.io", "index.docker.io", "registry-1.docker.io"].contains(name) {
            self = .dockerHub
        } else if let ecr = try? ECRHost(authority: name),
            ECRHost(account: ecr.account, region: ecr.region).name == ecr.name
        {
            self = .ecr(account: ecr.account.value, region: ecr.region)
        } else {
            self = .host(host.written.lowercased())
        }
    }

    var isDockerHub: Bool { self == .dockerHub }
    var isECR: Bool { if case .ecr = self { true } else { false } }

    /// The host as in references; a layout has none.
    var host: String {
        switch self {
        case .ecr(let account, let region): "\(account).dkr.ecr.\(region).\(Partition(region: region).domain)"
        case .host(let host): host
        case .layout(let directory): directory
        }
    }

    /// What a rule file has for it.
    var members: [(key: String, value: ExpandedValue)] {
        switch self {
        case .ecr(let account, let region): [("account", .text(account)), ("region", .text(region))]
        case .host(let host): [("host", .text(host))]
        case .layout(let directory): [("layout", .text(directory))]
        }
    }

    /// A name for it, in the letters that names of registries have.
    var name: String {
        let text =
            switch self {
            case .ecr(let account, let region): "ecr-\(account)-\(region)"
            case .host(let host): host.hasPrefix("http://") ? String(host.dropFirst(7)) : host
            case .layout: "layout"
            }
        // The default of a variable is not a part of its name.
        let name = text.split(separator: ":-").first.map(String.init) ?? text
        let allowed = name.filter { !"${}[]".contains($0) }.map { character in
            character.isASCII && (character.isLetter || character.isNumber) || "._-".contains(character)
                ? character : "-"
        }
        // Keys that begin with x- are ignored.
        return allowed.isEmpty || allowed.starts(with: "x-") ? "registry-" + String(allowed) : String(allowed)
    }
}

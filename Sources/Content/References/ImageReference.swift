/// A reference to an image, in any of the forms that users write.
///
/// | form | registry |
/// | --- | --- |
/// | `ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPO[:TAG][@DIGEST]`, FIPS, dual-stack and other partitions | ECR |
/// | `arn:PARTITION:ecr:REGION:ACCOUNT:repository/REPO[:TAG][@DIGEST]` | ECR |
/// | `REPO[:TAG][@DIGEST]` | ECR, the caller's own account and region, unless it reads like a registry without its slash |
/// | `[http://\|https://]HOST[:PORT]/REPO[:TAG][@DIGEST]` | any OCI registry |
/// | `docker.io/[library/]REPO[:TAG][@DIGEST]`, also by its other names | Docker Hub |
/// | `oci:DIR[:NAME][@DIGEST]` | none: an image layout on this machine |
/// | `oci-archive:FILE[:NAME][@DIGEST]`, `docker-archive:FILE[:NAME][@DIGEST]` | none: a tar file, for reading |
/// | `docker://` and one of the registry forms; `docker://REPO` is Docker Hub's | as skopeo writes it |
///
/// `TAG@DIGEST` means that both must agree.
///
/// - Source: docs/architecture.md#references-and-identities
public struct ImageReference: Hashable, Sendable {
    public var registry: RegistryLocation
    public var repository: RepositoryName
    public var tag: Tag?
    public var digest: Digest?

    public init(registry: RegistryLocation, repository: RepositoryName, tag: Tag? = nil, digest: Digest? = nil) {
        self.registry = registry
        self.repository = repository
        self.tag = tag
        self.digest = digest
    }

    /// - Throws: ``ReferenceError``, which quotes the text and gives the reason.
    public init(parsing text: String) throws(ReferenceError) {
        let parts = try ReferenceParts(parsing: text)
        guard let repository = parts.repository else {
            throw .malformedReference(text, reason: "it names a registry but no repository")
        }
        self.init(registry: parts.registry, repository: repository, tag: parts.tag, digest: parts.digest)
    }

    /// The same repository without tag and digest.
    public var bare: ImageReference { ImageReference(registry: registry, repository: repository) }

    public func tagged(_ tag: Tag?, digest: Digest? = nil) -> ImageReference {
        ImageReference(registry: registry, repository: repository, tag: tag, digest: digest)
    }
}

extension ImageReference: CustomStringConvertible {
    public var description: String {
        registry.text(of: repository) + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }
}

/// A destination of a copy: a reference whose tag, or whole repository, may be taken from the source.
///
/// - Source: docs/architecture.md#references-and-identities: `HOST/` keeps the repository's name, a missing tag keeps
///   the source's
public struct DestinationReference: Hashable, Sendable {
    public var registry: RegistryLocation
    public var repository: RepositoryName?
    public var tag: Tag?

    public init(registry: RegistryLocation, repository: RepositoryName?, tag: Tag?) {
        self.registry = registry
        self.repository = repository
        self.tag = tag
    }

    /// - Throws: ``ReferenceError``; a digest is refused, because the source decides it.
    public init(parsing text: String) throws(ReferenceError) {
        let parts = try ReferenceParts(parsing: text)
        guard parts.digest == nil else {
            throw .malformedReference(
                text,
                reason: "a destination can't have a digest: the source decides what is copied"
            )
        }
        if case .layout(let layout) = parts.registry, layout.isArchive {
            throw .malformedReference(
                text,
                reason: "images can't be written to archives; write to a directory instead: oci:DIR"
            )
        }
        self.init(registry: parts.registry, repository: parts.repository, tag: parts.tag)
    }

    /// Returns the destination's repository for a source.
    public func repository(for source: ImageReference) -> ImageReference {
        ImageReference(registry: registry, repository: repository ?? source.repository)
    }
}

extension DestinationReference: CustomStringConvertible {
    public var description: String {
        registry.text(of: repository) + (tag.map { ":\($0)" } ?? "")
    }
}

/// The registry part of a reference.
public enum RegistryLocation: Hashable, Sendable {
    case ecr(ECRHost)
    /// The caller's own account in the configured region: a bare `REPO`.
    case callersOwn
    case plain(PlainRegistry)
    /// A layout on this machine, which is one repository: ``RepositoryName/unnamed``.
    case layout(ImageLayout)

    /// The text of a reference to `repository` here.
    func text(of repository: RepositoryName?) -> String {
        let name = repository?.value ?? ""
        return switch self {
        case .ecr(let host): "\(host.name)/\(name)"
        case .callersOwn: name
        case .plain(let registry): "\(registry)/\(name)"
        case .layout(let layout): layout.description
        }
    }

    public var isLayout: Bool { if case .layout = self { true } else { false } }

    /// The grammar of tags in this registry; a layout keeps tags in an annotation, so it accepts any tag of ECR's.
    public var tagGrammar: Tag.Grammar { if case .plain = self { .distribution } else { .ecr } }

    /// Whether it can only be read.
    public var isArchive: Bool { if case .layout(let layout) = self { layout.isArchive } else { false } }
}

/// A registry that is not ECR: a host, and the scheme if the reference has one.
public struct PlainRegistry: Hashable, Sendable, CustomStringConvertible {
    public enum Scheme: String, Sendable { case http, https }

    /// Host and optional port, lowercase.
    public var authority: String
    public var scheme: Scheme?

    public init(authority: String, scheme: Scheme? = nil) {
        self.authority = authority
        self.scheme = scheme
    }

    public var description: String { (scheme.map { "\($0.rawValue)://" } ?? "") + authority }
}

extension PlainRegistry {
    /// Whether this is Docker Hub, whose host in image names is not the host of its registry.
    ///
    /// - Source: distribution/reference, "normalize"; docker/docs, "Docker Hub registry"
    public var isDockerHub: Bool { authority == "docker.io" }

    /// The host of the registry, with the port if the reference has one.
    public var endpointAuthority: String { isDockerHub ? "registry-1.docker.io" : authority }

    /// Makes every name of Docker Hub `docker.io`, so that it is one registry.
    fileprivate static func named(_ authority: String, _ scheme: Scheme?) -> PlainRegistry {
        let aliases = ["docker.io", "index.docker.io", "registry-1.docker.io"]
        return PlainRegistry(authority: aliases.contains(authority) ? aliases[0] : authority, scheme: scheme)
    }

    /// Adds `library/`, which users leave out of the names of Docker's own images.
    fileprivate func repository(_ name: Substring) -> String {
        isDockerHub && !name.contains("/") ? "library/\(name)" : String(name)
    }
}

/// A reference split into the parts that all forms have.
private struct ReferenceParts {
    var registry: RegistryLocation
    var repository: RepositoryName?
    var tag: Tag?
    var digest: Digest?

    /// The longest text of a reference, more than the longest host, repository, tag and digest together.
    private static let longest = 1_024

    init(parsing text: String) throws(ReferenceError) {
        guard !text.isEmpty else { throw .malformedReference(text, reason: "it is empty") }
        if let fault = PastedScalars.fault(around: text) { throw .malformedReference(text, reason: fault) }
        if let (form, rest) = ImageLayout.form(of: text) {
            let parts = try ImageLayout.parse(rest, as: form, of: text)
            (registry, tag, digest) = (.layout(parts.layout), parts.tag, parts.digest)
            repository = .unnamed
            return
        }
        guard text.utf8.count <= Self.longest else {
            throw .malformedReference(text, reason: "it has more than \(Self.longest) characters")
        }
        guard text.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw .malformedReference(text, reason: "it has spaces or characters that no registry allows")
        }
        if let advice = ConsoleAddress.advice(for: text) { throw .malformedReference(text, reason: advice) }
        if let advice = TransportPrefix.advice(for: text) { throw .malformedReference(text, reason: advice) }
        let registryForm = TransportPrefix.registryForm(of: text)
        var rest = registryForm ?? Substring(text)
        guard !rest.isEmpty else { throw .malformedReference(text, reason: "HOST/REPO must follow docker://") }
        var scheme: PlainRegistry.Scheme?
        for candidate in [PlainRegistry.Scheme.http, .https]
        where text.lowercased().hasPrefix("\(candidate.rawValue)://") {
            scheme = candidate
            rest = rest.dropFirst(candidate.rawValue.count + 3)
        }
        if let at = rest.firstIndex(of: "@") {
            digest = try Digest(parsing: String(rest[rest.index(after: at)...]))
            rest = rest[..<at]
        }
        if rest.hasPrefix("arn:"), scheme == nil {
            let service = rest.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false).dropFirst(2).first
            guard service != "ecr-public" else {
                throw .malformedReference(text, reason: "images of ECR Public are written public.ecr.aws/ALIAS/NAME")
            }
            guard let arn = ARN(rest), arn.service == "ecr", arn.resource.hasPrefix("repository/") else {
                throw .malformedReference(
                    text,
                    reason: "an ARN is written arn:PARTITION:ecr:REGION:ACCOUNT:repository/NAME"
                )
            }
            if let fault = RegionText.fault(in: arn.region) {
                throw .malformedReference(text, reason: "'\(arn.region)' \(fault)")
            }
            let partition = Partition(region: arn.region).rawValue
            guard partition == arn.partition else {
                throw .malformedReference(
                    text,
                    reason:
                        "region '\(arn.region)' is not in partition '\(arn.partition)'; write arn:\(partition):ecr:…"
                )
            }
            registry = .ecr(ECRHost(account: try AccountID(parsing: arn.account), region: arn.region))
            rest = arn.resource.dropFirst("repository/".count)
            if digest == nil { (rest, digest) = try Self.withoutDigest(rest) }
        } else {
            (registry, rest) = try Self.registry(of: rest, scheme: scheme, text)
        }
        try Self.refuseDigest(in: rest, text)
        if let colon = rest.lastIndex(of: ":") {
            tag = try Tag(parsing: String(rest[rest.index(after: colon)...]), as: registry.tagGrammar)
            rest = rest[..<colon]
        }
        var name = String(rest)
        if case .plain(let registry) = registry { name = registry.repository(rest) }
        repository = rest.isEmpty ? nil : try RepositoryName(parsing: name)
        guard repository != nil || (tag == nil && digest == nil && registry != .callersOwn) else {
            throw .malformedReference(text, reason: "it names no repository")
        }
    }

    /// Splits a digest off a name in the form of Inspector and Security Hub: `NAME/sha256:HEX`.
    ///
    /// - Source: github.com/cartography-cncf/cartography/pull/1279, github.com/aquasecurity/trivy/pull/5433
    private static func withoutDigest(_ name: Substring) throws(ReferenceError) -> (Substring, Digest?) {
        guard let slash = name.lastIndex(of: "/") else { return (name, nil) }
        let last = name[name.index(after: slash)...]
        guard last.hasPrefix("sha256:") else { return (name, nil) }
        return (name[..<slash], try Digest(parsing: String(last)))
    }

    /// Refuses a digest that is written as a tag of a repository called `sha256`.
    private static func refuseDigest(in name: Substring, _ whole: String) throws(ReferenceError) {
        guard let colon = name.lastIndex(of: ":"), name[..<colon].hasSuffix("sha256"),
            (12...64).contains(name[colon...].utf8.count - 1), name[colon...].dropFirst().allSatisfy(\.isHexDigit)
        else { return }
        let image = name[..<colon].dropLast("sha256".count)
        guard !image.isEmpty else {
            throw .malformedReference(whole, reason: "it is a digest alone; write REPOSITORY@\(name)")
        }
        guard let last = image.last, last == "/" || last == ":" else { return }
        throw .malformedReference(
            whole,
            reason: "the digest must follow an @: write \(image.dropLast())@\(name.dropFirst(image.count))"
        )
    }

    /// Splits off the first component if it is a host: if it has a dot or a colon or is `localhost`, and a slash
    /// follows.
    private static func registry(
        of text: Substring,
        scheme: PlainRegistry.Scheme?,
        _ whole: String
    ) throws(ReferenceError) -> (RegistryLocation, Substring) {
        guard let slash = text.firstIndex(of: "/") else {
            guard scheme == nil else {
                throw .malformedReference(whole, reason: "a repository must follow \(scheme?.rawValue ?? "")://HOST/")
            }
            guard try !isRegistry(text) else {
                throw .malformedReference(
                    whole,
                    reason: "it is a registry: add the repository; as a destination, HOST/ keeps the source's "
                        + "repository name"
                )
            }
            return (.callersOwn, text)
        }
        let first = String(text[..<slash])
        let rest = text[text.index(after: slash)...]
        guard scheme != nil || first.contains(".") || first.contains(":") || first == "localhost" else {
            return (.callersOwn, text)
        }
        try refuseAccount(before: first)
        guard isAuthority(first) else {
            throw .malformedReference(whole, reason: "'\(first)' is not a host name with an optional port")
        }
        if let host = try ECRHost(authority: first) {
            guard scheme != .http || host.localAuthority != nil else {
                throw .malformedReference(whole, reason: "ECR answers on https only; leave out http://")
            }
            return (.ecr(host), rest)
        }
        try refuseMistyped(first, whole)
        return (.plain(.named(first.lowercased(), scheme)), rest)
    }

    /// Whether a name without a slash must be a host.
    ///
    /// Otherwise it would be a repository in the caller's own registry, and the user only forgot the slash.
    private static func isRegistry(_ name: Substring) throws(ReferenceError) -> Bool {
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let host = String(parts.first ?? "")
        if host.lowercased() == "localhost" {
            return parts.count == 1 || parts[1].utf8.allSatisfy { (48...57).contains($0) }
        }
        if try ECRHost(authority: host) != nil { return true }
        try refuseMistyped(host, String(name))
        return false
    }

    private static func refuseMistyped(_ authority: String, _ whole: String) throws(ReferenceError) {
        let parts = authority.lowercased().split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let mistyped = MistypedECRHost(String(parts[0]), port: parts.count == 2 ? String(parts[1]) : nil) else {
            return
        }
        throw .malformedReference(whole, reason: mistyped.reason)
    }

    /// Refuses an account in a spreadsheet's form, whose dots and signs would make the host look like another.
    private static func refuseAccount(before host: String) throws(ReferenceError) {
        guard let marker = host.firstRange(of: ".dkr.ecr") ?? host.firstRange(of: ".dkr-ecr") else { return }
        let account = String(host[..<marker.lowerBound])
        guard account.contains("."), AccountText(account).advice != AccountText.usual else { return }
        throw .malformedAccount(account)
    }

    private static func isAuthority(_ text: String) -> Bool {
        // An IPv6 address is in brackets, and its colons don't begin a port.
        var rest = Substring(text)
        if rest.hasPrefix("[") {
            guard let end = rest.firstIndex(of: "]") else { return false }
            let address = rest[rest.index(after: rest.startIndex)..<end]
            guard !address.isEmpty, address.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." }) else {
                return false
            }
            rest = rest[rest.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return false }
        }
        let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2 {
            // `Int` would accept a sign.
            guard parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(parts[1]), port > 0 else {
                return false
            }
        }
        guard parts.count <= 2 else { return false }
        let host = parts.first ?? ""
        return text.hasPrefix("[")
            || (!host.isEmpty && !host.hasPrefix(".") && !host.hasPrefix("-")
                && host.utf8.allSatisfy { $0 == 45 || $0 == 46 || $0 == 95 || isLetterOrDigit($0) })
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}

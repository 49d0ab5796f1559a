package import Content

/// A repository of ECR, or those that match a pattern, as policies name them.
package struct PolicyPlace: Sendable, Hashable {
    package let host: ECRHost
    /// A repository's name, in which `*` stands for any run of characters.
    package let pattern: String

    package init(host: ECRHost, pattern: String) { (self.host, self.pattern) = (host, pattern) }

    /// - Parameter text: A reference, in whose repository `*` may stand; its tag and digest play no part.
    /// - Returns: `nil` for a registry that isn't ECR, or no registry at all.
    /// - Throws: `ReferenceError`, also for a reference that doesn't say which account and region it is in.
    package init?(parsing text: String, keeping pattern: String? = nil) throws(ReferenceError) {
        // Two letters are a name where a star is all of it; the parser checks the rest.
        let written = text.prefix { $0 != "@" }
        let reference = try DestinationReference(parsing: String(written.replacing("*", with: Self.star)))
        switch reference.registry {
        case .plain, .layout: return nil
        case .callersOwn:
            throw .malformedReference(
                text,
                reason: "it must name account and region: ACCOUNT.dkr.ecr.REGION.amazonaws.com/…"
            )
        case .ecr(let host): self.host = host
        }
        guard let name = reference.repository?.value else {
            guard let pattern else { throw .malformedReference(text, reason: "it names a registry but no repository") }
            self.pattern = pattern
            return
        }
        let bare = reference.tag == nil ? written : written.prefix(upTo: written.lastIndex(of: ":") ?? written.endIndex)
        let pattern = String(bare.suffix(name.count - bare.count { $0 == "*" }))
        let stars = written.count { $0 == "*" }
        guard pattern.replacing("*", with: Self.star) == name, pattern.count(where: { $0 == "*" }) == stars else {
            throw .malformedReference(text, reason: "* may stand in the repository's name only")
        }
        self.pattern = pattern
    }

    private static let star = "xx"

    /// Whether it may be more than one repository.
    package var isPattern: Bool { pattern.contains("*") }

    /// The repository's, or with `*` that of all that match.
    package var arn: String {
        "arn:\(host.partition.rawValue):ecr:\(host.region):\(host.account):repository/\(pattern)"
    }

    /// Whether blobs may be mounted from one to the other.
    func sharesRegistry(with other: PolicyPlace) -> Bool {
        host.account == other.host.account && host.region == other.host.region
    }
}

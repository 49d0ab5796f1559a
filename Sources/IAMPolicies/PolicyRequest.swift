package import Content
package import Replicate

/// What somebody wants to be allowed.
package struct PolicyRequest: Sendable, Hashable {
    /// `nil` where it isn't ECR.
    package var source: PolicyPlace?
    /// `nil` for each that isn't ECR.
    package var destinations: [PolicyPlace?]
    /// Who reads and who writes; by default everybody of the source's account whose own policies allow it.
    package var reader = PolicyCaller()
    package var writer = PolicyCaller()
    package var listsImages = false
    package var upload = UploadMode.auto
    package var createsRepository = false
    /// Of repositories that are created in the key's region.
    package var keyARN: String?
    /// Whether actions are wanted, too, without which a copy goes on.
    package var includesOptional = false

    package init(source: PolicyPlace?, destinations: [PolicyPlace?]) {
        (self.source, self.destinations) = (source, destinations)
    }

    package init(source: PolicyPlace?, destination: PolicyPlace?) {
        self.init(source: source, destinations: [destination])
    }

    /// Who calls there in the end.
    ///
    /// Who copies is taken to be at home where the images are; another partition has accounts of its own, and whoever is
    /// named for both sides of such a copy can be at home in one of them only.
    func principal(of caller: PolicyCaller, at place: PolicyPlace) throws(ImpossiblePolicy) -> Principal {
        let partition = place.host.partition.rawValue
        if let role = caller.assumptions.last?.role {
            guard role.partition == partition else {
                throw ImpossiblePolicy(
                    "\(role.words) is of partition \(role.partition), and \(place.arn) of \(partition): partitions know "
                        + "nothing of each other, so name each side's own role"
                )
            }
            return role
        }
        if let start = caller.start {
            if start.partition == partition { return start }
            guard !caller.isOfProfile else {
                throw ImpossiblePolicy(
                    "\(start.words), whom the profile tells, is of partition \(start.partition), and \(place.arn) of "
                        + "\(partition): partitions know nothing of each other, so give each side its own profile"
                )
            }
        }
        let home = source?.host ?? place.host
        let host = home.partition == place.host.partition ? home : place.host
        return Principal(account: host.account.value, partition: partition)
    }

    /// Refuses somebody whom no side's repository can let in: what is printed would not be about them.
    func checkWhoIsNamed() throws(ImpossiblePolicy) {
        let places = [source].compactMap { $0 } + destinations.compactMap { $0 }
        let partitions = places.map(\.host.partition.rawValue)
        for caller in [reader, writer] {
            for named in [caller.isOfProfile ? nil : caller.start, caller.passedOver].compactMap({ $0 })
            where !partitions.contains(named.partition) {
                throw ImpossiblePolicy(
                    "\(named.words) is of partition \(named.partition), and no repository here is: partitions know "
                        + "nothing of each other, so name somebody of \(Set(partitions).sorted().joined(separator: " or "))"
                )
            }
        }
    }

    /// Whether both sides are one repository, reached by one identity: then nothing is read that isn't asked of the
    /// destination.
    ///
    /// Of patterns that are equal a copy goes from any that match to any other.
    func isRetag(at place: PolicyPlace) throws(ImpossiblePolicy) -> Bool {
        guard let source, source.arn == place.arn, !place.isPattern else { return false }
        return try principal(of: reader, at: source) == principal(of: writer, at: place)
    }

    /// What may hold a layer that is then mounted there: the source's repository, and other destinations of its registry.
    func siblings(of place: PolicyPlace) -> [PolicyPlace] {
        let others = destinations.compactMap { $0 }.filter { $0.arn != place.arn }
        var siblings: [PolicyPlace] = []
        for other in [source].compactMap({ $0 }) + others
        where other.sharesRegistry(with: place) && !siblings.contains(other) {
            if other.arn != place.arn || other.isPattern { siblings.append(other) }
        }
        return siblings
    }

    /// The key of a repository that is created there.
    package func key(at place: PolicyPlace) -> String? {
        guard let keyARN, let key = KeyARN(keyARN) else { return nil }
        return key.region == place.host.region ? keyARN : nil
    }
}

/// Of a key of KMS.
package struct KeyARN: Sendable, Hashable {
    package let region: String

    /// - Returns: `nil` for anything but `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
    package init?(_ text: String) {
        guard let key = ARN(text), key.service == "kms", key.resource.hasPrefix("key/"),
            text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") })
        else { return nil }
        region = key.region
    }
}

/// A repository that is to be created by a caller of another account.
///
/// ECR may let such a caller create it, but what is new has no policy, so that nothing could be written to it.
///
/// - Source: docs/facts/permissions.md#across-accounts
package struct ForeignCreation: Error, Hashable, CustomStringConvertible {
    package let caller: String
    package let account: String

    package var description: String {
        "\(caller) can't create a repository in account \(account) and write to it: a repository that is new has no "
            + "policy that lets another account in; name a role of account \(account) with --destination-role-arn, whose "
            + "policies are then printed, or create the repository there first"
    }
}

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

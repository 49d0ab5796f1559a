internal import Content

/// What somebody wants to be allowed.
public struct PolicyRequest: Sendable, Hashable {
    /// `nil` where it isn't ECR.
    public var source: PolicyPlace?
    /// `nil` for each that isn't ECR.
    public var destinations: [PolicyPlace?]
    /// Who reads and who writes; by default everybody of the source's account whose own policies allow it.
    public var reader = PolicyCaller()
    public var writer = PolicyCaller()
    public var listsImages = false
    public var upload = UploadMode.auto
    public var createsRepository = false
    /// Of repositories that are created in the key's region.
    public var keyARN: String?
    /// Whether actions are wanted, too, without which a copy goes on.
    public var includesOptional = false

    public init(source: PolicyPlace?, destinations: [PolicyPlace?]) {
        (self.source, self.destinations) = (source, destinations)
    }

    public init(source: PolicyPlace?, destination: PolicyPlace?) {
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
    public func key(at place: PolicyPlace) -> String? {
        guard let keyARN, let key = KeyARN(keyARN) else { return nil }
        return key.region == place.host.region ? keyARN : nil
    }
}

/// Of a key of KMS.
public struct KeyARN: Sendable, Hashable {
    public let region: String

    /// - Returns: `nil` for anything but `arn:PARTITION:kms:REGION:ACCOUNT:key/ID`.
    public init?(_ text: String) {
        let fields = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0] == "arn", fields[2] == "kms", fields[5].hasPrefix("key/"),
            text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "\"") })
        else { return nil }
        region = String(fields[3])
    }
}

/// A repository that is to be created by a caller of another account.
///
/// ECR may let such a caller create it, but what is new has no policy, so that nothing could be written to it.
///
/// - Source: docs/facts/permissions.md#across-accounts
public struct ForeignCreation: Error, Hashable, CustomStringConvertible {
    public let caller: String
    public let account: String

    public var description: String {
        "\(caller) can't create a repository in account \(account) and write to it: a repository that is new has no "
            + "policy that lets another account in; name a role of account \(account) with --destination-role-arn, whose "
            + "policies are then printed, or create the repository there first"
    }
}

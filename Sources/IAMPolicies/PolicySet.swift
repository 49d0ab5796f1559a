internal import Content
internal import Replicate

/// The policies that a copy needs, and nothing beyond them.
///
/// - Source: docs/permissions.md; docs/facts/permissions.md
package struct PolicySet: Sendable {
    /// One policy, and the place where it belongs.
    package struct Entry: Sendable {
        package enum Place: Sendable, Hashable {
            /// An identity's policy, with what the identity does, for example `reads`; the identity is `nil` if it is
            /// unknown.
            case identity(Principal?, does: String)
            /// The policies of these repositories, which are equal.
            case repositories([PolicyPlace])
            /// The trust policy of a role.
            case trust(Principal)
        }

        /// The policy's names; it has several when it serves both sides.
        package internal(set) var names: [PolicyName]
        package let place: Place
        /// The name under which the identity holds this policy, next to its other policies.
        var policyName: String
        package internal(set) var policy: PolicyDocument
        /// Further notes about the policy.
        package internal(set) var notes: [String]
        /// The keys that an identity's policy is for, in words, if their owner is only guessed.
        package internal(set) var keys: String?
        /// Whether the policy becomes a managed policy, because inline policies would be too long.
        var isManaged = false
    }

    /// The policies in the order in which they are printed and can be put in place.
    ///
    /// Trust policies come first, because a role is created with one; a role comes after the roles that it trusts. The
    /// other policies follow, the source's first.
    package internal(set) var entries: [Entry] = []

    /// - Throws: ``ForeignCreation`` or ``ImpossiblePolicy`` if no policies suffice.
    package init(_ request: PolicyRequest) throws {
        try request.checkWhoIsNamed()
        try request.reader.check()
        try request.writer.check()
        let places = request.destinations.compactMap { $0 }
        var copiesElsewhere = places.count < request.destinations.count
        for place in places where try !request.isRetag(at: place) { copiesElsewhere = true }
        // A retag reads nothing at the source, but gates may.
        if let source = request.source, copiesElsewhere || places.isEmpty || !request.gates.isEmpty {
            try add(.source, [source], request.reader, request)
        }
        try add(.destination, places, request.writer, request)
        putTrustFirst()
        fitLimits()
    }

    /// Moves the trust policies to the front.
    ///
    /// AWS rejects a policy that names a role that doesn't exist yet.
    mutating func putTrustFirst() {
        var waiting = entries.filter { $0.trusted != nil }
        var ordered: [Entry] = []
        while !waiting.isEmpty {
            let next = waiting.firstIndex { entry in
                !waiting.contains { other in
                    other.place != entry.place && entry.policy.statements.contains { $0.principal == other.trusted }
                }
            }
            ordered.append(waiting.remove(at: next ?? waiting.startIndex))
        }
        entries = ordered + entries.filter { $0.trusted == nil }
    }

    // MARK: One side

    private mutating func add(
        _ side: CopyError.Side,
        _ places: [PolicyPlace],
        _ caller: PolicyCaller,
        _ request: PolicyRequest
    ) throws {
        var groups: [(principal: Principal, places: [PolicyPlace])] = []
        for place in places {
            let principal = try request.principal(of: caller, at: place)
            try Self.check(principal, createsAt: place, side, request)
            guard let index = groups.firstIndex(where: { $0.principal == principal }) else {
                groups.append((principal, [place]))
                continue
            }
            if !groups[index].places.contains(place) { groups[index].places.append(place) }
        }
        for (principal, places) in groups {
            let writings = try places.map { try PolicyWriting(side, at: $0, request) }
            append(
                PolicyPart(side, .identity),
                .identity(principal, does: side == .source ? "reads" : "writes"),
                PolicyDocument(PolicyWriting.merged(writings)),
                named: PolicyName.ofHolder(side, places),
                notes: caller.notes(of: principal)
            )
            for (policy, places) in Self.repositoryPolicies(side, of: principal, writings) {
                append(PolicyPart(side, .repository), .repositories(places), policy, named: "", notes: principal.notes)
            }
        }
        if !places.isEmpty { add(assumptionsOf: caller, side) }
    }

    static func check(
        _ principal: Principal,
        createsAt place: PolicyPlace,
        _ side: CopyError.Side,
        _ request: PolicyRequest
    ) throws(ForeignCreation) {
        guard side == .destination, request.creates(at: place) else { return }
        let account = place.host.account.value
        guard principal.account == account else {
            throw ForeignCreation(caller: principal.words, account: account, registry: request.rule?.destination)
        }
    }

    /// The policies of the repositories that belong to another account than the caller.
    ///
    /// Within one account the identity's policy is enough. Repositories with equal policies share one entry.
    private static func repositoryPolicies(
        _ side: CopyError.Side,
        of caller: Principal,
        _ writings: [PolicyWriting]
    ) -> [(PolicyDocument, [PolicyPlace])] {
        var policies: [(PolicyDocument, [PolicyPlace])] = []
        let (principal, conditions) = caller.inPolicy
        for writing in writings where writing.place.host.account.value != caller.account {
            let statement = PolicyStatement(
                id: side == .source ? "LetRead" : "LetWrite",
                principal: principal,
                writing.actionsOfRepository,
                conditions: conditions
            )
            let policy = PolicyDocument([statement])
            if let index = policies.firstIndex(where: { $0.0 == policy }) {
                policies[index].1.append(writing.place)
            } else {
                policies.append((policy, [writing.place]))
            }
        }
        return policies
    }

    // MARK: Assumed roles

    /// Adds the trust policies of the assumed roles, from the last role back to the first.
    private mutating func add(assumptionsOf caller: PolicyCaller, _ side: CopyError.Side) {
        for (index, assumption) in caller.assumptions.enumerated().reversed() {
            let role = assumption.role
            let who = index > 0 ? caller.assumptions[index - 1].role : caller.start
            let origin = index > 0 ? nil : caller.origin
            append(
                PolicyPart(side, .trust),
                .trust(role),
                PolicyDocument([assumption.letting(who)]),
                named: "",
                notes: assumption.notes(letting: who, from: origin)
            )
            if assumption.needsNoPermission(of: who) { continue }
            append(
                PolicyPart(side, .caller),
                .identity(who, does: "assumes \(role.words)"),
                PolicyDocument([PolicyStatement(id: "Assume", ["sts:AssumeRole"], on: [role.arn])]),
                named: "ecr-replicate-assume-\(role.account)-\(role.name)",
                notes: who == nil ? [assumption.noteForUnknownCaller] : []
            )
        }
    }

    /// The name of the next policy of a kind.
    func nextName(_ part: PolicyPart) -> PolicyName {
        PolicyName(
            part,
            number: (entries.lazy.flatMap(\.names).filter { $0.part == part }.map(\.number).max() ?? 0) + 1
        )
    }

    /// Adds a policy, or merges it into the one that has the same place.
    ///
    /// A role has one trust policy, and a repository has one policy, so all callers share it.
    private mutating func append(
        _ part: PolicyPart,
        _ place: Entry.Place,
        _ policy: PolicyDocument,
        named policyName: String,
        notes: [String] = []
    ) {
        let name = nextName(part)
        let same = entries.firstIndex { entry in
            switch (entry.place, place) {
            case (.trust, .trust): entry.place == place
            // The source's entry holds one repository, which may be one of several destinations.
            case (.repositories(let known), .repositories(let places)): known.allSatisfy(places.contains)
            case (.identity, .identity): entry.place == place && entry.policy == policy
            default: false
            }
        }
        guard let same else {
            entries.append(Entry(names: [name], place: place, policyName: policyName, policy: policy, notes: notes))
            return
        }
        defer {
            if case (.repositories(let known), .repositories(let places)) = (entries[same].place, place) {
                let others = places.filter { !known.contains($0) }
                if !others.isEmpty { append(part, .repositories(others), policy, named: policyName, notes: notes) }
            }
        }
        entries[same].names.append(name)
        let known = entries[same].policy.statements.map { $0.identified(nil) }
        let new = policy.statements.filter { !known.contains($0.identified(nil)) }
        entries[same].policy = PolicyDocument((entries[same].policy.statements + new).withIDsOfTheirOwn)
        entries[same].notes += notes.filter { !entries[same].notes.contains($0) }
    }
}

extension PolicySet.Entry {
    /// The role that this trust policy belongs to, as other trust policies name it.
    fileprivate var trusted: PolicyStatement.Principal? {
        if case .trust(let role) = place { .aws(role.arn) } else { nil }
    }
}

extension Principal {
    /// Notes for the policy of a repository or a role that names this principal.
    var notes: [String] {
        pathHint.map { ["AWS refuses a policy that names a role without its path: \($0)"] } ?? []
    }
}

extension PolicyCaller {
    /// Notes for the policy of the identity that reads or writes.
    func notes(of principal: Principal) -> [String] {
        guard let tokenFile, principal == start else { return [] }
        return [
            "its trust policy is left out: it must allow the identity provider and the subject of the token in "
                + "\(tokenFile), and only the token names them"
        ]
    }
}

extension PolicyCaller.Assumption {
    /// The placeholder for an unknown caller; AWS rejects a policy that contains it.
    static let placeholder = "ARN-OF-THE-CALLER"

    /// Whether the trust policy alone lets `who` assume the role.
    ///
    /// Within one account a trust policy that names the caller itself is enough.
    func needsNoPermission(of who: Principal?) -> Bool {
        who.map { $0.account == role.account && $0.isNamedItself } ?? false
    }

    /// The note for the policy of a caller that is not known.
    var noteForUnknownCaller: String {
        "not needed by an identity of account \(role.account) that the role's trust policy names"
    }

    /// Lets `who` assume the role with the external id and the second factor that the caller sends.
    func letting(_ who: Principal?) -> PolicyStatement {
        let (principal, usual) = who?.inPolicy ?? (.aws(Self.placeholder), [])
        let id = externalID.map { [PolicyStatement.Condition("StringEquals", "sts:ExternalId", $0)] } ?? []
        let code = sendsCode ? [PolicyStatement.Condition("Bool", "aws:MultiFactorAuthPresent", "true")] : []
        return PolicyStatement(
            id: "LetAssume",
            principal: principal,
            ["sts:AssumeRole"],
            conditions: usual + id + code
        )
    }

    func notes(letting who: Principal?, from origin: String?) -> [String] {
        guard let who else {
            let keys = origin.map { " (\($0))" } ?? ""
            return [
                "the caller\(keys) is not known: replace \(Self.placeholder), which AWS refuses, with the caller's "
                    + "ARN, or name the caller with --principal; with the caller's keys, aws sts get-caller-identity "
                    + "prints the ARN"
            ]
        }
        guard case .account = who.kind else { return who.notes }
        return [
            "this allows every identity of account \(who.account) whose own policies allow sts:AssumeRole on the "
                + "role; name one of them with --principal instead"
        ]
    }
}

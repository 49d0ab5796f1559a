internal import Content
internal import Replicate

/// What the identities, repositories and roles of several copies need together.
struct PolicyNeeds {
    /// The identity that a document is for, with the origin of its keys if the identity is only guessed.
    struct Holder: Hashable {
        var principal: Principal?
        var keys: String?
        /// The identity in a word, for the name of its policy.
        var label: String

        init(_ principal: Principal) { (self.principal, label) = (principal, principal.label) }

        /// The owner of a caller's keys, if the user didn't name it.
        init(guessing caller: PolicyCaller) {
            (keys, label) = (caller.home?.keys ?? caller.origin, caller.home?.label ?? caller.origin ?? "caller")
            principal = caller.home.map {
                Principal(account: $0.host.account.value, partition: $0.host.partition.rawValue)
            }
        }
    }

    /// What one identity needs.
    struct OfHolder {
        var parts: [PolicyPart] = []
        var writings: [PolicyWriting] = []
        /// The roles that it assumes.
        var roles: [Principal] = []
        var notes: [String] = []
    }

    /// What the policy of one repository needs, because it belongs to another account than its callers.
    struct OfRepository {
        var place: PolicyPlace
        var grants: [Grant] = []

        struct Grant {
            var side: CopyError.Side
            var caller: Principal
            var actions: [String]
        }
    }

    /// What the trust policy of one role needs.
    struct OfRole {
        var role: Principal
        var parts: [PolicyPart] = []
        var statements: [PolicyStatement] = []
        var notes: [String] = []
    }

    private(set) var holders = OrderedNeeds<Holder, OfHolder>()
    private(set) var repositories = OrderedNeeds<String, OfRepository>()
    private(set) var roles = OrderedNeeds<Principal, OfRole>()
    private var knownCallers: Set<KnownCaller> = []

    private struct KnownCaller: Hashable {
        var side: CopyError.Side
        var caller: PolicyCaller
    }

    /// - Throws: ``ForeignCreation`` or ``ImpossiblePolicy`` if no policies suffice.
    mutating func add(_ request: PolicyRequest) throws {
        if let source = request.source {
            try add(.source, source, request.reader, request, request.rule?.sourceNotes ?? [])
        }
        for place in request.destinations.compactMap({ $0 }) {
            try add(.destination, place, request.writer, request, request.rule?.destinationNotes ?? [])
        }
    }

    private mutating func add(
        _ side: CopyError.Side,
        _ place: PolicyPlace,
        _ caller: PolicyCaller,
        _ request: PolicyRequest,
        _ notes: [String]
    ) throws {
        let principal = try request.principal(of: caller, at: place)
        if side == .destination { try PolicySet.check(principal, createsAt: place, side, request) }
        let writing = try PolicyWriting(side, at: place, request)
        guard !writing.isEmpty else { return }
        try add(caller, side)
        let isGuessed = caller.start == nil && caller.assumptions.isEmpty
        var holder = Holder(principal)
        if isGuessed, let home = caller.home { (holder.keys, holder.label) = (home.keys, home.label) }
        let isForeign = place.host.account.value != principal.account
        let registry = side == .source ? request.rule?.source : request.rule?.destination
        holders.change(holder, from: OfHolder()) { need in
            need.parts.add(PolicyPart(side, .identity))
            need.writings.append(writing)
            for note in caller.notes(of: principal) + notes { need.notes.add(note) }
            if isGuessed, let home = caller.home {
                need.notes.add(
                    "\(home.keys) are taken to be of account \(principal.account): name their owner with \(home.remedy)"
                )
            }
            guard isForeign, writing.listsRepositories, let registry else { return }
            need.notes.add(
                "ECR lists the repositories of an account for its own identities: give registry '\(registry)' a roleArn of "
                    + "account \(place.host.account), or allow ecr:DescribeRepositories in its registry's policy"
            )
        }
        guard isForeign else { return }
        repositories.change(place.arn, from: OfRepository(place: place)) { need in
            need.add(side, principal, writing.actionsOfRepository)
        }
    }

    /// Adds what the roles of a caller need, once.
    private mutating func add(_ caller: PolicyCaller, _ side: CopyError.Side) throws {
        guard knownCallers.insert(KnownCaller(side: side, caller: caller)).inserted else { return }
        try caller.check()
        for (index, assumption) in caller.assumptions.enumerated() {
            let role = assumption.role
            let who = index > 0 ? caller.assumptions[index - 1].role : caller.start
            let origin = index > 0 ? nil : caller.origin
            let letting = assumption.letting(who)
            roles.change(role, from: OfRole(role: role)) { need in
                need.parts.add(PolicyPart(side, .trust))
                need.statements.add(letting)
                for note in assumption.notes(letting: who, from: origin) { need.notes.add(note) }
            }
            if assumption.needsNoPermission(of: who) { continue }
            let holder = who.map { Holder($0) } ?? Holder(guessing: caller)
            holders.change(holder, from: OfHolder()) { need in
                need.parts.add(PolicyPart(side, .caller))
                need.roles.add(role)
                if who == nil { need.notes.add(assumption.noteForUnknownCaller) }
            }
        }
    }
}

extension PolicyNeeds.OfRepository {
    fileprivate mutating func add(_ side: CopyError.Side, _ caller: Principal, _ actions: [String]) {
        guard !actions.isEmpty else { return }
        guard let index = grants.firstIndex(where: { $0.side == side && $0.caller == caller }) else {
            return grants.append(Grant(side: side, caller: caller, actions: actions))
        }
        for action in actions { grants[index].actions.add(action) }
    }

    /// The policy, which also has what the policies of `wider` patterns have: a repository has only one.
    func document(_ wider: [Self]) -> PolicyDocument {
        var whole = self
        for other in wider {
            for grant in other.grants { whole.add(grant.side, grant.caller, grant.actions) }
        }
        let statements = whole.grants.map { grant in
            let (principal, conditions) = grant.caller.inPolicy
            return PolicyStatement(
                id: grant.side == .source ? "LetRead" : "LetWrite",
                principal: principal,
                grant.actions,
                conditions: conditions
            )
        }
        return PolicyDocument(statements.withIDsOfTheirOwn)
    }

    var parts: [PolicyPart] {
        var parts: [PolicyPart] = []
        for grant in grants { parts.add(PolicyPart(grant.side, .repository)) }
        return parts
    }

    var notes: [String] {
        var notes: [String] = []
        for note in grants.flatMap(\.caller.notes) { notes.add(note) }
        return notes
    }
}

/// Values by key, in the order in which the keys came.
struct OrderedNeeds<Key: Hashable, Value> {
    private(set) var all: [(key: Key, value: Value)] = []
    private var index: [Key: Int] = [:]

    mutating func change(_ key: Key, from start: @autoclosure () -> Value, _ body: (inout Value) -> Void) {
        if index[key] == nil {
            index[key] = all.count
            all.append((key, start()))
        }
        if let place = index[key] { body(&all[place].value) }
    }
}

extension Array where Element: Equatable {
    /// Appends an element unless it is there.
    fileprivate mutating func add(_ element: Element) {
        if !contains(element) { append(element) }
    }
}

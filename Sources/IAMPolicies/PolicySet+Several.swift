internal import Replicate

extension PolicySet {
    /// The policies that several copies need together: one document for each identity, repository and role.
    ///
    /// - Parameter policyName: What the names under which identities hold their policies begin with.
    /// - Throws: ``ForeignCreation`` or ``ImpossiblePolicy`` if no policies suffice.
    package init(_ requests: [PolicyRequest], named policyName: String) throws {
        let partitions = requests.reduce(into: Set()) { $0.formUnion($1.partitions) }
        var needs = PolicyNeeds()
        var checked: Set<PolicyCaller> = []
        for request in requests {
            for caller in [request.reader, request.writer] where checked.insert(caller).inserted {
                try PolicyRequest.checkWhoIsNamed([caller], partitions: partitions)
            }
            try needs.add(request)
        }
        for (_, need) in needs.roles.all { add(need) }
        for (holder, need) in needs.holders.all { add(need, of: holder, policyName) }
        add(needs.repositories.all.map(\.value))
        putTrustFirst()
        fitLimits()
    }

    private mutating func add(_ need: PolicyNeeds.OfRole) {
        entries.append(
            Entry(
                names: need.parts.map { nextName($0) },
                place: .trust(need.role),
                policyName: "",
                policy: PolicyDocument(need.statements.withIDsOfTheirOwn),
                notes: need.notes
            )
        )
    }

    private mutating func add(_ need: PolicyNeeds.OfHolder, of holder: PolicyNeeds.Holder, _ policyName: String) {
        let assuming =
            need.roles.isEmpty
            ? [] : [PolicyStatement(id: "Assume", ["sts:AssumeRole"], on: need.roles.map(\.arn))]
        let statements = PolicyWriting.merged(need.writings).withoutRepetition + assuming
        entries.append(
            Entry(
                names: need.parts.map { nextName($0) },
                place: .identity(holder.principal, does: need.words),
                policyName: PolicyName.ofHolder("\(policyName)+\(holder.label)"),
                policy: PolicyDocument(statements),
                notes: Self.shortened(need.notes),
                keys: holder.keys
            )
        )
    }

    /// The most notes of one policy that are printed.
    private static let mostNotes = 20

    private static func shortened(_ notes: [String]) -> [String] {
        guard notes.count > mostNotes else { return notes }
        return notes.prefix(mostNotes) + ["\(notes.count - mostNotes) more notes of this kind are left out"]
    }

    /// The most repositories whose patterns are compared with each other.
    private static let mostCompared = 2_000

    /// Adds the policies of repositories of other accounts; those with equal policies share an entry.
    private mutating func add(_ needs: [PolicyNeeds.OfRepository]) {
        let patterns = needs.filter { $0.place.isPattern }.prefix(Self.mostCompared)
        let first = entries.count
        for need in needs where !need.grants.isEmpty {
            let wider = patterns.filter { $0.place.arn != need.place.arn && $0.place.covers(need.place) }
            let policy = need.document(Array(wider))
            let same = entries[first...].firstIndex { $0.policy == policy }
            guard let same, case .repositories(let places) = entries[same].place else {
                entries.append(
                    Entry(
                        names: need.parts.map { nextName($0) },
                        place: .repositories([need.place]),
                        policyName: "",
                        policy: policy,
                        notes: need.notes
                    )
                )
                continue
            }
            entries[same] = Entry(
                names: entries[same].names,
                place: .repositories(places + [need.place]),
                policyName: "",
                policy: policy,
                notes: entries[same].notes
            )
        }
    }
}

extension PolicyPlace {
    /// Whether this pattern stands for everything that the other place stands for.
    fileprivate func covers(_ other: PolicyPlace) -> Bool { ResourcePattern.covers(arn, other.arn) }
}

extension PolicyNeeds.OfHolder {
    /// What the identity does, as `reads, writes and assumes role promoter in account 444455556666`.
    fileprivate var words: String {
        var words: [String] = []
        if parts.contains(.sourceIdentity) { words.append("reads") }
        if parts.contains(.destinationIdentity) { words.append("writes") }
        switch roles.count {
        case 0: break
        case 1: words.append("assumes \(roles[0].words)")
        default: words.append("assumes \(roles.count) roles")
        }
        guard words.count > 1 else { return words.first ?? "" }
        return "\(words.dropLast().joined(separator: ", ")) and \(words[words.count - 1])"
    }
}

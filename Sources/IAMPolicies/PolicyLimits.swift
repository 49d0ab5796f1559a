/// The most characters that IAM and ECR accept in a policy, white space not counted.
///
/// - Source: docs/facts/permissions.md#sizes
package enum PolicyLimit {
    /// A managed policy.
    package static let managed = 6_144
    /// All inline policies of a role together.
    package static let inlineOfRole = 10_240
    /// All inline policies of a user together.
    package static let inlineOfUser = 2_048
    /// The inline policy of a permission set, which becomes an inline policy of a role in each account.
    package static let inlineOfPermissionSet = 10_240
    /// A role's trust policy, unless the account's quota is raised.
    package static let trust = 2_048
    /// A repository's policy.
    package static let repository = 10_240
    /// The managed policies of one identity, unless the account's quota is raised.
    package static let managedOfIdentity = 10
}

extension PolicyDocument {
    /// The number of characters that IAM counts, which leaves out white space.
    package var size: Int { json.line.unicodeScalars.count { !$0.properties.isWhitespace } }

    /// The policy in parts of at most `limit` characters, which together allow the same.
    ///
    /// A statement whose resources don't fit is continued in the next part.
    func parts(upTo limit: Int) -> [PolicyDocument] {
        guard size > limit else { return [self] }
        var parts: [[PolicyStatement]] = []
        var room = 0
        for statement in statements {
            // More than everything but the resources, so that a part never becomes too long.
            let frame = PolicyDocument([statement.on(["", ""])]).size
            var rest = statement.resources[...]
            repeat {
                // The quotes, and the comma before the next one.
                let sizes = rest.map { $0.unicodeScalars.count + 3 }
                if parts.isEmpty || room < frame + (sizes.first ?? 0) {
                    parts.append([])
                    room = limit
                }
                room -= frame
                var count = 0
                while count < sizes.count, count == 0 || sizes[count] <= room {
                    room -= sizes[count]
                    count += 1
                }
                parts[parts.count - 1].append(statement.on(Array(rest.prefix(count))))
                rest = rest.dropFirst(count)
            } while !rest.isEmpty
        }
        return parts.map { PolicyDocument($0) }
    }
}

extension PolicyStatement {
    fileprivate func on(_ resources: [String]) -> PolicyStatement {
        var statement = self
        statement.resources = resources
        return statement
    }
}

extension PolicySet {
    /// Turns policies that are too long for their place into several managed policies, and says what stays too long.
    mutating func fitLimits() {
        var sizes: [Holder: Int] = [:]
        for entry in entries {
            if let holder = entry.holder { sizes[holder, default: 0] += entry.policy.size }
        }
        entries = entries.reduce(into: []) { fitted, entry in
            guard let holder = entry.holder else { return fitted.append(entry.saying(Self.excess(of: entry))) }
            fitted += fit(entry, of: holder, size: sizes[holder] ?? 0, after: fitted)
        }
        noteManyPolicies()
    }

    /// An identity with policies of its own.
    fileprivate struct Holder: Hashable {
        var principal: Principal?
        var keys: String?
    }

    private func fit(_ entry: Entry, of holder: Holder, size: Int, after others: [Entry]) -> [Entry] {
        let limit = holder.principal?.inlineLimit
        guard size > limit ?? 0 else { return [entry] }
        let parts = entry.policy.parts(upTo: PolicyLimit.managed)
        guard limit != nil || parts.count > 1 else { return [entry] }
        var known = self
        known.entries += others
        return parts.enumerated().map { index, policy in
            var part = entry
            part.policy = policy
            part.isManaged = limit != nil
            if parts.count > 1 { part.policyName = PolicyName.ofPart(index + 1, of: entry.policyName) }
            if index == 0 {
                part.notes +=
                    limit.map { ["\(Self.tooLong(holder.principal, size, $0)): attach managed policies"] } ?? []
                if parts.count > 1 {
                    part.notes.append(
                        "a managed policy has at most \(PolicyLimit.managed) characters: attach all \(parts.count) parts"
                    )
                }
            } else {
                part.names = entry.names.map { known.nextName($0.part) }
                part.notes = [
                    "part \(index + 1) of \(parts.count) of \(entry.names.first?.description ?? "the policy")"
                ]
            }
            known.entries.append(part)
            return part
        }
    }

    private static func tooLong(_ holder: Principal?, _ size: Int, _ limit: Int) -> String {
        "the inline policies of \(holder?.words ?? "the identity") may have \(limit) characters together, and these have \(size)"
    }

    /// The note for a policy that can't be split.
    private static func excess(of entry: Entry) -> String? {
        let size = entry.policy.size
        switch entry.place {
        case .trust where size > PolicyLimit.trust:
            return "this has \(size) characters, and a trust policy may have \(PolicyLimit.trust): "
                + "have the account's quota for trust policies raised, or let fewer callers assume the role"
        case .repositories where size > PolicyLimit.repository:
            return "this has \(size) characters, and a repository's policy may have \(PolicyLimit.repository): "
                + "let fewer callers in, by a role of the repository's account"
        case .identity, .repositories, .trust: return nil
        }
    }

    /// Notes where an identity would have more managed policies than IAM attaches to it.
    private mutating func noteManyPolicies() {
        for index in entries.indices {
            guard let holder = entries[index].holder, entries.firstIndex(where: { $0.holder == holder }) == index else {
                continue
            }
            let count = entries.count { $0.holder == holder && ($0.isManaged || holder.principal?.inlineLimit == nil) }
            guard count > PolicyLimit.managedOfIdentity else { continue }
            entries[index].notes.append(
                "an identity may have \(PolicyLimit.managedOfIdentity) managed policies, and these are \(count): have the "
                    + "account's quota raised, or use a role for each part of the rules"
            )
        }
    }
}

extension PolicySet.Entry {
    fileprivate var holder: PolicySet.Holder? {
        guard case .identity(let principal, _) = place else { return nil }
        return PolicySet.Holder(principal: principal, keys: keys)
    }

    fileprivate func saying(_ note: String?) -> Self {
        var entry = self
        if let note { entry.notes.append(note) }
        return entry
    }
}

extension Principal {
    /// The most characters of its inline policies together; `nil` if it has managed policies only.
    var inlineLimit: Int? {
        switch kind {
        case .role: PolicyLimit.inlineOfRole
        case .user: PolicyLimit.inlineOfUser
        case .permissionSet: PolicyLimit.inlineOfPermissionSet
        case .federated, .account: nil
        }
    }
}

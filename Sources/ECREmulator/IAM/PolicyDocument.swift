/// An IAM policy of any kind: identity, repository, registry, session, service control or VPC endpoint.
///
/// - Source: IAM User Guide, "Grammar of the IAM JSON policy language"
struct PolicyDocument: Sendable, Equatable {
    var statements: [PolicyStatement] = []
    /// Whether `${…}` is a variable, as from version 2012-10-17 on.
    var hasVariables = false

    /// Evaluates this policy for a request.
    ///
    /// - Parameter isResourcePolicy: Whether the policy belongs to a resource, so that its statements name principals.
    func verdict(on request: AccessRequest, isResourcePolicy: Bool = false) -> PolicyVerdict {
        var verdict = PolicyVerdict.silent
        for statement in statements where statement.covers(request) {
            let reach = isResourcePolicy ? statement.reach(of: request.principal) : .itself
            guard reach != .none else { continue }
            switch (statement.effect, statement.conditions.verdict(on: request)) {
            // A condition that can't be evaluated must not grant access, so an unknown condition counts against the
            // request.
            case (.deny, .holds), (.deny, .unknown): return .denies
            case (.allow, .holds): verdict = max(verdict, reach.allowance)
            default: continue
            }
        }
        return verdict
    }
}

/// The result of one policy for one request, weakest first; the strongest statement decides.
enum PolicyVerdict: Sendable, Comparable {
    case silent
    /// The policy allows the caller's account, which still has to allow the caller.
    case delegates
    case allows
    /// The policy allows one session by name, so that the session policy needn't allow it too.
    case allowsSession
    case denies
}

/// One statement of a policy.
struct PolicyStatement: Sendable, Equatable {
    enum Effect: String, Sendable {
        case allow = "Allow"
        case deny = "Deny"
    }

    /// The names in an element, or with `Not` the names that it excludes.
    enum Names: Sendable, Equatable {
        case only([String])
        case allBut([String])

        /// The names as written, whether included or excluded.
        var listed: [String] {
            switch self {
            case .only(let names), .allBut(let names): names
            }
        }

        func contain(_ isOneOf: (String) -> Bool) -> Bool {
            switch self {
            case .only(let names): names.contains(where: isOneOf)
            case .allBut(let names): !names.contains(where: isOneOf)
            }
        }
    }

    /// How a statement of a resource policy applies to a caller.
    enum Reach: Sendable, Equatable {
        case none
        case account
        case itself
        /// The statement names one session of a role, and only that.
        case session

        var allowance: PolicyVerdict {
            switch self {
            case .none: .silent
            case .account: .delegates
            case .itself: .allows
            case .session: .allowsSession
            }
        }
    }

    var effect: Effect
    var actions: Names
    /// The resources; `nil` in a repository's policy, which applies to that repository.
    var resources: Names?
    /// The principals; `nil` in a policy that is attached to its principal.
    var principals: Names?
    var conditions: [PolicyCondition] = []

    var sid: String?

    /// Whether the statement covers the request's action and resource.
    func covers(_ request: AccessRequest) -> Bool {
        actions.contain { Wildcard.matches(request.action, $0, ignoringCase: true) }
            && (resources?.contain { Wildcard.matchesResource(request.resource, $0) } ?? true)
    }

    func reach(of principal: Principal) -> Reach {
        switch principals {
        case nil: .none
        case .only(let names):
            if principal.roleARN != nil, names.contains(principal.arn) || (names.contains("*") && testsPrincipalARN) {
                .session
            } else if names.contains(where: principal.isNamed) {
                .itself
            } else if names.contains(where: principal.isOfAccount) {
                .account
            } else {
                .none
            }
        case .allBut(let names): principal.isExcluded(byNotPrincipal: names) ? .none : .itself
        }
    }

    /// Whether a condition tests the principal's ARN: with `*` as principal, the statement then grants a role's sessions
    /// even what their session policies omit.
    ///
    /// - Source: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access"
    private var testsPrincipalARN: Bool { conditions.contains { $0.key == "aws:principalarn" } }
}

extension Principal {
    /// Whether a name in a policy matches this caller: `*`, a user, a role with all its sessions, or one session.
    func isNamed(_ name: String) -> Bool { name == "*" || name == arn || name == roleARN }

    /// Whether `NotPrincipal` excludes this caller: it must list every name of the caller, and the name of its account.
    ///
    /// If one of them is missing, AWS "might deny access to the entire account".
    /// - Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal"
    func isExcluded(byNotPrincipal names: [String]) -> Bool {
        if names.contains("*") { return true }
        return names.contains(where: isOfAccount) && names.contains(arn) && (roleARN.map(names.contains) ?? true)
    }

    /// Whether a name matches the caller's account: its id or its root.
    func isOfAccount(_ name: String) -> Bool {
        name == account || name == "arn:\(partition):iam::\(account):root"
    }
}

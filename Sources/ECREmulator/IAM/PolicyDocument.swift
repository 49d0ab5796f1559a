/// A policy of IAM: identity, repository, registry, session, service control or VPC endpoint, all in one language.
///
/// - Source: IAM User Guide, "Grammar of the IAM JSON policy language"
struct PolicyDocument: Sendable, Equatable {
    var statements: [PolicyStatement] = []
    /// Whether `${…}` in it stands for something: from version 2012-10-17 on.
    var hasVariables = false

    /// What this policy says of a request.
    ///
    /// - Parameter hangsOnResource: Whether it is a resource's own, so that it says to whom it speaks.
    func verdict(on request: AccessRequest, hangsOnResource: Bool = false) -> PolicyVerdict {
        var verdict = PolicyVerdict.silent
        for statement in statements where statement.covers(request) {
            let reach = hangsOnResource ? statement.reach(of: request.principal) : .itself
            guard reach != .none else { continue }
            switch (statement.effect, statement.conditions.verdict(on: request)) {
            // What can't be judged must not open a door, nor leave one open that was to be shut.
            case (.deny, .holds), (.deny, .unknown): return .denies
            case (.allow, .holds): verdict = max(verdict, reach.allowance)
            default: continue
            }
        }
        return verdict
    }
}

/// What one policy says of one request; of two statements the later one here counts.
enum PolicyVerdict: Sendable, Comparable {
    case silent
    /// Allows the caller's account, which has still to allow the caller.
    case delegates
    case allows
    /// Allows one session by its own name, which the silence of its session policy can't take back.
    case allowsSession
    case denies
}

/// One statement of a policy.
struct PolicyStatement: Sendable, Equatable {
    enum Effect: String, Sendable {
        case allow = "Allow"
        case deny = "Deny"
    }

    /// What an element names, or with `Not` what it leaves out.
    enum Names: Sendable, Equatable {
        case only([String])
        case allBut([String])

        /// As they are written, whether they are meant or left out.
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

    /// How a statement of a resource's policy reaches a caller.
    enum Reach: Sendable, Equatable {
        case none
        case account
        case itself
        /// One session of a role, and none beside it.
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
    /// `nil` in a repository's policy: that repository.
    var resources: Names?
    /// `nil` where the policy hangs on whom it speaks of.
    var principals: Names?
    var conditions: [PolicyCondition] = []

    var sid: String?

    /// Whether it speaks of the request's action and resource.
    func covers(_ request: AccessRequest) -> Bool {
        actions.contain { Wildcard.matches(request.action, $0, ignoringCase: true) }
            && (resources?.contain { Wildcard.matchesResource(request.resource, $0) } ?? true)
    }

    func reach(of principal: Principal) -> Reach {
        switch principals {
        case nil: .none
        case .only(let names):
            if principal.roleARN != nil, names.contains(principal.arn) || (names.contains("*") && asksWhoCalls) {
                .session
            } else if names.contains(where: principal.isNamed) {
                .itself
            } else if names.contains(where: principal.isOfAccount) {
                .account
            } else {
                .none
            }
        case .allBut(let names): principal.isLeftOut(by: names) ? .none : .itself
        }
    }

    /// A policy that lets in everybody who is a certain role means its sessions, whatever their keys were cut down to.
    ///
    /// - Source: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access"
    private var asksWhoCalls: Bool { conditions.contains { $0.key == "aws:principalarn" } }
}

extension Principal {
    /// A policy names everybody, a user, a role and with it all its sessions, or one session.
    func isNamed(_ name: String) -> Bool { name == "*" || name == arn || name == roleARN }

    /// Whether `NotPrincipal` leaves one out: by every name that it goes by, the account's among them.
    ///
    /// With one of them missing, AWS "might deny access to the entire account".
    /// - Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal"
    func isLeftOut(by names: [String]) -> Bool {
        if names.contains("*") { return true }
        return names.contains(where: isOfAccount) && names.contains(arn) && (roleARN.map(names.contains) ?? true)
    }

    /// An account is named by its number or by its root.
    func isOfAccount(_ name: String) -> Bool {
        name == account || name == "arn:\(partition):iam::\(account):root"
    }
}

internal import FoundationEssentials

/// A request for permission: a principal, an action, a resource.
struct AccessRequest: Sendable {
    var principal: Principal
    /// The action with its service, for example `ecr:PutImage`.
    var action: String
    /// The resource: an ARN, or `*` for an action that isn't on a repository.
    var resource: String
    /// The account that the resource belongs to.
    var owner: String
    /// The values of condition keys, by lowercase name.
    var context: [String: String] = [:]

    var isOfECR: Bool { action.hasPrefix("ecr:") }
}

/// The kinds of policies, as AccessDenied names them.
enum PolicyKind: String, Sendable {
    case identity = "identity-based policy"
    case resource = "resource-based policy"
    case session = "session policy"
    case serviceControl = "service control policy"
    case endpoint = "VPC endpoint policy"
}

/// The reason why a request is refused.
///
/// - Source: docs/facts/permissions.md#texts-of-refusals; IAM User Guide, "Troubleshoot access denied error messages"
enum AccessRefusal: Sendable, Equatable {
    case explicit(PolicyKind)
    case implicit(PolicyKind)

    func text(_ action: String) -> String {
        switch self {
        case .explicit(let kind):
            "with an explicit deny in \(kind == .identity ? "an" : "a") \(kind.rawValue)"
        case .implicit(let kind): "because no \(kind.rawValue) allows the \(action) action"
        }
    }
}

/// All policies except those of repositories and registries, which are passed with the request.
struct AccessRules: Sendable, Equatable {
    /// Whether policies decide; if not, a valid key may do everything.
    var isEnforced = false
    /// The identity policies by ARN of the user or role; a principal that isn't listed may do everything.
    var identity: [String: [PolicyDocument]] = [:]
    /// The trust policies by ARN of the role.
    var trust: [String: PolicyDocument] = [:]
    /// The service control policies by account.
    var serviceControl: [String: PolicyDocument] = [:]
    /// The policy of the VPC endpoint through which all requests to ECR arrive; other services would have their own
    /// endpoints.
    var endpoint: PolicyDocument?
    var endpointID: String?
    /// The times when sessions were revoked, by ARN of the role: older sessions may do nothing, enforced or not.
    var sessionsEnded: [String: Date] = [:]

    /// Evaluates all policies as IAM does.
    ///
    /// One denial anywhere is enough. Service control, endpoint and session policies only limit and grant nothing.
    /// Within an account either the identity's policy or the resource's grants; across accounts both have to, and a
    /// resource policy that names an account doesn't yet grant anything to the account's identities. Within an account,
    /// a resource policy that names one session grants it even what its session policy omits.
    /// - Returns: `nil` when the request is allowed.
    /// - Source: docs/facts/permissions.md#across-accounts; IAM User Guide, "Policy evaluation logic"
    func refusal(of request: AccessRequest, resourcePolicies: [PolicyDocument] = []) -> AccessRefusal? {
        let principal = request.principal
        if isEnded(principal) { return .explicit(.identity) }
        guard isEnforced else { return nil }
        let limits: [(PolicyKind, PolicyVerdict)] = [
            (.serviceControl, serviceControl[principal.account]?.verdict(on: request)),
            (.endpoint, request.isOfECR ? endpoint?.verdict(on: request, isResourcePolicy: true) : nil),
            (.session, principal.sessionPolicy?.verdict(on: request)),
        ]
        .compactMap { kind, verdict in verdict.map { (kind, $0) } }
        let given = identityVerdict(on: request)
        let granted = resourcePolicies.map { $0.verdict(on: request, isResourcePolicy: true) }

        if let limit = limits.first(where: { $0.1 == .denies }) { return .explicit(limit.0) }
        if granted.contains(.denies) { return .explicit(.resource) }
        if given == .denies { return .explicit(.identity) }
        let isOwn = principal.account == request.owner
        let namesSession = isOwn && granted.contains(.allowsSession)
        if let limit = limits.first(where: { $0.1 == .silent && !($0.0 == .session && namesSession) }) {
            return .implicit(limit.0)
        }

        if isOwn { return given == .allows || granted.contains { $0 >= .allows } ? nil : .implicit(.identity) }
        guard given == .allows else { return .implicit(.identity) }
        return granted.contains { $0 >= .delegates } ? nil : .implicit(.resource)
    }

    /// Whether "Revoke active sessions" ended the session; on AWS it attaches the policy `AWSRevokeOlderSessions` to
    /// the role.
    private func isEnded(_ principal: Principal) -> Bool {
        guard let issued = principal.issued, let role = principal.roleARN, let end = sessionsEnded[role] else {
            return false
        }
        return issued <= end
    }

    private func identityVerdict(on request: AccessRequest) -> PolicyVerdict {
        let principal = request.principal
        guard let policies = identity[principal.roleARN ?? principal.arn] else { return .allows }
        let verdicts = policies.map { $0.verdict(on: request) }
        if verdicts.contains(.denies) { return .denies }
        return verdicts.contains(.allows) ? .allows : .silent
    }

    /// Returns the values of a request's condition keys.
    func context(of principal: Principal, region: String) -> [String: String] {
        var context = [
            "aws:principalaccount": principal.account,
            "aws:principalarn": principal.roleARN ?? principal.arn,
            "aws:principaltype": principal.roleARN == nil ? "User" : "AssumedRole",
            "aws:requestedregion": region,
            // The emulator has no TLS, but ECR can't be reached without it: policies that test for it must behave as on
            // AWS.
            "aws:securetransport": "true",
            "aws:userid": principal.userID,
        ]
        if principal.roleARN == nil {
            context["aws:username"] = principal.arn.split(separator: "/").last.map(String.init)
        }
        // The keys of a role's session never report an MFA code, not even where the role's trust policy required one
        // (IAM User Guide, "Secure API access with MFA"); long-term keys don't have the condition key at all.
        if principal.roleARN != nil { context["aws:multifactorauthpresent"] = "false" }
        context["aws:sourcevpce"] = endpointID
        return context
    }
}

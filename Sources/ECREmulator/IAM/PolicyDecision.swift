internal import FoundationEssentials

/// What somebody wants to do to something.
struct AccessRequest: Sendable {
    var principal: Principal
    /// With its service, for example `ecr:PutImage`.
    var action: String
    /// An ARN, or `*` for what belongs to no repository.
    var resource: String
    /// The account that the resource belongs to.
    var owner: String
    /// By lowercase name: what conditions ask for.
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

/// Why a request is refused.
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

/// Every policy but those of repositories and registries, which come with the question.
struct AccessRules: Sendable, Equatable {
    /// Without it a good key may do everything.
    var isEnforced = false
    /// By ARN of the user or role; whoever isn't here may do everything.
    var identity: [String: [PolicyDocument]] = [:]
    /// By ARN of the role.
    var trust: [String: PolicyDocument] = [:]
    /// By account.
    var serviceControl: [String: PolicyDocument] = [:]
    /// Of the VPC endpoint that every request to ECR comes through; other services would have their own.
    var endpoint: PolicyDocument?
    var endpointID: String?
    /// By ARN of the role: sessions that were given out before are worth nothing, enforced or not.
    var sessionsEnded: [String: Date] = [:]

    /// Weighs all policies as IAM does.
    ///
    /// One denial anywhere is enough. Service control, endpoint and session policies are limits, which give nothing.
    /// Within an account either the identity's policy or the resource's gives; across accounts both have to, and an
    /// account that a resource names gives nothing to its identities by that alone. Within an account, a resource's policy
    /// that names one session gives it what its session policy leaves out.
    /// - Returns: `nil` when it is allowed.
    /// - Source: docs/facts/permissions.md#across-accounts; IAM User Guide, "Policy evaluation logic"
    func refusal(of request: AccessRequest, resourcePolicies: [PolicyDocument] = []) -> AccessRefusal? {
        let principal = request.principal
        if isEnded(principal) { return .explicit(.identity) }
        guard isEnforced else { return nil }
        let limits: [(PolicyKind, PolicyVerdict)] = [
            (.serviceControl, serviceControl[principal.account]?.verdict(on: request)),
            (.endpoint, request.isOfECR ? endpoint?.verdict(on: request, hangsOnResource: true) : nil),
            (.session, principal.sessionPolicy?.verdict(on: request)),
        ]
        .compactMap { kind, verdict in verdict.map { (kind, $0) } }
        let given = identityVerdict(on: request)
        let granted = resourcePolicies.map { $0.verdict(on: request, hangsOnResource: true) }

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

    /// The policy that "Revoke active sessions" hangs on a role, `AWSRevokeOlderSessions`.
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

    /// What the conditions of policies can ask of a request.
    func context(of principal: Principal, region: String) -> [String: String] {
        var context = [
            "aws:principalaccount": principal.account,
            "aws:principalarn": principal.roleARN ?? principal.arn,
            "aws:principaltype": principal.roleARN == nil ? "User" : "AssumedRole",
            "aws:requestedregion": region,
            // There is no TLS here, but ECR has no door without it: what a policy says of that is to be tried as it is there.
            "aws:securetransport": "true",
            "aws:userid": principal.userID,
        ]
        if principal.roleARN == nil {
            context["aws:username"] = principal.arn.split(separator: "/").last.map(String.init)
        }
        // Keys of a role never tell of a code, not even where its trust policy asked for one (IAM User Guide, "Secure API
        // access with MFA"); long-term keys don't have the key at all.
        if principal.roleARN != nil { context["aws:multifactorauthpresent"] = "false" }
        context["aws:sourcevpce"] = endpointID
        return context
    }
}

internal import FoundationEssentials

/// The members of AssumeRole that matter here.
struct AssumeRoleRequest: Sendable {
    var roleARN: String
    var sessionName: String
    var externalID: String?
    var seconds = 3_600
    /// A session policy, as JSON.
    var policy: String?
    /// Of the device, and what it shows.
    var serial: String?
    var code: String?
    /// What it would need further permissions for.
    var furtherActions: [String] = []
}

/// The members of AssumeRoleWithWebIdentity that matter here.
struct WebIdentityRequest: Sendable {
    var roleARN: String
    var sessionName: String
    var token: String
    var seconds = 3_600
    var policy: String?
}

/// Who may take which role, and for how long.
///
/// - Source: docs/facts/identity.md#sts
extension Identities {
    /// In seconds: of a session that was taken from another role's.
    static let longestChainedSession = 3_600

    /// Gives out a session of a role.
    ///
    /// A role that isn't listed may be taken by anybody in its partition, as long as its account is one of ours.
    /// - Throws: `AccessDenied`, `RegionDisabledException`, `ValidationError`, `MalformedPolicyDocument`
    mutating func assume(
        _ request: AssumeRoleRequest,
        by caller: Principal,
        now: Date,
        rules: AccessRules = AccessRules(),
        region: String = ""
    ) throws(ServiceFault) -> (id: String, session: Session) {
        let name = try checked(request.roleARN, request.sessionName, request.seconds)
        if caller.roleARN != nil, request.seconds > Self.longestChainedSession {
            throw ServiceFault(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
            )
        }
        let role = roles.first { $0.arn == request.roleARN }
        let denied = "User: \(caller.arn) is not authorized to perform: sts:AssumeRole on resource: \(request.roleARN)"
        let written = rules.trust[request.roleARN]
        guard name.partition == caller.partition, let account = account(of: name),
            written != nil || role?.trusts(caller, request) ?? true
        else { throw ServiceFault("AccessDenied", denied, status: 403) }
        var context = rules.context(of: caller, region: region)
        context["sts:externalid"] = request.externalID
        context["sts:rolesessionname"] = request.sessionName
        // What code it was is looked at below.
        if request.code != nil { context["aws:multifactorauthpresent"] = "true" }
        // A trust policy is a resource's policy; without one, what is asked for is checked above.
        let trusted = role?.names(caller) == true ? caller.roleARN ?? caller.arn : caller.account
        let trust = PolicyDocument(statements: [
            PolicyStatement(effect: .allow, actions: .only(["sts:*"]), principals: .only([trusted]))
        ])
        for action in ["sts:AssumeRole"] + request.furtherActions {
            let refused = denied.replacing("sts:AssumeRole", with: action)
            let question = AccessRequest(
                principal: caller,
                action: action,
                resource: request.roleARN,
                owner: name.account,
                context: context
            )
            // Nobody assumes a role whose trust policy is silent, whatever their own policies allow.
            if rules.isEnforced, let written, written.verdict(on: question, hangsOnResource: true) < .delegates {
                throw ServiceFault("AccessDenied", refused, status: 403)
            }
            guard let refusal = rules.refusal(of: question, resourcePolicies: [written ?? trust]) else { continue }
            throw ServiceFault(
                "AccessDenied",
                "\(refused) \(refusal.text(action))",
                status: 403
            )
        }
        try Self.checkCode(of: request, shownBy: role?.device)
        try account.check(region: region)
        try role?.check(seconds: request.seconds)
        let policy = try Self.sessionPolicy(request.policy)
        return openSession(of: name, named: request.sessionName, for: Double(request.seconds), now: now) { principal in
            principal.sessionPolicy = policy
        }
    }

    /// Gives out a session to whom a token speaks of.
    ///
    /// - Parameter region: `nil` where nobody can say which it was.
    /// - Throws: `AccessDenied`, `InvalidIdentityToken`, `ExpiredTokenException`, `RegionDisabledException`,
    ///   `ValidationError`
    mutating func assume(
        _ request: WebIdentityRequest,
        now: Date,
        region: String? = nil
    ) throws(ServiceFault) -> (id: String, session: Session, token: WebIdentityToken) {
        let name = try checked(request.roleARN, request.sessionName, request.seconds)
        let token = try WebIdentityToken(parsing: request.token)
        guard token.expires > now else {
            throw ServiceFault(
                WebIdentityToken.expiry,
                "Token expired: current date/time \(Int(now.timeIntervalSince1970)) must be before the expiration "
                    + "date/time \(Int(token.expires.timeIntervalSince1970))"
            )
        }
        let denied = ServiceFault(
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            status: 403
        )
        guard let role = roles.first(where: { $0.arn == request.roleARN }), let trusted = role.webIdentity,
            let account = account(of: name), region.map({ AWSPartition(ofRegion: $0) == account.partition }) ?? true
        else { throw denied }
        guard token.issuer == trusted.issuer else {
            throw ServiceFault(
                "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for \(token.issuer)"
            )
        }
        guard token.audiences.contains(trusted.audience) else {
            throw ServiceFault("InvalidIdentityToken", "Incorrect token audience")
        }
        guard Wildcard.matches(token.subject, trusted.subject) else { throw denied }
        if let region { try account.check(region: region) }
        try role.check(seconds: request.seconds)
        let policy = try Self.sessionPolicy(request.policy)
        let (id, session) = openSession(
            of: name,
            named: request.sessionName,
            for: Double(request.seconds),
            now: now
        ) { $0.sessionPolicy = policy }
        return (id, session, token)
    }

    /// The account that a role belongs to, if it is one in that partition.
    private func account(of role: RoleName) -> EmulatorConfiguration.Account? {
        accounts.first { $0.id == role.account && $0.partition.rawValue == role.partition }
    }

    private func checked(_ arn: String, _ sessionName: String, _ seconds: Int) throws(ServiceFault) -> RoleName {
        guard let name = RoleName(arn: arn) else { throw ServiceFault("ValidationError", "\(arn) is invalid") }
        guard (2...64).contains(sessionName.utf8.count), sessionName.utf8.allSatisfy(Self.isOfSessionName) else {
            throw ServiceFault("ValidationError", "1 validation error detected: Value at 'roleSessionName' is invalid")
        }
        guard (900...43_200).contains(seconds) else {
            throw ServiceFault(
                "ValidationError",
                "1 validation error detected: Value '\(seconds)' at 'durationSeconds' failed to satisfy "
                    + "constraint: Member must have value between 900 and 43200"
            )
        }
        return name
    }

    /// - Throws: `AccessDenied` for another code than the device's, and for any where there is no device.
    private static func checkCode(
        of request: AssumeRoleRequest,
        shownBy device: EmulatorConfiguration.Device?
    ) throws(ServiceFault) {
        guard request.serial != nil || request.code != nil else { return }
        guard request.serial == device?.serial, request.code == device?.code else {
            throw ServiceFault(
                "AccessDenied",
                "MultiFactorAuthentication failed with invalid MFA one time pass code. ",
                status: 403
            )
        }
    }

    /// - Source: docs/facts/identity.md#sts
    private static func isOfSessionName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_+=,.@-".utf8.contains(byte)
        }
    }

    /// In characters, of a session's policy (docs/facts/identity.md#sts).
    private static let longestSessionPolicy = 2_048

    private static func sessionPolicy(_ text: String?) throws(ServiceFault) -> PolicyDocument? {
        guard let text else { return nil }
        guard text.count <= longestSessionPolicy else {
            throw ServiceFault(
                "ValidationError",
                "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less "
                    + "than or equal to \(longestSessionPolicy)"
            )
        }
        do {
            return try PolicyDocument(parsing: text, as: .session)
        } catch {
            throw ServiceFault("MalformedPolicyDocument", "The policy is malformed: \(error)")
        }
    }
}

extension EmulatorConfiguration.Account {
    /// Whether STS may give out keys of this account in a region.
    ///
    /// The caller's own account has been asked before: in a region it hasn't enabled, its keys are unknown.
    /// - Throws: `RegionDisabledException`
    /// - Source: docs/facts/identity.md#sts; the text as others have quoted it (turbot/steampipe-plugin-aws#1510)
    fileprivate func check(region: String) throws(ServiceFault) {
        guard disabledRegions.contains(region) else { return }
        throw ServiceFault(
            "RegionDisabledException",
            "STS is not activated in this region for account:\(id). Your account administrator can activate STS in this "
                + "region using the IAM Console.",
            status: 403
        )
    }
}

extension EmulatorConfiguration.Role {
    /// Whether its trust policy allows the caller, but for a device's code.
    fileprivate func trusts(_ caller: Principal, _ request: AssumeRoleRequest) -> Bool {
        guard externalID == nil || externalID == request.externalID else { return false }
        guard device == nil || (request.serial != nil && request.code != nil) else { return false }
        guard trustedAccounts != nil || trustedPrincipals != nil else { return true }
        return trustedAccounts?.contains(caller.account) == true || names(caller)
            || trustedPrincipals?.contains(where: caller.isOfAccount) == true
    }

    /// Whether the caller itself is trusted, and not only its account, which has still to allow it.
    fileprivate func names(_ caller: Principal) -> Bool {
        trustedPrincipals?.contains { pattern in
            Wildcard.matchesARN(caller.arn, pattern) || caller.roleARN.map { Wildcard.matchesARN($0, pattern) } ?? false
        } ?? false
    }

    /// - Throws: `ValidationError`
    fileprivate func check(seconds: Int) throws(ServiceFault) {
        guard seconds <= longestSession else {
            throw ServiceFault(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
            )
        }
    }
}

internal import FoundationEssentials

/// The members of AssumeRole that the emulator uses.
struct AssumeRoleRequest: Sendable {
    var roleARN: String
    var sessionName: String
    var externalID: String?
    var seconds = 3_600
    /// The session policy, as JSON.
    var policy: String?
    /// The MFA device's serial number.
    var serial: String?
    /// The code that the MFA device shows.
    var code: String?
    /// Other actions that the request needs permission for.
    var furtherActions: [String] = []
}

/// The members of AssumeRoleWithWebIdentity that the emulator uses.
struct WebIdentityRequest: Sendable {
    var roleARN: String
    var sessionName: String
    var token: String
    var seconds = 3_600
    var policy: String?
}

/// The rules for assuming roles: which caller may assume which role, and for how long.
///
/// - Source: docs/facts/identity.md#sts
extension Identities {
    /// The longest session that a role's session may open for another role, in seconds.
    static let longestChainedSession = 3_600

    /// Opens a session of a role.
    ///
    /// A role that isn't listed can be assumed by any caller in its partition, if its account is emulated.
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
        // The code itself is checked below.
        if request.code != nil { context["aws:multifactorauthpresent"] = "true" }
        // A trust policy is a resource policy. Without one, the role's own conditions are checked above.
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
            // A trust policy that doesn't allow the caller refuses it, whatever the caller's own policies allow.
            if rules.isEnforced, let written, written.verdict(on: question, isResourcePolicy: true) < .delegates {
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

    /// Opens a session for the subject of a token.
    ///
    /// - Parameter region: The region of the request; `nil` where it isn't known.
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

    /// Returns the account that a role belongs to, if it is an account of the role's partition.
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

    /// - Throws: `AccessDenied` for a wrong code, and for any code where there is no device.
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

    /// The longest session policy, in characters (docs/facts/identity.md#sts).
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
    /// Checks that STS may issue keys of this account in a region.
    ///
    /// The caller's own account was checked earlier: a region that it hasn't enabled doesn't know its keys.
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
    /// Whether the role trusts the caller, apart from an MFA code.
    fileprivate func trusts(_ caller: Principal, _ request: AssumeRoleRequest) -> Bool {
        guard externalID == nil || externalID == request.externalID else { return false }
        guard device == nil || (request.serial != nil && request.code != nil) else { return false }
        guard trustedAccounts != nil || trustedPrincipals != nil else { return true }
        return trustedAccounts?.contains(caller.account) == true || names(caller)
            || trustedPrincipals?.contains(where: caller.isOfAccount) == true
    }

    /// Whether the role trusts the caller itself, and not only its account, which would have to allow the caller too.
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

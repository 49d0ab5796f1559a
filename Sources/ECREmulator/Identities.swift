internal import Content
internal import FoundationEssentials

/// Who called.
struct Principal: Codable, Sendable, Equatable {
    var account: String
    var arn: String
    var userID: String
}

/// The credentials this cloud knows: one key per account, and those that AssumeRole gave out.
struct Identities: Sendable {
    struct Session: Expiring {
        var secret: String
        var token: String
        var expires: Date
        var principal: Principal
    }

    let accounts: [EmulatorConfiguration.Account]
    let roles: [EmulatorConfiguration.Role]
    var sessions = ExpiringTable<Session>()

    init(accounts: [EmulatorConfiguration.Account], roles: [EmulatorConfiguration.Role]) {
        self.accounts = accounts
        self.roles = roles
    }

    /// - Throws: `UnrecognizedClientException`, `ExpiredTokenException`
    func credentials(of id: String, token: String?, now: Date) throws(ServiceFault) -> (
        secret: String, principal: Principal
    ) {
        let unknown = ServiceFault(
            "UnrecognizedClientException",
            "The security token included in the request is invalid."
        )
        if let account = accounts.first(where: { $0.accessKeyID == id }) {
            guard token == nil else { throw unknown }
            let arn = "arn:aws:iam::\(account.id):user/emulator"
            return (
                account.secretAccessKey, Principal(account: account.id, arn: arn, userID: "AIDA\(account.id)EMULATOR")
            )
        }
        guard let session = sessions[id], session.token == token else { throw unknown }
        guard session.expires > now else {
            throw ServiceFault("ExpiredTokenException", "The security token included in the request is expired")
        }
        return (session.secret, session.principal)
    }

    /// Gives out a session of a role.
    ///
    /// A role that isn't listed may be taken by anybody, as long as its account is one of ours.
    /// - Throws: `AccessDenied`, `ValidationError`
    mutating func assume(
        _ request: AssumeRoleRequest,
        by caller: Principal,
        now: Date
    ) throws(ServiceFault) -> (id: String, session: Session) {
        let parts = request.roleARN.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
            .map(String.init)
        guard parts.count == 6, parts[2] == "iam", parts[5].hasPrefix("role/"),
            (20...2_048).contains(request.roleARN.count)
        else { throw ServiceFault("ValidationError", "\(request.roleARN) is invalid") }
        guard (2...64).contains(request.sessionName.count) else {
            throw ServiceFault("ValidationError", "1 validation error detected: Value at 'roleSessionName' is invalid")
        }
        guard (900...43_200).contains(request.seconds) else {
            throw ServiceFault(
                "ValidationError",
                "1 validation error detected: Value '\(request.seconds)' at 'durationSeconds' failed to satisfy "
                    + "constraint: Member must have value between 900 and 43200"
            )
        }
        let role = roles.first { $0.arn == request.roleARN }
        let allowed =
            accounts.contains { $0.id == parts[4] }
            && (role?.externalID == nil || role?.externalID == request.externalID)
            && (role?.trustedAccounts.map { $0.contains(caller.account) } ?? true)
        guard allowed else {
            throw ServiceFault(
                "AccessDenied",
                "User: \(caller.arn) is not authorized to perform: sts:AssumeRole on resource: \(request.roleARN)",
                status: 403
            )
        }
        let name = parts[5].split(separator: "/").last.map(String.init) ?? ""
        let id = "ASIA" + RandomText.uppercase(16)
        let session = Session(
            secret: RandomText.mixed(40),
            token: RandomText.mixed(380),
            expires: now.addingTimeInterval(Double(request.seconds)),
            principal: Principal(
                account: parts[4],
                arn: "arn:aws:sts::\(parts[4]):assumed-role/\(name)/\(request.sessionName)",
                userID: "AROA\(sha256Hex(request.roleARN.utf8).prefix(16).uppercased()):\(request.sessionName)"
            )
        )
        sessions.insert(session, for: id, at: now)
        return (id, session)
    }
}

/// The members of AssumeRole that matter here.
struct AssumeRoleRequest: Sendable {
    var roleARN: String
    var sessionName: String
    var externalID: String?
    var seconds = 3_600
}

/// Text nobody can guess.
enum RandomText {
    static func uppercase(_ count: Int) -> String { pick(count, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") }

    static func mixed(_ count: Int) -> String {
        pick(count, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    }

    static func hexadecimal(_ count: Int) -> String { pick(count, "0123456789abcdef") }

    private static func pick(_ count: Int, _ alphabet: String) -> String {
        let letters = Array(alphabet.utf8)
        var generator = SystemRandomNumberGenerator()
        let picked = (0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] }
        return String(decoding: picked, as: UTF8.self)
    }
}

internal import Content
internal import FoundationEssentials

/// The caller of a request: a user, an account, or a role's session.
struct Principal: Sendable, Equatable {
    var account: String
    var arn: String
    var userID: String
    /// The ARN of the session's role, which policies name; `nil` for a caller that isn't a session.
    var roleARN: String?
    var sessionPolicy: PolicyDocument?
    /// The time when the session was opened; `nil` for a caller that isn't a session.
    var issued: Date?
    /// The id of the key that signed the request.
    var accessKeyID = ""

    /// The partition in the caller's ARN.
    var partition: String {
        let parts = arn.split(separator: ":", maxSplits: 2)
        return parts.count == 3 ? String(parts[1]) : AWSPartition.commercial.rawValue
    }
}

/// All known credentials: those of accounts and users, and those issued for roles.
struct Identities: Sendable {
    struct Session: Expiring {
        var secret: String
        var token: String
        var expires: Date
        var principal: Principal
    }

    let accounts: [EmulatorConfiguration.Account]
    let users: [EmulatorConfiguration.User]
    let roles: [EmulatorConfiguration.Role]
    var sessions = ExpiringTable<Session>()
    /// The ids of revoked keys.
    var revoked: Set<String> = []

    init(
        accounts: [EmulatorConfiguration.Account],
        users: [EmulatorConfiguration.User] = [],
        roles: [EmulatorConfiguration.Role]
    ) {
        self.accounts = accounts
        self.users = users
        self.roles = roles
    }

    private static let unknown = ServiceFault(
        "UnrecognizedClientException",
        "The security token included in the request is invalid."
    )

    /// Checks that a region knows the caller: it knows the keys of accounts in its partition that have enabled it.
    ///
    /// - Throws: `UnrecognizedClientException`
    func admit(_ caller: Principal, to region: String) throws(ServiceFault) {
        let account = accounts.first { $0.id == caller.account }
        guard caller.partition == AWSPartition(ofRegion: region).rawValue,
            account?.disabledRegions.contains(region) != true
        else { throw Self.unknown }
    }

    /// - Throws: `UnrecognizedClientException`, `ExpiredTokenException`
    func credentials(of id: String, token: String?, now: Date) throws(ServiceFault) -> (
        secret: String, principal: Principal
    ) {
        guard !revoked.contains(id) else { throw Self.unknown }
        if let owner = owner(of: id) {
            guard token == nil else { throw Self.unknown }
            return owner
        }
        guard let session = sessions[id], session.token == token else { throw Self.unknown }
        guard session.expires > now else {
            throw ServiceFault("ExpiredTokenException", "The security token included in the request is expired")
        }
        return (session.secret, session.principal)
    }

    /// Returns the principal that a key belongs to, even if the key is no longer valid.
    func holder(of id: String) -> Principal? { owner(of: id)?.principal ?? sessions[id]?.principal }

    /// Returns the account or the user that a long-term key belongs to.
    private func owner(of id: String) -> (secret: String, principal: Principal)? {
        if let account = accounts.first(where: { $0.accessKeyID == id }) {
            let caller = Principal(
                account: account.id,
                arn: "arn:\(account.partition.rawValue):iam::\(account.id):user/emulator",
                userID: "AIDA\(account.id)EMULATOR",
                accessKeyID: id
            )
            return (account.secretAccessKey, caller)
        }
        guard let user = users.first(where: { $0.accessKeyID == id }) else { return nil }
        let caller = Principal(
            account: RoleName(arn: user.arn, kind: "user")?.account ?? "",
            arn: user.arn,
            userID: "AIDA\(sha256Hex(user.arn.utf8).prefix(16).uppercased())",
            accessKeyID: id
        )
        return (user.secretAccessKey, caller)
    }

    /// Issues keys for a role, without checking the caller.
    ///
    /// - Parameter configure: Sets the principal's members besides its name.
    mutating func openSession(
        of role: RoleName,
        named sessionName: String,
        for seconds: Double,
        now: Date,
        _ configure: (inout Principal) -> Void = { _ in }
    ) -> (id: String, session: Session) {
        let id = "ASIA" + RandomText.uppercase(16)
        var principal = Principal(
            account: role.account,
            arn: "arn:\(role.partition):sts::\(role.account):assumed-role/\(role.name)/\(sessionName)",
            userID: "AROA\(sha256Hex(role.arn.utf8).prefix(16).uppercased()):\(sessionName)",
            roleARN: role.arn,
            issued: now,
            accessKeyID: id
        )
        configure(&principal)
        let session = Session(
            secret: RandomText.mixed(40),
            token: RandomText.mixed(380),
            expires: now.addingTimeInterval(seconds),
            principal: principal
        )
        sessions.insert(session, for: id, at: now)
        return (id, session)
    }
}

/// The parts of the ARN of a role or a user.
struct RoleName: Sendable, Equatable {
    let arn: String
    let partition: String
    let account: String
    /// The name, without its path.
    let name: String

    /// - Returns: `nil` if the text isn't the ARN of a role.
    init?(arn: String, kind: String = "role") {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[2] == "iam", parts[5].hasPrefix("\(kind)/"), (20...2_048).contains(arn.count),
            let name = parts[5].split(separator: "/").last
        else { return nil }
        self.arn = arn
        partition = parts[1]
        account = parts[4]
        self.name = String(name)
    }
}

/// Makes random texts that can't be guessed.
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

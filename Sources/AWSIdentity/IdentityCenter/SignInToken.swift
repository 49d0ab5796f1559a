internal import Content
internal import FoundationEssentials
internal import Platform

/// The token file that `aws sso login` writes for one session and other tools share.
///
/// - Source: docs/facts/identity.md#iam-identity-center
struct SignInToken: Sendable {
    let accessToken: String
    let expiresAt: Date
    let renewal: Renewal?
    /// All members of the file; unknown ones are written back too.
    private let members: [String: JSONValue]

    /// The values that renew a session's token, as long as the client's registration is valid.
    struct Renewal: Sendable {
        var clientID: String
        var clientSecret: String
        var refreshToken: String
        var registrationExpiresAt: Date
    }

    /// The longest file that is read, in bytes; real ones have three or four thousand.
    private static let longest = 1 << 20

    /// Returns the path of the file for a session.
    ///
    /// - Parameter name: The session's name; for a profile without a session, the start URL.
    static func path(of name: String, _ environment: AWSEnvironment) -> String {
        "\(environment.home)/.aws/sso/cache/\(sha1Hex(name.utf8)).json"
    }

    /// Reads the file at a path.
    ///
    /// - Returns: `nil` if the file doesn't exist or isn't one that the AWS CLI writes.
    /// - Throws: ``IdentityError`` when the file can't be read.
    init?(at path: String, _ environment: AWSEnvironment) throws {
        guard let text = try environment.text(ofFile: path, limit: Self.longest),
            let members = try? JSONDecoder().decode([String: JSONValue].self, from: Data(text.utf8))
        else { return nil }
        self.init(members)
    }

    private init?(_ members: [String: JSONValue]) {
        func text(_ key: String) -> String? { members[key]?.text.flatMap { $0.isEmpty ? nil : $0 } }
        guard let accessToken = text("accessToken"), let expiresAt = text("expiresAt").flatMap(AWSTime.parse) else {
            return nil
        }
        self.accessToken = accessToken
        self.expiresAt = expiresAt
        self.members = members
        if let clientID = text("clientId"), let clientSecret = text("clientSecret"),
            let refreshToken = text("refreshToken"),
            let registrationExpiresAt = text("registrationExpiresAt").flatMap(AWSTime.parse)
        {
            renewal = Renewal(
                clientID: clientID,
                clientSecret: clientSecret,
                refreshToken: refreshToken,
                registrationExpiresAt: registrationExpiresAt
            )
        } else {
            renewal = nil
        }
    }

    /// Returns the token of the same session with new values.
    func renewed(_ accessToken: String, until expiresAt: Date, refreshToken: String?) -> SignInToken? {
        var members = members
        members["accessToken"] = .text(accessToken)
        members["expiresAt"] = .text(AWSTime.extended(expiresAt))
        if let refreshToken { members["refreshToken"] = .text(refreshToken) }
        return SignInToken(members)
    }

    /// Writes the file.
    ///
    /// - Throws: `SystemError`.
    func write(to path: String) throws {
        try DurableFile.write(Array(try JSONEncoder().encode(members)), to: path)
    }
}

/// A JSON value of any type, which is written back unchanged.
enum JSONValue: Codable, Sendable {
    case null
    case flag(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    var text: String? { if case .text(let text) = self { text } else { nil } }

    init(from decoder: any Decoder) throws {
        let value = try decoder.singleValueContainer()
        if value.decodeNil() {
            self = .null
        } else if let flag = try? value.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? value.decode(Double.self) {
            self = .number(number)
        } else if let text = try? value.decode(String.self) {
            self = .text(text)
        } else if let list = try? value.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try value.decode([String: JSONValue].self))
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        switch self {
        case .null: try value.encodeNil()
        case .flag(let flag): try value.encode(flag)
        case .number(let number): try value.encode(number)
        case .text(let text): try value.encode(text)
        case .list(let list): try value.encode(list)
        case .object(let members): try value.encode(members)
        }
    }
}

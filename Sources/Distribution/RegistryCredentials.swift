public import Content
internal import FoundationEssentials

/// What somebody has stored for a registry.
public enum RegistryCredentials: Hashable, Sendable {
    case password(user: String, password: String)
    /// A refresh token that only a token server takes (OAuth 2), never the registry itself.
    case identityToken(String)
    /// A bearer token for the registry itself, sent as it is; no token server is asked.
    ///
    /// - Source: moby, `api/types/registry/authconfig.go`, `RegistryToken`; oras-go, `credentials`
    case registryToken(String)

    /// The user name under which docker's credential helpers hand out an identity token.
    ///
    /// - Source: docker/docker-credential-helpers, "Development"
    static let tokenUser = "<token>"

    init(user: String, secret: String) {
        self = user == Self.tokenUser ? .identityToken(secret) : .password(user: user, password: secret)
    }

    /// For the registry, or for a token server; `nil` for a token.
    var basic: String? {
        guard case .password(let user, let password) = self else { return nil }
        return BasicAuthorization(user: user, password: password).value
    }

    /// For the registry, where the token is stored; `nil` for everything else.
    var bearer: String? {
        guard case .registryToken(let token) = self else { return nil }
        return "Bearer \(token)"
    }
}

extension RegistryCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String {
        switch self {
        case .password: "a user and a password"
        case .identityToken: "an identity token"
        case .registryToken: "a registry token"
        }
    }
    public var debugDescription: String { description }
    /// Empty, so that `dump` and a failed expectation show no secret.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// What a search for credentials found.
public struct FoundCredentials: Hashable, Sendable {
    public var credentials: RegistryCredentials?
    /// Where they were, or everywhere that was looked, for an error that says they are refused.
    public var place: String
    /// The program that stored them.
    public var tool: LoginTool

    public init(_ credentials: RegistryCredentials?, place: String, tool: LoginTool = .docker) {
        self.credentials = credentials
        self.place = place
        self.tool = tool
    }

    /// For an error about them.
    var note: LoginNote { LoginNote(text: place, tool: credentials == nil ? nil : tool) }
}

/// What an error says of a stored login.
public struct LoginNote: Hashable, Sendable {
    /// Where it is stored, or where one was looked for.
    public var text: String
    /// The program that stored it; `nil` where there is no login.
    public var tool: LoginTool?

    public init(text: String, tool: LoginTool?) {
        self.text = text
        self.tool = tool
    }
}

/// Whoever knows what is stored for one registry.
public protocol CredentialsStoring: Sendable {
    /// - Parameters:
    ///   - repository: Some stores have other credentials for some repositories.
    ///   - rejected: What was found before and is no good: it is looked for anew, since helpers hand out passwords
    ///     that end, and people log in again while a run goes on.
    /// - Throws: ``LoginError`` when what is stored can't be read.
    func credentials(
        for repository: RepositoryName?,
        insteadOf rejected: RegistryCredentials?
    ) async throws -> FoundCredentials
}

/// Why stored credentials can't be had, or aren't sent.
public struct LoginError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Names the file or the helper, never what is in it.
    public let problem: String
    public let remedy: String

    public init(_ problem: String, remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String { "\(problem); \(remedy)" }
}

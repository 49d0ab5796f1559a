public import Content
internal import FoundationEssentials

/// A stored login for a registry.
public enum RegistryCredentials: Hashable, Sendable {
    case password(user: String, password: String)
    /// A refresh token, which only a token server accepts (OAuth 2), never the registry itself.
    case identityToken(String)
    /// A bearer token for the registry itself, sent unchanged; no token server is needed.
    ///
    /// - Source: moby, `api/types/registry/authconfig.go`, `RegistryToken`; oras-go, `credentials`
    case registryToken(String)

    /// The user name with which docker's credential helpers return an identity token.
    ///
    /// - Source: docker/docker-credential-helpers, "Development"
    static let tokenUser = "<token>"

    init(user: String, secret: String) {
        self = user == Self.tokenUser ? .identityToken(secret) : .password(user: user, password: secret)
    }

    /// The Basic credentials for a registry or a token server; `nil` if only OAuth 2 is possible.
    var basic: String? {
        guard case .password(let user, let password) = self else { return nil }
        return BasicAuthorization(user: user, password: password).value
    }

    /// The header for the registry, if a registry token is stored; else `nil`.
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

/// The result of a search for credentials.
public struct FoundCredentials: Hashable, Sendable {
    public var credentials: RegistryCredentials?
    /// The place of the credentials, or all places that were searched, for an error about a refusal.
    public var place: String
    /// The program that stored them.
    public var tool: LoginTool

    public init(_ credentials: RegistryCredentials?, place: String, tool: LoginTool = .docker) {
        self.credentials = credentials
        self.place = place
        self.tool = tool
    }

    /// The note on the credentials for an error.
    var note: LoginNote { LoginNote(text: place, tool: credentials == nil ? nil : tool) }
}

/// The part of an error that is about a stored login.
public struct LoginNote: Hashable, Sendable {
    /// The place of the login, or the places that were searched.
    public var text: String
    /// The program that stored it; `nil` if there is no login.
    public var tool: LoginTool?

    public init(text: String, tool: LoginTool?) {
        self.text = text
        self.tool = tool
    }
}

/// A store of logins for one registry.
public protocol CredentialsStoring: Sendable {
    /// Finds the login for a repository.
    ///
    /// - Parameters:
    ///   - repository: The repository, because a store may have separate logins for some.
    ///   - rejected: A login that was found before and refused. The search is repeated, because passwords of helpers
    ///     expire, and users may log in again during a run.
    /// - Throws: ``LoginError`` if a login can't be read.
    func credentials(
        for repository: RepositoryName?,
        insteadOf rejected: RegistryCredentials?
    ) async throws -> FoundCredentials
}

/// The reason why a stored login can't be read, or isn't sent.
public struct LoginError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The problem, with the name of the file or the helper but none of its content.
    public let problem: String
    public let remedy: String

    public init(_ problem: String, remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }

    public var description: String { "\(problem); \(remedy)" }
}

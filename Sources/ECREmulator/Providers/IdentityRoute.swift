/// A request to one of the services that give a client its first keys.
enum IdentityRoute: Sendable, Equatable {
    /// Identity Center's portal gives a signed-in user the keys of a role.
    case roleCredentials
    /// Identity Center's OIDC service renews a sign-in.
    case createToken
    case container
    case metadataToken
    case metadataRole
    case metadataCredentials(role: String)
    /// Another path of the instance metadata service.
    case metadata

    static let containerPath = "/container/credentials"
    private static let rolesPath = "/latest/meta-data/iam/security-credentials/"

    /// - Parameter path: The path, percent-encoded as on the request line.
    init?(method: String, path: String) {
        switch path {
        case "/federation/credentials": self = .roleCredentials
        case "/token" where method == "POST": self = .createToken
        case Self.containerPath: self = .container
        case "/latest/api/token": self = .metadataToken
        case Self.rolesPath, String(Self.rolesPath.dropLast()): self = .metadataRole
        case _ where path.hasPrefix(Self.rolesPath):
            self = .metadataCredentials(role: String(path.dropFirst(Self.rolesPath.count)).percentDecoded)
        case _ where path.hasPrefix("/latest/"): self = .metadata
        default: return nil
        }
    }

    /// The operation's name in the request log and in faults.
    var operation: String {
        switch self {
        case .roleCredentials: "GetRoleCredentials"
        case .createToken: "CreateToken"
        case .container: "container credentials"
        case .metadataToken: "metadata token"
        case .metadataRole: "metadata role"
        case .metadataCredentials: "metadata credentials"
        case .metadata: "metadata unknown"
        }
    }
}

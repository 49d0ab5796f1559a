/// The program that stored a login, and the one that removes it.
public enum LoginTool: String, Sendable, Hashable {
    case docker, podman

    /// Derives the program from a file's name: podman, skopeo and buildah write `auth.json`, docker writes `config.json`.
    init(storing path: String) {
        self = path.hasSuffix("config.json") || path == DockerConfig.variable ? .docker : .podman
    }
}

/// The commands that log in to a registry, and out of it.
///
/// - Source: docker/cli, `docs/reference/commandline/login.md`; ECR Public User Guide, "Registry authentication in
///   Amazon ECR Public"
public struct LoginCommands: Sendable, Hashable {
    /// The registry as written in references.
    public let registry: String
    public let tool: LoginTool

    /// - Parameter registry: Host and port, from a reference or a request.
    public init(registry: String, tool: LoginTool? = nil) {
        self.registry = Self.dockerHub.contains(registry) ? "docker.io" : registry
        self.tool = tool ?? .docker
    }

    /// The names of Docker Hub.
    private static let dockerHub = ["docker.io", "index.docker.io", "registry-1.docker.io"]

    /// Whether this is ECR Public, whose passwords only AWS's own command makes
    /// (docs/facts/ecr-hosts.md#registry-hosts).
    public var isECRPublic: Bool { ["public.ecr.aws", "ecr-public.aws.com"].contains(registry) }

    private var isDockerHub: Bool { registry == "docker.io" }

    public var login: String {
        guard isECRPublic else {
            return isDockerHub && tool == .docker ? "docker login" : "\(tool.rawValue) login \(registry)"
        }
        return "aws ecr-public get-login-password --region us-east-1 | \(tool.rawValue) login --username AWS "
            + "--password-stdin \(registry)"
    }

    public var logout: String {
        isDockerHub && tool == .docker ? "docker logout" : "\(tool.rawValue) logout \(registry)"
    }
}

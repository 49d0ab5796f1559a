public import Content
internal import FoundationEssentials
public import Logging
internal import Platform

/// The logins that docker and podman have stored for one registry.
///
/// Files are read only when the registry requires credentials. The first file with a login is used; within a file, a
/// helper comes before an entry of the file itself, as for docker.
///
/// - Source: docker/cli, "Configuration files"; containers/image, `containers-auth.json(5)`
public actor StoredLogins: CredentialsStoring {
    private let registry: PlainRegistry
    private let variables: [String: String]
    private let home: String
    private let logger: Logger
    private let clock: any Clock<Duration>
    /// The answers of helpers, which are cached because a helper may take seconds, and may ask the user.
    private var fromHelpers: [String: RegistryCredentials] = [:]

    /// - Parameters:
    ///   - variables: The environment, `PATH` for the helpers included.
    ///   - home: The home directory, without a trailing slash.
    ///   - clock: The clock for the helpers' time limit.
    public init(
        registry: PlainRegistry,
        variables: [String: String],
        home: String,
        logger: Logger,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.registry = registry
        self.variables = variables
        self.home = home
        self.logger = logger
        self.clock = clock
    }

    public func credentials(
        for repository: RepositoryName?,
        insteadOf rejected: RegistryCredentials?
    ) async throws -> FoundCredentials {
        if let rejected { fromHelpers = fromHelpers.filter { $0.value != rejected } }
        var searched: [String] = []
        for path in Self.paths(variables, home: home) {
            guard let config = try Self.config(path, variables) else {
                searched.append("\(path) (missing\(namesFile(path) ? "; DOCKER_CONFIG must name the directory" : ""))")
                continue
            }
            searched.append(path)
            if let helper = config.helper(for: registry.loginNames) {
                let place = "\(helper.member) in \(path)"
                switch try await ask(helper.name, place, isForRegistry: helper.member == "credHelpers") {
                case .found(let found):
                    return FoundCredentials(found, place: "logged in by \(place)", tool: config.tool)
                case .nothing: searched[searched.count - 1] += " and docker-credential-\(helper.name)"
                case .failed(let problem): searched.append(problem)
                }
            }
            if let (found, key) = try config.login(for: registry.loginNames, repository) {
                return FoundCredentials(found, place: "logged in as \(key) in \(path)", tool: config.tool)
            }
        }
        return FoundCredentials(nil, place: "no login for \(registry.authority) in \(searched.joined(separator: ", "))")
    }

    /// The beginning of ``place(ofLoginTo:variables:home:)`` if a helper has the login.
    public static let helperPlace = "credHelpers"

    /// Returns the place where docker or podman stores a login for a registry, without running a helper.
    ///
    /// - Parameter registry: A registry that isn't ECR's.
    public static func place(
        ofLoginTo registry: PlainRegistry,
        variables: [String: String],
        home: String
    ) -> String? {
        registry.loginNames.lazy.compactMap { place(ofLoginTo: $0, variables: variables, home: home) }.first
    }

    /// Returns the place where docker or podman stores a login for a host, without running a helper.
    ///
    /// - Parameter host: The host as in `docker login`.
    /// - Returns: `nil` if no readable file has one.
    public static func place(ofLoginTo host: String, variables: [String: String], home: String) -> String? {
        for path in paths(variables, home: home) {
            guard let config = try? config(path, variables) else { continue }
            if let helper = config.helper(for: [host]), helper.member == "credHelpers" {
                return "\(helperPlace) in \(path) names docker-credential-\(helper.name)"
            }
            if let found = try? config.login(for: [host], nil) { return "\(found.key) in \(path)" }
        }
        return nil
    }

    /// Whether `DOCKER_CONFIG` is set to a file instead of its directory.
    private func namesFile(_ path: String) -> Bool {
        guard let named = variables["DOCKER_CONFIG"], path == "\(named)/config.json" else { return false }
        return FileKind(at: named) == .regular
    }

    private enum Answer {
        case found(RegistryCredentials)
        case nothing
        case failed(String)
    }

    /// Runs a helper, unless its answer is cached.
    ///
    /// - Parameter isForRegistry: Whether the helper is configured for this registry. A helper that is configured for
    ///   all registries may be missing on this machine; that is not an error, because many images are public.
    private func ask(_ name: String, _ place: String, isForRegistry: Bool) async throws -> Answer {
        if let known = fromHelpers[name] { return .found(known) }
        let helper = CredentialHelper(name: name, place: place, variables: variables, clock: clock)
        do {
            guard let found = try await helper.credentials(for: registry.helperAddress) else { return .nothing }
            fromHelpers[name] = found
            return .found(found)
        } catch let error as LoginError where !isForRegistry {
            logger.warning("a credential helper failed and is skipped", metadata: ["reason": "\(error)"])
            return .failed(error.problem)
        }
    }

    /// Reads a file or the variable.
    ///
    /// - Parameter path: The path of a file, or ``DockerConfig/variable``.
    /// - Returns: `nil` if there is no such file.
    private static func config(_ path: String, _ variables: [String: String]) throws(LoginError) -> DockerConfig? {
        guard path == DockerConfig.variable else { return try DockerConfig(path: path) }
        return try DockerConfig(variable: variables[path] ?? "")
    }

    /// Returns the places of logins, in the order in which they are searched.
    ///
    /// docker's variable comes before files, files that a variable names come before those in their usual places, and
    /// docker's before podman's.
    static func paths(_ variables: [String: String], home: String) -> [String] {
        func named(_ name: String) -> String? { variables[name].flatMap { $0.isEmpty ? nil : $0 } }
        let docker = named("DOCKER_CONFIG").map { "\($0)/config.json" }
        let podman = named("REGISTRY_AUTH_FILE")
        var paths = [named(DockerConfig.variable).map { _ in DockerConfig.variable }, docker, podman].compactMap { $0 }
        if docker == nil { paths.append("\(home)/.docker/config.json") }
        if podman == nil {
            if let runtime = named("XDG_RUNTIME_DIR") { paths.append("\(runtime)/containers/auth.json") }
            paths.append("\(named("XDG_CONFIG_HOME") ?? "\(home)/.config")/containers/auth.json")
        }
        return paths
    }
}

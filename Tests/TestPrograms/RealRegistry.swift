/// A docker-registry that runs, on a port of its own.
public struct RealRegistry: Sendable {
    /// Host and port, as clients write them.
    public let authority: String
    /// Where it keeps everything.
    public let root: String

    /// How clients must come to it.
    public enum Door: Sendable {
        case http
        case tls(Certificate)
        /// With ``user`` and ``password``.
        case password
        /// With a token of that server, for ``service``.
        case token(TokenServer)
    }

    /// What it is to a token server.
    public static let service = "tests"

    public static let user = "tester"
    public static let password = "pw"
}

/// A certificate for 127.0.0.1, `localhost` and ``tunnelled``, and its key, as files.
public struct Certificate: Sendable {
    public let file: String
    public let key: String

    /// A host that is nowhere, which a proxy may take for this machine.
    public static let tunnelled = "tunnelled.example"

    /// Makes one that is its own authority.
    ///
    /// - Parameter key: As `openssl req -newkey` wants it.
    public static func make(
        in directory: String,
        key: [String] = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    ) async throws -> Certificate {
        let certificate = Certificate(file: "\(directory)/certificate.pem", key: "\(directory)/key.pem")
        let made = try await run(
            .openssl,
            ["req", "-x509", "-newkey"] + key + [
                "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:\(tunnelled)",
                "-keyout", certificate.key, "-out", certificate.file,
            ]
        )
        guard made.exitCode == 0 else { throw ChildError("openssl: \(made.errors)") }
        return certificate
    }
}

/// Runs `body` while a docker-registry answers, which is ended afterwards.
///
/// - Parameter directory: Exists, and is this registry's alone.
public func withRegistry<Result: Sendable>(
    _ door: RealRegistry.Door = .http,
    in directory: String,
    _ body: (RealRegistry) async throws -> Result
) async throws -> Result {
    let root = "\(directory)/data"
    var settings = """
        version: 0.1
        log: { level: info, accesslog: { disabled: true } }
        storage: { filesystem: { rootdirectory: "\(root)" }, delete: { enabled: true } }
        http:
          addr: "127.0.0.1:0"

        """
    switch door {
    case .http: break
    case .tls(let certificate):
        settings += "  tls: { certificate: \"\(certificate.file)\", key: \"\(certificate.key)\" }\n"
    case .password:
        settings += "auth: { htpasswd: { realm: tests, path: \"\(directory)/htpasswd\" } }\n"
        // bcrypt of `pw`: the only hash that docker-registry takes, and Debian has no tool for it in its base.
        let hash = "$2b$05$abcdefghijklmnopqrstuuHIrMEWpUCQe2YqFR3sXwQ75u4od..9q"
        try write("\(RealRegistry.user):\(hash)\n", to: "\(directory)/htpasswd")
    case .token(let server):
        settings += """
            auth:
              token:
                realm: "\(server.realm)"
                service: \(RealRegistry.service)
                issuer: \(RealRegistry.service)
                rootcertbundle: "\(server.certificate.file)"

            """
    }
    try write(settings, to: "\(directory)/registry.yml")
    return try await withChild(.registry, ["serve", "\(directory)/registry.yml"]) { child in
        let line = try await child.errors.first { $0.contains("listening on 127.0.0.1:") }
        guard let port = line.split(separator: "listening on 127.0.0.1:").last?.prefix(while: \.isNumber) else {
            throw ChildError("no port in: \(line)")
        }
        return try await body(RealRegistry(authority: "127.0.0.1:\(port)", root: root))
    }.result
}

/// Runs `body` while two of them answer.
public func withTwoRegistries<Result: Sendable>(
    in directory: String,
    _ body: (_ source: RealRegistry, _ destination: RealRegistry) async throws -> Result
) async throws -> Result {
    let folders = ["\(directory)/source", "\(directory)/destination"]
    try folders.forEach { try makeDirectory($0) }
    return try await withRegistry(in: folders[0]) { source in
        try await withRegistry(in: folders[1]) { destination in try await body(source, destination) }
    }
}

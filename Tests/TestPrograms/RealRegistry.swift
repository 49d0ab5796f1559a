/// A running docker-registry on a port of its own.
public struct RealRegistry: Sendable {
    /// Host and port, as in a reference.
    public let authority: String
    /// The directory of its storage.
    public let root: String
    /// Its access log, which it writes to standard output.
    let log: LineRecord

    init(authority: String, root: String, log: LineRecord) {
        (self.authority, self.root, self.log) = (authority, root, log)
    }

    /// The credentials that clients need.
    public enum Access: Sendable {
        case http
        case tls(Certificate)
        /// User and password: ``user`` and ``password``.
        case password
        /// A token of that server, for ``service``.
        case token(TokenServer)
    }

    /// The registry's name at a token server.
    public static let service = "tests"

    public static let user = "tester"
    public static let password = "pw"
}

/// A certificate for 127.0.0.1, `localhost` and ``tunnelled``, and its key, as files.
public struct Certificate: Sendable {
    public let file: String
    public let key: String

    /// A host that doesn't exist, for which a proxy may connect to this machine.
    public static let tunnelled = "tunnelled.example"

    /// Makes a self-signed certificate.
    ///
    /// - Parameter key: The key type, as in `openssl req -newkey`.
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

/// Runs `body` while a docker-registry runs, and stops it afterwards.
///
/// - Parameter directory: An existing directory, for this registry only.
public func withRegistry<Result: Sendable>(
    _ access: RealRegistry.Access = .http,
    in directory: String,
    _ body: (RealRegistry) async throws -> Result
) async throws -> Result {
    let root = "\(directory)/data"
    var settings = """
        version: 0.1
        log: { level: info }
        storage: { filesystem: { rootdirectory: "\(root)" }, delete: { enabled: true } }
        http:
          addr: "127.0.0.1:0"

        """
    switch access {
    case .http: break
    case .tls(let certificate):
        settings += "  tls: { certificate: \"\(certificate.file)\", key: \"\(certificate.key)\" }\n"
    case .password:
        settings += "auth: { htpasswd: { realm: tests, path: \"\(directory)/htpasswd\" } }\n"
        // The bcrypt hash of `pw`: docker-registry accepts no other hash, and Debian's base system has no tool for it.
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
        return try await body(RealRegistry(authority: "127.0.0.1:\(port)", root: root, log: child.output))
    }.result
}

/// Runs `body` while two registries run.
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

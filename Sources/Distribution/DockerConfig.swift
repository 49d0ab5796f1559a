internal import Content
internal import FoundationEssentials
internal import Platform

/// docker's `config.json`, or podman's `auth.json`, which has the same form.
///
/// - Source: docker/cli, `docs/reference/commandline/docker_login.md`; containers/image, `containers-auth.json(5)`
struct DockerConfig: Sendable {
    let path: String
    private let file: File

    /// In bytes; those of people with hundreds of logins have some ten thousand.
    static let largestFile = 4 << 20

    /// - Returns: `nil` if there is no such file.
    /// - Throws: ``LoginError`` which names the file and nothing that is in it.
    init?(path: String) throws(LoginError) {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(path, limit: Self.largestFile)
        } catch {
            throw LoginError("\(path) can't be read: \(error)", remedy: "check its permissions")
        }
        guard let bytes else { return nil }
        self.path = path
        // podman and docker make empty files.
        guard !bytes.allSatisfy({ [9, 10, 13, 32].contains($0) }) else {
            file = File()
            return
        }
        do {
            file = try JSONDecoder().decode(File.self, from: Data(bytes))
        } catch {
            throw LoginError("\(path) \(Self.fault(error))", remedy: "mend it, or log in anew")
        }
    }

    /// The helper that keeps the passwords of a registry, and the member of the file that says so.
    func helper(for registry: PlainRegistry) -> (name: String, member: String)? {
        for name in registry.loginNames {
            if let key = key(for: name, in: file.credHelpers), let helper = file.credHelpers?[key] {
                return helper.isEmpty ? nil : (helper, "credHelpers")
            }
        }
        guard let store = file.credsStore, !store.isEmpty else { return nil }
        return (store, "credsStore")
    }

    /// What the file itself holds: the entry for the repository, for what it is in, or for the registry.
    ///
    /// - Throws: ``LoginError`` if the entry can't be understood.
    func login(
        for registry: PlainRegistry,
        _ repository: RepositoryName?
    ) throws(LoginError) -> (credentials: RegistryCredentials, key: String)? {
        var parts = repository?.value.split(separator: "/") ?? []
        while true {
            for name in registry.loginNames {
                let wanted = ([Substring(name)] + parts).joined(separator: "/")
                guard let key = key(for: wanted, in: file.auths), let entry = file.auths?[key] else { continue }
                if let found = try credentials(entry, key) { return (found, key) }
            }
            guard !parts.isEmpty else { return nil }
            parts.removeLast()
        }
    }

    /// The key that means `name`: written the same, or with what older versions of docker put around it.
    private func key<Value>(for name: String, in entries: [String: Value]?) -> String? {
        guard let entries else { return nil }
        if entries[name] != nil { return name }
        return entries.keys.filter { Self.bare($0) == name }.min()
    }

    /// `https://r.example/v1/` is `r.example`.
    private static func bare(_ key: String) -> String {
        var rest = Substring(key.lowercased())
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        while rest.hasSuffix("/") { rest.removeLast() }
        for version in ["/v1", "/v2"] where rest.hasSuffix(version) && !rest.dropLast(3).contains("/") {
            rest = rest.dropLast(version.count)
        }
        return String(rest)
    }

    /// - Returns: `nil` for the empty entry that docker leaves where a helper keeps the password.
    private func credentials(_ entry: Entry, _ key: String) throws(LoginError) -> RegistryCredentials? {
        if let token = entry.identitytoken, !token.isEmpty { return .identityToken(token) }
        if let auth = entry.auth, !auth.isEmpty {
            let text = Data(base64Encoded: auth).flatMap { String(bytes: $0, encoding: .utf8) }
            guard let text, let colon = text.firstIndex(of: ":") else {
                throw LoginError(
                    "\(path) has an auth for \(key) that is no base64 of USER:PASSWORD",
                    remedy: "log in anew: docker login \(Self.bare(key))"
                )
            }
            // docker once padded passwords with zeros.
            var password = text[text.index(after: colon)...]
            while password.last == "\0" { password.removeLast() }
            return RegistryCredentials(user: String(text[..<colon]), secret: String(password))
        }
        guard let user = entry.username, let password = entry.password, !user.isEmpty else { return nil }
        return RegistryCredentials(user: user, secret: password)
    }

    /// In our own words: those of the decoder may quote.
    private static func fault(_ error: any Error) -> String {
        switch error {
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "has something else at \(context.codingPath.map(\.stringValue).joined(separator: ".")) than belongs there"
        default: "is not JSON"
        }
    }

    private struct File: Decodable {
        var auths: [String: Entry]?
        var credHelpers: [String: String]?
        var credsStore: String?
    }

    private struct Entry: Decodable {
        /// Base64 of user, colon, password.
        var auth: String?
        var username: String?
        var password: String?
        var identitytoken: String?
    }
}

extension PlainRegistry {
    /// What people log in to, best first.
    var loginNames: [String] {
        isDockerHub ? ["index.docker.io", authority, endpointAuthority] : [authority]
    }

    /// What credential helpers know it by.
    var helperAddress: String { isDockerHub ? "https://index.docker.io/v1/" : authority }
}

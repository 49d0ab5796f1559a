internal import Content
internal import FoundationEssentials
internal import Platform

/// A `config.json` of docker, or an `auth.json` of podman, which has the same format.
///
/// - Source: docker/cli, `docs/reference/commandline/docker_login.md`; containers/image, `containers-auth.json(5)`
struct DockerConfig: Sendable {
    let path: String
    private let file: File

    /// The largest file that is read, in bytes; one with hundreds of logins has some ten thousand.
    static let largestFile = 4 << 20

    /// The variable that holds such a file's text, which docker from 28.3 on and GitLab's runner read.
    ///
    /// - Source: docker/cli, `docs/reference/commandline/docker.md`, "Environment variables"; GitLab Docs,
    ///   "Authenticate with registry in Docker-in-Docker"
    static let variable = "DOCKER_AUTH_CONFIG"

    /// Reads the text that ``variable`` holds.
    ///
    /// - Throws: ``LoginError`` with the variable's name and none of its content.
    init(variable text: String) throws(LoginError) { try self.init(Array(text.utf8)[...], path: Self.variable) }

    /// Reads the file at a path.
    ///
    /// - Returns: `nil` if there is no such file.
    /// - Throws: ``LoginError`` with the file's name and none of its content.
    init?(path: String) throws(LoginError) {
        let bytes: [UInt8]?
        do {
            bytes = try DurableFile.read(path, limit: Self.largestFile)
        } catch {
            throw LoginError("\(path) can't be read: \(error)", remedy: "check its permissions")
        }
        guard let bytes else { return nil }
        try self.init(bytes[...], path: path)
    }

    private init(_ bytes: ArraySlice<UInt8>, path: String) throws(LoginError) {
        self.path = path
        // Editors may write a byte order mark; podman and docker may write empty files.
        let text = withoutByteOrderMark(bytes)
        guard !text.allSatisfy(isJSONBlank) else {
            file = File()
            return
        }
        do {
            file = try JSONDecoder().decode(File?.self, from: Data(text)) ?? File()
        } catch {
            throw LoginError("\(path) \(Self.fault(error))", remedy: "correct the file, or log in again")
        }
    }

    /// Returns the helper for a registry, and the member of the file that names it.
    ///
    /// - Parameter names: The names under which a login may be stored, best first.
    func helper(for names: [String]) -> (name: String, member: String)? {
        for name in names {
            if let key = keys(for: name, in: file.credHelpers).first, let helper = file.credHelpers?[key] ?? nil {
                return helper.isEmpty ? nil : (helper, "credHelpers")
            }
        }
        guard let store = file.credsStore, !store.isEmpty else { return nil }
        return (store, "credsStore")
    }

    /// Returns the login in the file itself: the entry for the repository, for a prefix of it, or for the registry.
    ///
    /// - Throws: ``LoginError`` if the entry is malformed.
    func login(
        for names: [String],
        _ repository: RepositoryName?
    ) throws(LoginError) -> (credentials: RegistryCredentials, key: String)? {
        var parts = repository?.value.split(separator: "/") ?? []
        while true {
            for name in names {
                let wanted = ([Substring(name)] + parts).joined(separator: "/")
                for key in keys(for: wanted, in: file.auths) {
                    guard let entry = file.auths?[key] ?? nil else { continue }
                    if let found = try credentials(entry, key) { return (found, key) }
                }
            }
            guard !parts.isEmpty else { return nil }
            parts.removeLast()
        }
    }

    /// Returns the keys that mean `name`: equal, or with a scheme, path or port around it.
    private func keys<Value>(for name: String, in entries: [String: Value]?) -> [String] {
        guard let entries else { return [] }
        let bare = Self.bare(name)
        let others = entries.keys.filter { $0 != name && Self.bare($0) == bare }.sorted()
        return (entries[name] == nil ? [] : [name]) + others
    }

    /// Reduces a key to its host: `https://R.example:443/v1/` becomes `r.example`.
    private static func bare(_ key: String) -> String {
        var rest = trimmed(key).lowercased()[...]
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        while rest.hasSuffix("/") { rest.removeLast() }
        for version in ["/v1", "/v2"] where rest.hasSuffix(version) && !rest.dropLast(3).contains("/") {
            rest = rest.dropLast(version.count)
        }
        let host = rest.prefix { $0 != "/" }
        guard host.hasSuffix(":443") else { return String(rest) }
        return String(host.dropLast(":443".count) + rest[host.endIndex...])
    }

    /// Reads an entry.
    ///
    /// - Returns: `nil` for the empty entry that docker writes if a helper has the password.
    private func credentials(_ entry: Entry, _ key: String) throws(LoginError) -> RegistryCredentials? {
        if let place = entry.misplaced {
            throw LoginError("\(path) \(Self.misplaced("auths.\(key)\(place)"))", remedy: loginAdvice(key))
        }
        if let token = entry.registrytoken.map({ String(trimmed($0)) }), !token.isEmpty { return .registryToken(token) }
        if let token = entry.identitytoken, !token.isEmpty { return .identityToken(token) }
        if let auth = entry.auth, !trimmed(auth).isEmpty {
            guard let text = Self.decoded(auth), let colon = text.firstIndex(of: ":") else {
                throw LoginError(
                    "\(path) has an auth for \(key) that is not the base64 of USER:PASSWORD",
                    remedy: loginAdvice(key)
                )
            }
            // Old versions of docker padded passwords with zeros, and `echo USER:PASSWORD | base64` adds a line break.
            var password = text[text.index(after: colon)...]
            while let last = password.last, last == "\0" || last.isNewline { password.removeLast() }
            return RegistryCredentials(user: String(text[..<colon]), secret: String(password))
        }
        guard let user = entry.username, let password = entry.password, !user.isEmpty else { return nil }
        return RegistryCredentials(user: user, secret: password)
    }

    /// Decodes base64 with or without padding, in either alphabet, with white space anywhere, as users and scripts
    /// write it.
    private static func decoded(_ base64: String) -> String? {
        var plain = base64.filter { !$0.isWhitespace && $0 != "=" }
        plain = plain.replacing("-", with: "+").replacing("_", with: "/")
        plain += String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4)
        return Data(base64Encoded: plain).flatMap { String(bytes: $0, encoding: .utf8) }
    }

    private func loginAdvice(_ key: String) -> String {
        "log in again: \(LoginCommands(registry: Self.bare(key), tool: tool).login)"
    }

    /// The program that wrote the file.
    var tool: LoginTool { LoginTool(storing: path) }

    /// Describes a decoding failure; the decoder's own description may quote the file.
    private static func fault(_ error: any Error) -> String {
        switch error {
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            misplaced(context.codingPath.map(\.stringValue).joined(separator: "."))
        default: "is not JSON"
        }
    }

    private static func misplaced(_ place: String) -> String { "has a value of the wrong type at \(place)" }

    private struct File: Decodable {
        var auths: [String: Entry?]?
        var credHelpers: [String: String?]?
        var credsStore: String?
    }

    private struct Entry: Decodable {
        /// The base64 of `USER:PASSWORD`.
        var auth: String?
        var username: String?
        var password: String?
        var identitytoken: String?
        /// A bearer token for the registry itself.
        var registrytoken: String?
        /// The path of a malformed member, which is an error for this registry only.
        var misplaced: String?

        enum CodingKeys: String, CodingKey { case auth, username, password, identitytoken, registrytoken }

        init(from decoder: any Decoder) throws {
            guard let container = try? decoder.container(keyedBy: CodingKeys.self) else {
                misplaced = ""
                return
            }
            var misplaced: String?
            func text(_ key: CodingKeys) -> String? {
                do {
                    return try container.decodeIfPresent(String.self, forKey: key)
                } catch {
                    misplaced = ".\(key.rawValue)"
                    return nil
                }
            }
            auth = text(.auth)
            username = text(.username)
            password = text(.password)
            identitytoken = text(.identitytoken)
            registrytoken = text(.registrytoken)
            self.misplaced = misplaced
        }
    }
}

extension PlainRegistry {
    /// The names under which a login may be stored, the usual one first.
    var loginNames: [String] {
        isDockerHub ? ["index.docker.io", authority, endpointAuthority] : [authority]
    }

    /// The registry's name for credential helpers.
    var helperAddress: String { isDockerHub ? "https://index.docker.io/v1/" : authority }
}

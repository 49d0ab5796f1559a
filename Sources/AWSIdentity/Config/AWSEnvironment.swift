internal import Content
internal import FoundationEssentials
internal import Platform

/// The environment variables and the home directory that a process starts with.
///
/// It is a value, so a test can set any variables and any home directory.
public struct AWSEnvironment: Sendable {
    public var variables: [String: String]
    /// The home directory that `~` stands for.
    public var home: String

    /// - Parameters:
    ///   - home: The home directory, without a trailing slash.
    public init(variables: [String: String], home: String) {
        self.variables = variables
        self.home = home
    }

    public static func current() -> AWSEnvironment {
        let variables = ProcessInfo.processInfo.environment
        return AWSEnvironment(variables: variables, home: variables["HOME"] ?? ProcessFacts.homeDirectory() ?? "/")
    }

    /// The value of a variable; an empty value counts as not set, as in every SDK.
    public subscript(name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether a variable has the value `true`, in upper or lower case.
    func isTrue(_ name: String) -> Bool { self[name]?.lowercased() == "true" }

    var configPath: String { expanded(self["AWS_CONFIG_FILE"] ?? "~/.aws/config") }
    var credentialsPath: String { expanded(self["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials") }

    /// The profile that the environment names, with the variable's name; `AWS_PROFILE` wins, as in version 2 of the AWS
    /// CLI.
    var namedProfile: (name: String, variable: String)? {
        for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
            if let name = self[variable] { return (name, variable) }
        }
        return nil
    }

    /// Reads one of the two shared files, and skips a path that isn't a regular file or isn't readable, as botocore
    /// does.
    ///
    /// A path may be a directory because Docker creates one when it mounts a file that doesn't exist.
    ///
    /// - Returns: The text, or `nil` if there is no file; and the path with the reason, if it was skipped.
    /// - Throws: ``IdentityError`` when the file is longer than ``largestFile``.
    /// - Source: botocore 1.43, `configloader.raw_config_parse` (`os.path.isfile`, `RawConfigParser.read`)
    func sharedFile(_ path: String) throws -> (text: String?, skipped: String?) {
        switch FileKind(at: path) {
        case .regular:
            do {
                guard let bytes = try DurableFile.read(path, limit: Self.largestFile) else { return (nil, nil) }
                guard !bytes.starts(with: [0xFF, 0xFE]), !bytes.starts(with: [0xFE, 0xFF]) else {
                    throw IdentityError(
                        "\(quotable(path)) is UTF-16 text",
                        remedy: "save it as UTF-8; PowerShell's > writes UTF-16"
                    )
                }
                return (String(decoding: bytes, as: UTF8.self), nil)
            } catch let error as SystemError {
                guard error.isDenied else { throw Self.unreadable(path, error) }
                return (nil, "\(quotable(path)) (it is not readable)")
            }
        case .directory: return (nil, "\(quotable(path)) (it is a directory)")
        case .pipe: return (nil, "\(quotable(path)) (it is a pipe)")
        case .socket: return (nil, "\(quotable(path)) (it is a socket)")
        // `/dev/null` is the usual way to say "no file".
        case .device, nil: return (nil, nil)
        }
    }

    /// Reads the file of a token, which may be a pipe; a pipe must deliver within ``pipeTimeout``.
    ///
    /// - Parameter limit: The longest text, in bytes.
    /// - Returns: `nil` when the file doesn't exist.
    /// - Throws: ``IdentityError`` when the file exists and can't be read, or is longer than the limit.
    func text(ofFile path: String, limit: Int = largestFile) throws -> String? {
        let bytes: [UInt8]?
        do {
            bytes =
                FileKind(at: path) == .pipe
                ? try PipeFile.read(path, limit: limit, patience: Self.pipeTimeout)
                : try DurableFile.read(path, limit: limit)
        } catch {
            throw Self.unreadable(path, error)
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func unreadable(_ path: String, _ error: SystemError) -> IdentityError {
        IdentityError(
            "\(quotable(path)) can't be read, or is too long: \(quotable("\(error)"))",
            remedy: "check the file's permissions and size, or name another file"
        )
    }

    /// How long to wait for a pipe, in milliseconds.
    private static let pipeTimeout: Int32 = 2_000

    /// The longest file that is read, in bytes.
    static let largestFile = 4 << 20

    /// Expands the variables and the home directory in a path.
    ///
    /// A variable that isn't set stays as written, and so does the home of a user that doesn't exist. Values set by
    /// systemd's `Environment=`, docker's `--env-file` and YAML contain `$HOME` unexpanded.
    ///
    /// - Source: botocore 1.43, `configloader.raw_config_parse`: Python's `os.path.expandvars`, then `expanduser`
    func expanded(_ path: String) -> String {
        let path = withVariables(path)
        guard path.hasPrefix("~") else { return path }
        let user = path.dropFirst().prefix { $0 != "/" }
        let rest = path.dropFirst(1 + user.count)
        guard !user.isEmpty else { return (home.hasSuffix("/") ? String(home.dropLast()) : home) + rest }
        return ProcessFacts.homeDirectory(of: String(user)).map { $0 + rest } ?? path
    }

    /// Replaces `$NAME` and `${NAME}` with the variables' values.
    private func withVariables(_ path: String) -> String {
        var result = ""
        var rest = path[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            let name: Substring
            let end: Substring.Index
            if rest.dropFirst().first == "{", let brace = rest.firstIndex(of: "}") {
                name = rest[..<brace].dropFirst(2)
                end = rest.index(after: brace)
            } else {
                name = rest.dropFirst().prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
                end = name.endIndex
            }
            result += variables[String(name)] ?? (name.isEmpty && end == name.endIndex ? "$" : String(rest[..<end]))
            rest = rest[(name.isEmpty && end == name.endIndex ? rest.index(after: dollar) : end)...]
        }
        return result + rest
    }
}

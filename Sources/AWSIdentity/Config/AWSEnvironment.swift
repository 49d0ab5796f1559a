internal import Content
internal import FoundationEssentials
internal import Platform

/// What the process was started with, as far as an identity depends on it.
///
/// A value, so that a test can be a machine with any variables and any home.
public struct AWSEnvironment: Sendable {
    public var variables: [String: String]
    /// Where `~` leads.
    public var home: String

    /// - Parameters:
    ///   - home: Without a trailing slash.
    public init(variables: [String: String], home: String) {
        self.variables = variables
        self.home = home
    }

    public static func current() -> AWSEnvironment {
        let variables = ProcessInfo.processInfo.environment
        return AWSEnvironment(variables: variables, home: variables["HOME"] ?? ProcessFacts.homeDirectory() ?? "/")
    }

    /// A variable's value; one that is set to nothing counts as not set, as in every SDK.
    public subscript(name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// Whether a variable says `true`, in any case.
    func says(_ name: String) -> Bool { self[name]?.lowercased() == "true" }

    var configPath: String { expanded(self["AWS_CONFIG_FILE"] ?? "~/.aws/config") }
    var credentialsPath: String { expanded(self["AWS_SHARED_CREDENTIALS_FILE"] ?? "~/.aws/credentials") }

    /// The profile that the environment names, if any, and the variable; `AWS_PROFILE` goes first, as in the AWS CLI's
    /// version 2.
    var namedProfile: (name: String, variable: String)? {
        for variable in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] {
            if let name = self[variable] { return (name, variable) }
        }
        return nil
    }

    /// One of the two shared files, as botocore reads them: what isn't a regular file, or may not be read, is passed over.
    ///
    /// Docker makes a directory where it is told to mount a file that isn't there.
    ///
    /// - Returns: The text, `nil` if there is none; and for people why a path was passed over.
    /// - Throws: ``IdentityError`` when it is absurdly long.
    /// - Source: botocore 1.43, `configloader.raw_config_parse` (`os.path.isfile`, `RawConfigParser.read`)
    func sharedFile(_ path: String) throws -> (text: String?, passedOver: String?) {
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
                return (nil, "\(quotable(path)) (it may not be read)")
            }
        case .directory: return (nil, "\(quotable(path)) (it is a directory)")
        case .pipe: return (nil, "\(quotable(path)) (it is a pipe)")
        case .socket: return (nil, "\(quotable(path)) (it is a socket)")
        // `/dev/null` is how people say "no file".
        case .device, nil: return (nil, nil)
        }
    }
    /// A token's file may be a pipe, which is waited for a while.
    ///
    /// - Parameter limit: In bytes.
    /// - Returns: `nil` when there is no such file.
    /// - Throws: ``IdentityError`` when there is one and it can't be read, or is absurdly long.
    func text(ofFile path: String, limit: Int = largestFile) throws -> String? {
        let bytes: [UInt8]?
        do {
            bytes =
                FileKind(at: path) == .pipe
                ? try PipeFile.read(path, limit: limit, patience: Self.pipePatience)
                : try DurableFile.read(path, limit: limit)
        } catch {
            throw Self.unreadable(path, error)
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func unreadable(_ path: String, _ error: SystemError) -> IdentityError {
        IdentityError(
            "\(quotable(path)) can't be read, or is longer than any file of its kind: \(quotable("\(error)"))",
            remedy: "check its permissions, or name another file"
        )
    }

    /// In milliseconds.
    private static let pipePatience: Int32 = 2_000

    /// In bytes.
    static let largestFile = 4 << 20

    /// A path with its variables and its home directory filled in.
    ///
    /// A variable that isn't set stays as it is written, and so does the home of a user that doesn't exist. systemd's
    /// `Environment=`, docker's `--env-file` and YAML keep `$HOME` as it is written.
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

    /// With `$NAME` and `${NAME}` replaced.
    private func withVariables(_ path: String) -> String {
        var filled = ""
        var rest = path[...]
        while let dollar = rest.firstIndex(of: "$") {
            filled += rest[..<dollar]
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
            filled += variables[String(name)] ?? (name.isEmpty && end == name.endIndex ? "$" : String(rest[..<end]))
            rest = rest[(name.isEmpty && end == name.endIndex ? rest.index(after: dollar) : end)...]
        }
        return filled + rest
    }
}

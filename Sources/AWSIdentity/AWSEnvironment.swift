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
        return AWSEnvironment(variables: variables, home: variables["HOME"] ?? "/")
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

    /// - Parameter limit: In bytes.
    /// - Returns: `nil` when there is no such file.
    /// - Throws: ``IdentityError`` when there is one and it can't be read, or is absurdly long.
    func text(ofFile path: String, limit: Int = largestFile) throws -> String? {
        let bytes: [UInt8]?
        do {
            // Devices can be read too: `/dev/null` is how people say "no file".
            bytes = try DurableFile.read(path, limit: limit)
        } catch {
            throw IdentityError(
                "\(path) can't be read, or is longer than any file of its kind: \(error)",
                remedy: "check its permissions, or name another file"
            )
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    /// In bytes.
    static let largestFile = 4 << 20

    func expanded(_ path: String) -> String {
        path == "~" || path.hasPrefix("~/") ? home + path.dropFirst() : path
    }
}

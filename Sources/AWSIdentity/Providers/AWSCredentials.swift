public import FoundationEssentials

/// A key pair that AWS knows, with the session it belongs to.
///
/// Printing, dumping or reflecting one shows the last four characters of the key id and no secret. It isn't
/// `Codable`, so no encoder can write it to a file by accident.
public struct AWSCredentials: Sendable, Hashable {
    public let accessKeyID: String
    package let secretAccessKey: String
    package let sessionToken: String?
    /// When the service stops accepting them; `nil` for keys that last until somebody deletes them.
    public let expiration: Date?
    /// The account the keys belong to, where whoever issued them said so.
    public let accountID: String?
    /// Where they come from, for people: `environment`, `profile build`, `role arn:…`.
    public let source: String

    public init(
        accessKeyID: String,
        secretAccessKey: String,
        sessionToken: String? = nil,
        expiration: Date? = nil,
        accountID: String? = nil,
        source: String
    ) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.expiration = expiration
        self.accountID = accountID
        self.source = source
    }
}

extension AWSCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "…\(accessKeyID.suffix(4)) from \(source)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["credentials": description]) }
}

/// Whoever can give the credentials of one identity, now.
public protocol CredentialsProviding: Sendable {
    /// Credentials that are good for the next requests; refreshed when they are about to expire.
    ///
    /// - Throws: ``IdentityError``, or `CancellationError`.
    func credentials() async throws -> AWSCredentials

    /// Takes note that a service refused these as expired.
    ///
    /// - Returns: Whether ``credentials()`` may now give others; `false` for keys that nobody can refresh.
    func discard(_ refused: AWSCredentials) async -> Bool
}

/// Keys that stay what they are.
public struct StaticCredentials: CredentialsProviding {
    private let held: AWSCredentials

    public init(_ credentials: AWSCredentials) { held = credentials }

    public func credentials() async throws -> AWSCredentials { held }
    public func discard(_ refused: AWSCredentials) async -> Bool { false }
}

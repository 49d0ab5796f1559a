public import FoundationEssentials

/// An access key with its secret and, for temporary ones, its session token.
///
/// Printing, dumping or reflecting one shows the last four characters of the key id and no secret. It isn't
/// `Codable`, so no encoder can write it to a file by accident.
public struct AWSCredentials: Sendable, Hashable {
    public let accessKeyID: String
    package let secretAccessKey: String
    package let sessionToken: String?
    /// When the service stops accepting the keys; `nil` for keys that don't expire.
    public let expiration: Date?
    /// The account that the keys belong to, if the issuer named it.
    public let accountID: String?
    /// The source of the keys, for messages: `environment`, `profile build`, `role arn:…`.
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

/// A provider of one identity's credentials.
public protocol CredentialsProviding: Sendable {
    /// Returns credentials that are valid for the next requests, refreshing those that are about to expire.
    ///
    /// - Throws: ``IdentityError``, or `CancellationError`.
    func credentials() async throws -> AWSCredentials

    /// Records that a service refused these credentials as expired.
    ///
    /// - Returns: Whether ``credentials()`` may return others now; `false` for keys that can't be refreshed.
    func discard(_ refused: AWSCredentials) async -> Bool
}

/// Keys that never change.
public struct StaticCredentials: CredentialsProviding {
    private let held: AWSCredentials

    public init(_ credentials: AWSCredentials) { held = credentials }

    public func credentials() async throws -> AWSCredentials { held }
    public func discard(_ refused: AWSCredentials) async -> Bool { false }
}

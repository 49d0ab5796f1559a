internal import Content
internal import FoundationEssentials

/// Who knows what to write into `Authorization`.
///
/// One value serves one registry origin; ``RegistryClient`` never shows what it says to another.
public protocol RegistryAuthorizing: Sendable {
    /// The value of the `Authorization` field, or `nil` to come without one.
    func authorization(for access: RegistryAccess) async throws -> String?

    /// Called after an answer that names the token as the culprit, or the lack of one.
    ///
    /// Many requests may fail at once on one stale token, so this asks at most once for each rejected value.
    ///
    /// - Parameters:
    ///   - rejected: What the failed request carried.
    ///   - challenges: What the registry would take instead, if it says so.
    /// - Returns: Whether ``authorization(for:)`` now says something else; `false` ends in an error.
    func renew(
        insteadOf rejected: String?,
        for access: RegistryAccess,
        challenges: [AuthenticationChallenge]
    ) async throws -> Bool

    /// Called after an answer that refuses what a stored login made, when renewing has not helped.
    ///
    /// Many images are public: a login that has expired must not keep anybody from reading them.
    ///
    /// - Returns: Whether ``authorization(for:)`` now says something that does not rest on that login.
    func goWithoutLogin(insteadOf rejected: String?, for access: RegistryAccess) async throws -> Bool

    /// Where the credentials are from, or where there were none: for an error that says they are refused.
    func note(on access: RegistryAccess) -> LoginNote?
}

extension RegistryAuthorizing {
    public func goWithoutLogin(insteadOf rejected: String?, for access: RegistryAccess) async throws -> Bool { false }

    public func note(on access: RegistryAccess) -> LoginNote? { nil }
}

/// No credentials, for registries that ask for none.
public struct AnonymousAuthorization: RegistryAuthorizing {
    public init() {}
    public func authorization(for access: RegistryAccess) async throws -> String? { nil }

    public func renew(
        insteadOf rejected: String?,
        for access: RegistryAccess,
        challenges: [AuthenticationChallenge]
    ) async throws -> Bool { false }
}

/// A user and a password that never change.
public struct BasicAuthorization: RegistryAuthorizing {
    let value: String

    /// - Parameter user: Without a colon, which would end it early (RFC 7617, section 2).
    public init(user: String, password: String) {
        value = "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    public func authorization(for access: RegistryAccess) async throws -> String? { value }

    public func renew(
        insteadOf rejected: String?,
        for access: RegistryAccess,
        challenges: [AuthenticationChallenge]
    ) async throws -> Bool { false }
}

extension BasicAuthorization: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "basic credentials" }
    public var debugDescription: String { description }
    /// Empty, so that `dump` and a failed expectation show no password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

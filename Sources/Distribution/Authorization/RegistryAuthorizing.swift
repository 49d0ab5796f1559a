internal import Content
internal import FoundationEssentials

/// A provider of the `Authorization` field of requests.
///
/// A value is for one registry origin; ``RegistryClient`` never sends its credentials to another.
public protocol RegistryAuthorizing: Sendable {
    /// Returns the value of the `Authorization` field; `nil` to send none.
    func authorization(for access: RegistryAccess) async throws -> String?

    /// Gets other credentials after an answer that refuses the token, or the lack of one.
    ///
    /// Many requests may fail at once with one expired token, so a rejected value is renewed at most once.
    ///
    /// - Parameters:
    ///   - rejected: The value that the failed request carried.
    ///   - challenges: The challenges of the answer, if any.
    /// - Returns: Whether ``authorization(for:)`` now returns another value; `false` means that the request fails.
    func renew(
        insteadOf rejected: String?,
        for access: RegistryAccess,
        challenges: [AuthenticationChallenge]
    ) async throws -> Bool

    /// Stops using a stored login after an answer that refuses it, when a renewal has not helped.
    ///
    /// Many images are public, and an expired login must not prevent reading them.
    ///
    /// - Returns: Whether ``authorization(for:)`` now returns a value without that login.
    func goWithoutLogin(insteadOf rejected: String?, for access: RegistryAccess) async throws -> Bool

    /// Returns the place of the credentials, or the places without any, for an error about a refusal.
    func note(on access: RegistryAccess) -> LoginNote?
}

extension RegistryAuthorizing {
    public func goWithoutLogin(insteadOf rejected: String?, for access: RegistryAccess) async throws -> Bool { false }

    public func note(on access: RegistryAccess) -> LoginNote? { nil }
}

/// No credentials, for registries that need none.
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

    /// - Parameter user: The user, which must not contain a colon (RFC 7617, section 2).
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

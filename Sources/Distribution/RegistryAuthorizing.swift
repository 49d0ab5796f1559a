internal import FoundationEssentials

/// Who knows what to write into `Authorization`.
///
/// One value serves one registry origin; ``RegistryClient`` never shows what it says to another.
public protocol RegistryAuthorizing: Sendable {
    /// The value of the `Authorization` field, or `nil` to come without one.
    func authorization() async throws -> String?

    /// Called after an answer that names the token as the culprit.
    ///
    /// Many requests may fail at once on one stale token, so this asks at most once for each rejected value.
    ///
    /// - Parameter rejected: What the failed request carried.
    /// - Returns: Whether ``authorization()`` now says something else; `false` ends in an error.
    func renew(insteadOf rejected: String?) async throws -> Bool
}

/// No credentials, for registries that ask for none.
public struct AnonymousAuthorization: RegistryAuthorizing {
    public init() {}
    public func authorization() async throws -> String? { nil }
    public func renew(insteadOf rejected: String?) async throws -> Bool { false }
}

/// A user and a password that never change.
public struct BasicAuthorization: RegistryAuthorizing {
    private let value: String

    /// - Parameter user: Without a colon, which would end it early (RFC 7617, section 2).
    public init(user: String, password: String) {
        value = "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    public func authorization() async throws -> String? { value }
    public func renew(insteadOf rejected: String?) async throws -> Bool { false }
}

extension BasicAuthorization: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "basic credentials" }
    public var debugDescription: String { description }
    /// Empty, so that `dump` and a failed expectation show no password.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

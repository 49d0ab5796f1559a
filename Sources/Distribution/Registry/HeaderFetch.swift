internal import Content
internal import FoundationEssentials
internal import Logging
internal import Platform
internal import Wire

/// The signal that no login is stored: the request is sent without one, and the registry's answer is the error.
struct NoCredentials: Error {}

/// The last note on the stored login for each repository.
///
/// The key `nil` is for requests without a repository.
final class LoginNotes: Sendable {
    private let notes = Lock<[RepositoryName?: LoginNote]>([:])
    private let warned = Lock<Set<String>>([])

    subscript(repository: RepositoryName?) -> LoginNote? {
        get { notes.withLock { $0[repository] } }
        set { notes.withLock { $0[repository] = newValue } }
    }

    /// Whether this is the first warning about the login at that place.
    func isFirstWarning(_ place: String) -> Bool { warned.withLock { $0.insert(place).inserted } }
}

/// Makes the `Authorization` header for one ``RegistryAccess``, with a stored login or without.
///
/// A refused login is left out for reading, because many images are public; writing needs it, and fails with the
/// refusal. A refusal is valid for this access only, because some token servers refuse a valid login for a repository
/// that it may not read (GitLab answers 403).
final class HeaderFetch: Sendable {
    private let store: any CredentialsStoring
    private let server: TokenServer
    private let notes: LoginNotes
    private let access: RegistryAccess
    /// Host and port, for messages.
    private let registry: String
    private let logger: Logger
    private let state = Lock(State())

    private struct State {
        /// The login of the last header.
        var sent: RegistryCredentials?
        var header: String?
        /// The login that was refused; another one that is found later is tried.
        var refused: RegistryCredentials?
    }

    init(
        store: any CredentialsStoring,
        server: TokenServer,
        notes: LoginNotes,
        access: RegistryAccess,
        registry: String,
        logger: Logger
    ) {
        self.store = store
        self.server = server
        self.notes = notes
        self.access = access
        self.registry = registry
        self.logger = logger
    }

    /// Makes the header for a registry that accepts a password.
    func basic() async throws -> String {
        // A password doesn't expire, so a second call means that it was refused.
        let (sent, refused) = state.withLock { ($0.sent, $0.refused) }
        let found = try await credentials(insteadOf: refused == nil ? sent : nil)
        guard let header = found.credentials?.basic ?? found.credentials?.bearer else { throw NoCredentials() }
        guard found.credentials != refused else {
            warn(of: found, because: Self.refusedByRegistry)
            throw NoCredentials()
        }
        return keep(header, madeFrom: found.credentials)
    }

    /// Makes the header for a registry that accepts tokens.
    func token(from realm: TokenRealm, for scopes: [RegistryScope]) async throws -> (header: String, expiresAt: Date?) {
        var found: FoundCredentials
        do {
            found = try await credentials(insteadOf: nil)
        } catch let error as LoginError where !access.isWriting {
            let unread = FoundCredentials(nil, place: error.problem)
            return try await token(from: realm, for: scopes, without: unread, because: error.remedy, or: error)
        }
        if found.credentials != nil, found.credentials == state.withLock({ $0.refused }) {
            return try await anonymousToken(from: realm, for: scopes, without: found, Self.refusedByRegistry)
        }
        do {
            return try await token(from: realm, for: scopes, as: found)
        } catch let error as RegistryError where error.kind == .unauthorized && found.credentials != nil {
            let fresh = try await credentials(insteadOf: found.credentials)
            var reason = error
            if fresh.credentials != found.credentials {
                found = fresh
                do {
                    return try await token(from: realm, for: scopes, as: found)
                } catch let error as RegistryError where error.kind == .unauthorized && fresh.credentials != nil {
                    reason = error
                }
            }
            guard !access.isWriting else { throw reason }
            let cause = "the token server answers it with HTTP \(reason.status)"
            let token = try await token(from: realm, for: scopes, without: found, because: cause, or: reason)
            state.withLock { $0.refused = found.credentials }
            return token
        }
    }

    /// Records that the registry has refused a header.
    ///
    /// - Returns: Whether the next header will use another login, or none.
    func refuse(_ header: String) async throws -> Bool {
        let (known, sent) = state.withLock { ($0.header, $0.sent) }
        // Another request has recorded it already.
        guard known == header else { return true }
        guard let sent else { return false }
        let found = try await credentials(insteadOf: sent)
        guard found.credentials == sent else { return true }
        state.withLock { $0.refused = sent }
        return true
    }

    /// Forgets the refusal, because the registry refuses requests without the login too.
    func forgetRefusal() { state.withLock { $0.refused = nil } }

    private static let refusedByRegistry = "the registry refuses it"

    // MARK: Without a login

    /// Gets a token without a login, where the login is refused or can't be read.
    ///
    /// - Parameters:
    ///   - reason: The reason to leave out the login, and the remedy.
    ///   - failure: The error if the server requires a login.
    private func token(
        from realm: TokenRealm,
        for scopes: [RegistryScope],
        without login: FoundCredentials,
        because reason: String,
        or failure: any Error
    ) async throws -> (header: String, expiresAt: Date?) {
        do {
            return try await anonymousToken(from: realm, for: scopes, without: login, reason)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw failure
        }
    }

    private func anonymousToken(
        from realm: TokenRealm,
        for scopes: [RegistryScope],
        without login: FoundCredentials,
        _ reason: String
    ) async throws -> (header: String, expiresAt: Date?) {
        let token = try await server.token(from: realm, for: scopes, as: FoundCredentials(nil, place: login.place))
        _ = keep(token.header, madeFrom: nil)
        notes[access.repository] = LoginNote(
            text:
                "asked without the stored login: \(login.place)\(login.credentials == nil ? "" : ", which is refused")",
            tool: login.note.tool
        )
        warn(of: login, because: reason)
        return token
    }

    private func warn(of login: FoundCredentials, because reason: String) {
        guard notes.isFirstWarning(login.place) else { return }
        let commands = LoginCommands(registry: registry, tool: login.tool)
        let advice =
            login.credentials == nil
            ? reason : "\(reason); to log out: \(commands.logout); to log in again: \(commands.login)"
        logger.warning("reading without the stored login for \(commands.registry): \(login.place); \(advice)")
    }

    // MARK: With a login

    private func token(
        from realm: TokenRealm,
        for scopes: [RegistryScope],
        as found: FoundCredentials
    ) async throws -> (header: String, expiresAt: Date?) {
        if let header = found.credentials?.bearer { return (keep(header, madeFrom: found.credentials), nil) }
        let token = try await server.token(from: realm, for: scopes, as: found)
        _ = keep(token.header, madeFrom: found.credentials)
        return token
    }

    private func keep(_ header: String, madeFrom credentials: RegistryCredentials?) -> String {
        state.withLock { ($0.header, $0.sent) = (header, credentials) }
        return header
    }

    private func credentials(insteadOf rejected: RegistryCredentials?) async throws -> FoundCredentials {
        let found = try await store.credentials(for: access.repository, insteadOf: rejected)
        notes[access.repository] = found.note
        return found
    }
}

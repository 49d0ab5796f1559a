internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
internal import Platform
internal import Wire

/// A sign-in to IAM Identity Center, shared by all roles that use it.
///
/// The token of a session (`sso_session`) is renewed as long as its registration allows, by one caller at a time and at
/// most once a minute. A legacy profile's token lasts until it expires. Signing in needs a browser and is left to the
/// AWS CLI.
///
/// - Source: docs/facts/identity.md#iam-identity-center
actor SignInSession {
    /// The settings of a profile and its `sso-session` section.
    struct Settings: Hashable, Sendable {
        var startURL: String
        var region: String
        /// The name of the `sso-session`; `nil` for a legacy profile.
        var session: String?
        /// The profile that the user signs in with.
        var profile: String

        /// The name under which the token is cached.
        var cacheName: String { session ?? startURL }

        /// The command that signs in.
        var login: String {
            session.map { "aws sso login --sso-session \($0)" } ?? "aws sso login --profile \(profile)"
        }
    }

    private let settings: Settings
    private let path: String
    private let context: ProviderContext
    private let portal: HTTPURL
    private let issuer: HTTPURL
    /// The portal's clock, by which the keys expire.
    nonisolated let clock: ServiceClock
    private var renewing: Task<SignInToken?, Never>?
    private var triedAt: Date?
    /// The error of the last renewal, if the service couldn't be reached.
    private var connectionFailure: WireError?
    /// A renewed token that couldn't be written to the file.
    private var unsaved: SignInToken?

    /// How long before its expiry a token is renewed, in seconds.
    private static let window: TimeInterval = 15 * 60
    /// The longest life of a sign-in, in seconds: a sign-in never lasts a year.
    private static let longestLife: TimeInterval = 366 * 86_400
    /// The longest time for a request to the portal or the token service.
    private static let deadline: Duration = .seconds(10)
    /// The pause between two renewal attempts, in seconds.
    private static let pause: TimeInterval = 60

    init(_ settings: Settings, _ context: ProviderContext, portal: HTTPURL, issuer: HTTPURL) {
        self.settings = settings
        self.context = context
        path = SignInToken.path(of: settings.cacheName, context.environment)
        self.portal = portal
        self.issuer = issuer
        clock = context.clocks.clock(of: portal)
    }

    /// Returns the keys of a role that is assigned to the signed-in user.
    ///
    /// - Throws: ``IdentityError``, `CancellationError`.
    func credentials(account: String, role: String) async throws -> AWSCredentials {
        do {
            let token = try await token(refused: nil)
            do {
                return try await keys(account, role, token)
            } catch let failure as PortalFailure where failure.status == 401 {
                // The token may have been revoked. If it can be renewed, the user needn't sign in again.
                guard let newer = try? await self.token(refused: token), newer != token else { throw failure }
                return try await keys(account, role, newer)
            }
        } catch let failure as PortalFailure {
            throw explained(failure, role)
        } catch let error as WireError {
            throw IdentityError(
                "IAM Identity Center in \(settings.region) can't be reached: \(error)",
                tried: [path],
                remedy: "check sso_region, and check that this machine reaches \(portal.host)",
                failure: error
            )
        }
    }

    // MARK: The token

    /// This machine's time, right or wrong, which the AWS CLI and other programs that share the file also use for its
    /// expiry.
    private func localNow() -> Date { context.clocks.localNow() }

    /// Returns a valid token, renewed if that is due.
    ///
    /// - Parameter refused: A token that the portal no longer accepts.
    private func token(refused: String?) async throws -> String {
        guard let held = try newest() else {
            throw signInRequired("there is no sign-in to \(settings.startURL)")
        }
        let now = localNow()
        let isRefused = held.accessToken == refused
        guard isRefused || held.expiresAt.timeIntervalSince(now) < Self.window else { return held.accessToken }
        if let renewed = await renewed(held, isRefused) { return renewed.accessToken }
        // A refresh token works once, and another program that shares the file may have used it just now.
        if let other = try newest(), other.accessToken != held.accessToken, other.expiresAt > now {
            return other.accessToken
        }
        guard held.expiresAt > now, !isRefused else {
            let time = AWSTime.extended(now)
            let expired = "the sign-in to \(settings.startURL) has expired (this machine's clock says \(time))"
            guard let connectionFailure else { throw signInRequired(expired) }
            // Signing in again needs the same host.
            throw IdentityError(
                "\(expired), and the service that renews it can't be reached: \(connectionFailure)",
                tried: [path],
                remedy: "check that this machine reaches \(issuer.host); then run again, or run: \(settings.login)",
                failure: connectionFailure
            )
        }
        return held.accessToken
    }

    /// Returns the file's token, or ours if it is newer and couldn't be written.
    private func newest() throws -> SignInToken? {
        let saved = try SignInToken(at: path, context.environment)
        guard let unsaved, saved.map({ $0.expiresAt < unsaved.expiresAt }) ?? true else { return saved }
        return unsaved
    }

    /// Renews a token, or waits for the renewal that is running.
    ///
    /// - Returns: `nil` if the token can't be renewed, or not now.

    private func renewed(_ held: SignInToken, _ isRefused: Bool) async -> SignInToken? {
        if let renewing { return await renewing.value }
        let now = localNow()
        guard settings.session != nil, let renewal = held.renewal, renewal.registrationExpiresAt > now,
            isRefused || triedAt.map({ now.timeIntervalSince($0) >= Self.pause }) ?? true
        else { return nil }
        triedAt = now
        // A task of its own, and not `SingleFlight`: a cancelled caller must not stop it, because the refresh token is
        // used up by then.
        let task = Task { await self.renew(held, renewal, isUrgent: isRefused || held.expiresAt <= now) }
        renewing = task
        let token = await task.value
        renewing = nil
        return token
    }

    /// - Parameter isUrgent: Whether the held token is unusable; while it is valid, one attempt is enough.
    private func renew(_ held: SignInToken, _ renewal: SignInToken.Renewal, isUrgent: Bool) async -> SignInToken? {
        do {
            var retry = context.retry
            if !isUrgent { retry.attempts = 1 }
            let token = try await retry.run { _ in try await self.created(held, renewal) }
            connectionFailure = nil
            save(token, insteadOf: held)
            context.logger.debug("renewed the sign-in", metadata: ["session": "\(settings.session ?? "")"])
            return token
        } catch {
            connectionFailure = error as? WireError
            context.logger.warning(
                "the sign-in could not be renewed",
                metadata: ["session": "\(settings.session ?? "")", "error": "\(error)"]
            )
            return nil
        }
    }

    private func save(_ token: SignInToken, insteadOf held: SignInToken) {
        do {
            // If the user has signed in again meanwhile, the file's token stays.
            let saved = try SignInToken(at: path, context.environment)
            guard saved == nil || saved?.accessToken == held.accessToken || unsaved != nil else { return }
            try token.write(to: path)
            unsaved = nil
        } catch {
            unsaved = token
            context.logger.warning(
                "the renewed sign-in could not be saved: after this run you may have to sign in again",
                metadata: ["error": "\(error)"]
            )
        }
    }

    /// Asks the token service for a new token.
    private func created(_ held: SignInToken, _ renewal: SignInToken.Renewal) async throws -> SignInToken {
        struct Answer: Decodable {
            var accessToken: String
            var expiresIn: Double
            var refreshToken: String?
        }
        struct Refusal: Decodable {
            var error: String
            var error_description: String?
        }
        let body = try JSONEncoder().encode([
            "clientId": renewal.clientID, "clientSecret": renewal.clientSecret, "grantType": "refresh_token",
            "refreshToken": renewal.refreshToken,
        ])
        var request = WireRequest(
            .post,
            issuer.at(path: "/token"),
            body: Array(body),
            deadline: Self.deadline
        )
        request.secretsInBody = [renewal.clientSecret, renewal.refreshToken]
        // AWS's own endpoints always use https; the user named any other.
        request.allowsPlainHTTP = true
        request.fields[.contentType] = "application/json"
        request.fields[.userAgent] = UserAgent.value
        let response = try await context.sender.answer(to: request)
        context.clocks.clock(of: issuer).learn(from: response)
        guard response.status.code == 200 else {
            let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(response.body))
            let message = [refusal?.error, refusal?.error_description].compactMap { $0 }.joined(separator: ": ")
            throw PortalFailure(response, message)
        }
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(response.body)),
            let token = held.renewed(
                answer.accessToken,
                until: localNow().addingTimeInterval(min(max(answer.expiresIn, 0), Self.longestLife)),
                refreshToken: answer.refreshToken
            )
        else { throw PortalFailure(response, "the answer has no token") }
        return token
    }

    // MARK: The keys

    private func keys(_ account: String, _ role: String, _ token: String) async throws -> AWSCredentials {
        struct Answer: Decodable {
            struct Keys: Decodable {
                var accessKeyId: String
                var secretAccessKey: String
                var sessionToken: String
                var expiration: Double
            }
            var roleCredentials: Keys
        }
        struct Refusal: Decodable { var message: String? }
        let query = "role_name=\(percentEncoded(role.utf8))&account_id=\(percentEncoded(account.utf8))"
        var request = WireRequest(
            .get,
            portal.at(path: "/federation/credentials", query: query),
            deadline: Self.deadline
        )
        request.allowsPlainHTTP = true
        if let name = HTTPField.Name("x-amz-sso_bearer_token") { request.fields[name] = token }
        request.fields[.userAgent] = UserAgent.value
        return try await context.retry.run { _ in
            let response = try await context.sender.answer(to: request)
            clock.learn(from: response)
            guard response.status.code == 200 else {
                let refusal = try? JSONDecoder().decode(Refusal.self, from: Data(response.body))
                throw PortalFailure(response, refusal?.message ?? "")
            }
            guard let keys = try? JSONDecoder().decode(Answer.self, from: Data(response.body)).roleCredentials else {
                throw PortalFailure(response, "the answer has no keys")
            }
            return AWSCredentials(
                accessKeyID: keys.accessKeyId,
                secretAccessKey: keys.secretAccessKey,
                sessionToken: keys.sessionToken,
                expiration: Date(timeIntervalSince1970: keys.expiration / 1_000),
                accountID: account,
                source: "sso role \(role) in \(account)"
            )
        }
    }

    private func explained(_ failure: PortalFailure, _ role: String) -> IdentityError {
        switch failure.status {
        case 401: return signInRequired("the sign-in to \(settings.startURL) is no longer accepted")
        case 403, 404:
            return IdentityError(
                "the role \(role) is not assigned to the signed-in user: \(failure)",
                tried: [path],
                remedy: "open \(settings.startURL) to see the assigned accounts and roles",
                requestID: failure.requestID
            )
        default:
            return IdentityError(
                "IAM Identity Center in \(settings.region) returned no keys for the role \(role): \(failure)",
                tried: [path],
                remedy: "run again; if that fails too, check sso_region",
                requestID: failure.requestID,
                isPassing: failure.retryAdvice != .never
            )
        }
    }

    private func signInRequired(_ problem: String) -> IdentityError {
        IdentityError(problem, tried: [path], remedy: "run: \(settings.login)")
    }
}

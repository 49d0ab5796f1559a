internal import FoundationEssentials
internal import Logging
internal import Wire

/// The keys in an answer of a container's endpoint or the instance metadata service.
struct RoleKeys: Decodable {
    var AccessKeyId: String
    var SecretAccessKey: String
    var Token: String
    var Expiration: String
    var AccountId: String?

    /// Parses a body.
    ///
    /// - Returns: `nil` for a body that lacks a member.
    init?(_ body: [UInt8]) {
        guard let keys = try? JSONDecoder().decode(RoleKeys.self, from: Data(body)) else { return nil }
        self = keys
    }

    /// Returns the keys as credentials; `nil` if the expiry isn't a valid time.
    func credentials(source: String) -> AWSCredentials? {
        AWSTime.parse(Expiration).map {
            AWSCredentials(
                accessKeyID: AccessKeyId,
                secretAccessKey: SecretAccessKey,
                sessionToken: Token,
                expiration: $0,
                accountID: AccountId,
                source: source
            )
        }
    }
}

extension AWSCredentials {
    /// The time for which expired or expiring keys are used before they are requested again, in seconds.
    private static let extensions = (RefreshingCredentials.advisory + 120)...(RefreshingCredentials.advisory + 600)

    /// Returns the same keys, with a later expiry if they have expired or are about to: AWS decides whether they still
    /// work.
    ///
    /// The endpoint may be late in renewing keys that AWS still accepts, or this machine's clock may be ahead of AWS's,
    /// by which they expire. Like botocore, this program doesn't learn the time from such an endpoint: ECS's and EKS's
    /// agents, and substitutes for the instance's service, run on this machine, so their `Date` comes from the clock
    /// that may be wrong, and would replace the time that was learned from AWS. If AWS no longer accepts the keys, they
    /// are requested again at once.
    ///
    /// - Parameters:
    ///   - remaining: In seconds; keys that last longer stay unchanged.
    ///   - clock: The clock by which the keys expire.
    ///   - issuer: The endpoint's name for the log.
    func extended(
        ifExpiringWithin remaining: TimeInterval,
        by clock: ServiceClock,
        from issuer: String,
        _ logger: Logger
    ) -> AWSCredentials {
        let now = clock.now()
        guard let expiration, expiration.timeIntervalSince(now) <= remaining else { return self }
        let end = expiration <= now ? "have expired, if this machine's clock is right" : "are about to expire"
        logger.warning(
            "\(issuer) returned keys that \(end); they are used until AWS refuses them",
            metadata: ["credentials": "\(self)"]
        )
        return AWSCredentials(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey,
            sessionToken: sessionToken,
            expiration: now.addingTimeInterval(.random(in: Self.extensions)),
            accountID: accountID,
            source: source
        )
    }
}

/// The body of a refusal from a container's endpoint or the instance metadata service.
struct RoleKeysRefusal: Decodable {
    private var Code: String?
    private var Message: String?
    private var code: String?
    private var message: String?

    /// Returns the service's code for the refusal.
    static func code(_ response: WireResponse) -> String? {
        let refusal = try? JSONDecoder().decode(RoleKeysRefusal.self, from: Data(response.body))
        return refusal?.Code ?? refusal?.code
    }

    /// Returns code and message after a colon; empty for a body that isn't a refusal.
    static func summary(of response: WireResponse) -> String {
        guard let refusal = try? JSONDecoder().decode(RoleKeysRefusal.self, from: Data(response.body)) else {
            return ""
        }
        let parts = [refusal.Code ?? refusal.code, refusal.Message ?? refusal.message].compactMap { $0 }
        return parts.isEmpty ? "" : ": " + presentable(parts.joined(separator: ": "), without: response.secrets)
    }
}

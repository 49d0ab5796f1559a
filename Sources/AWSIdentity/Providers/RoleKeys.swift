internal import FoundationEssentials
internal import Logging
internal import Wire

/// What container endpoints and the instance metadata service answer.
struct RoleKeys: Decodable {
    var AccessKeyId: String
    var SecretAccessKey: String
    var Token: String
    var Expiration: String
    var AccountId: String?

    /// - Returns: `nil` for anything that isn't all of it.
    init?(_ body: [UInt8]) {
        guard let keys = try? JSONDecoder().decode(RoleKeys.self, from: Data(body)) else { return nil }
        self = keys
    }

    /// - Returns: `nil` if the expiry is no time.
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
    /// In seconds: keys that are about to expire, or have, are used this much longer, and asked for again then.
    private static let extensions = (RefreshingCredentials.advisory + 120)...(RefreshingCredentials.advisory + 600)

    /// The same keys, used a while longer if they are over, and better than none: AWS decides.
    ///
    /// Who hands them on may be behind in renewing keys that AWS still accepts, or this machine's clock may be ahead of
    /// AWS's, in whose time they end. What such an endpoint says of the time is not learned from, and botocore doesn't
    /// either: ECS's and EKS's agents, and what stands in for the instance's service, run on this very machine, so that
    /// their `Date` is the clock that may be wrong, and would undo what AWS has said. Should AWS not take the keys any
    /// more, they are asked for anew at once.
    ///
    /// - Parameters:
    ///   - remaining: In seconds; keys that are good for longer are left as they are.
    ///   - clock: In whose time they end.
    func lasting(
        ifOverWithin remaining: TimeInterval,
        by clock: ServiceClock,
        from giver: String,
        _ logger: Logger
    ) -> AWSCredentials {
        let now = clock.now()
        guard let expiration, expiration.timeIntervalSince(now) <= remaining else { return self }
        let end = expiration <= now ? "have expired, if this machine's clock is right" : "are about to expire"
        logger.warning(
            "\(giver) gave keys that \(end); they are used a while longer",
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

/// What such an endpoint says when it refuses.
struct RoleKeysRefusal: Decodable {
    private var Code: String?
    private var Message: String?
    private var code: String?
    private var message: String?

    /// The service's name for the refusal.
    static func code(_ response: WireResponse) -> String? {
        let refusal = try? JSONDecoder().decode(RoleKeysRefusal.self, from: Data(response.body))
        return refusal?.Code ?? refusal?.code
    }

    /// In words, without anything that isn't a refusal.
    static func words(_ response: WireResponse) -> String {
        guard let refusal = try? JSONDecoder().decode(RoleKeysRefusal.self, from: Data(response.body)) else {
            return ""
        }
        let words = [refusal.Code ?? refusal.code, refusal.Message ?? refusal.message].compactMap { $0 }
        return words.isEmpty ? "" : ": " + presentable(words.joined(separator: ": "), without: response.secrets)
    }
}

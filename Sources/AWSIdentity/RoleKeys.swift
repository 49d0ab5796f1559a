internal import FoundationEssentials
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

/// What such an endpoint says when it refuses.
struct RoleKeysRefusal: Decodable {
    private var Code: String?
    private var Message: String?
    private var code: String?
    private var message: String?

    /// In words, without anything that isn't a refusal.
    static func words(_ response: WireResponse) -> String {
        guard let refusal = try? JSONDecoder().decode(RoleKeysRefusal.self, from: Data(response.body)) else {
            return ""
        }
        let words = [refusal.Code ?? refusal.code, refusal.Message ?? refusal.message].compactMap { $0 }
        return words.isEmpty ? "" : ": " + presentable(words.joined(separator: ": "), without: response.secrets)
    }
}

internal import FoundationEssentials

extension EmulatorConfiguration.IdentityCenter.SignIn: Expiring {}

/// The sign-ins to IAM Identity Center, with the refresh tokens that renew them.
struct SignIns: Sendable {
    typealias SignIn = EmulatorConfiguration.IdentityCenter.SignIn

    private struct Client: Hashable {
        var id: String
        var secret: String
    }

    private let clients: Set<Client>
    private var byAccessToken = ExpiringTable<SignIn>()
    /// The sign-ins by refresh token; their number never grows, because each renewal replaces a token.
    private var byRefreshToken: [String: SignIn] = [:]

    init(_ signIns: [SignIn] = [], at now: Date = .distantPast) {
        clients = Set(signIns.map { Client(id: $0.clientID, secret: $0.clientSecret) })
        for signIn in signIns { add(signIn, at: now) }
    }

    /// All sign-ins, also expired ones that are still kept, and earlier ones that were renewed.
    var all: [SignIn] { byAccessToken.all.map(\.element) }

    /// - Returns: `nil` for a token that is unknown or has expired.
    func signIn(_ accessToken: String, at now: Date) -> SignIn? {
        byAccessToken[accessToken].flatMap { $0.expires > now ? $0 : nil }
    }

    /// Renews a sign-in; the old access token stays valid until it expires, the old refresh token is used up.
    ///
    /// - Parameter seconds: How long the new access token is valid.
    /// - Throws: `InvalidClientException`, `InvalidGrantException`
    mutating func renew(
        _ refreshToken: String?,
        clientID: String?,
        clientSecret: String?,
        for seconds: Double,
        at now: Date
    ) throws(ServiceFault) -> SignIn {
        guard let clientID, let clientSecret, clients.contains(Client(id: clientID, secret: clientSecret)) else {
            throw ServiceFault("InvalidClientException", "Invalid client")
        }
        guard let refreshToken, var renewed = byRefreshToken[refreshToken], renewed.clientID == clientID else {
            throw ServiceFault("InvalidGrantException", "Invalid refresh token provided")
        }
        byRefreshToken[refreshToken] = nil
        renewed.accessToken = RandomText.mixed(400)
        renewed.refreshToken = RandomText.mixed(400)
        renewed.expires = now.addingTimeInterval(seconds)
        add(renewed, at: now)
        return renewed
    }

    private mutating func add(_ signIn: SignIn, at now: Date) {
        byAccessToken.insert(signIn, for: signIn.accessToken, at: now)
        if let token = signIn.refreshToken { byRefreshToken[token] = signIn }
    }
}

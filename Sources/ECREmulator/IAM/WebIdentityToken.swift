internal import FoundationEssentials

/// The claims of a JSON web token; its signature isn't checked.
struct WebIdentityToken: Sendable {
    var issuer: String
    var subject: String
    var audiences: [String]
    var expires: Date

    /// The code of an expired token; STS has another code for expired keys.
    static let expiry = "ExpiredWebIdentityToken"

    /// The valid times, in seconds since 1970: the years that four digits can write.
    private static let times = 0.0..<253_402_300_800

    private struct Claims: Decodable {
        var iss: String
        var sub: String
        var aud: Audiences
        var exp: Double
    }

    /// A text or a list of texts.
    private struct Audiences: Decodable {
        var values: [String]

        init(from decoder: any Decoder) throws {
            if let one = try? decoder.singleValueContainer().decode(String.self) {
                values = [one]
            } else {
                values = try [String](from: decoder)
            }
        }
    }

    /// - Throws: `InvalidIdentityToken`
    init(parsing text: String) throws(ServiceFault) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let bytes = Self.decoded(parts[1]),
            let claims = try? JSONDecoder().decode(Claims.self, from: bytes),
            Self.times.contains(claims.exp)
        else {
            throw ServiceFault("InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
        }
        issuer = claims.iss
        subject = claims.sub
        audiences = claims.aud.values
        expires = Date(timeIntervalSince1970: claims.exp)
    }

    /// Encodes bytes as URL-safe base64 without padding.
    static func encoded(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func decoded(_ text: String) -> Data? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }
}

internal import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// The answer of a token server: the token and its lifetime.
///
/// Only the token is required. The other members have defaults, and token servers write them in JSON types that the
/// specification doesn't have: `expires_in` as a string, `issued_at` as seconds since 1970, an empty `token` beside the
/// `access_token`.
///
/// - Source: docker's "Token Authentication Specification"; distribution/distribution#1746, moby/moby#20970
struct TokenAnswer {
    let token: String
    /// The lifetime from the request on, in seconds.
    let life: TimeInterval

    /// The longest token, in bytes; web servers accept header lines of 8 to 64 KiB, so a longer one is useless.
    static let longestToken = 65_536
    /// The default lifetime, in seconds (docker's "Token Authentication Specification").
    static let usualLife: TimeInterval = 60

    /// The reason why an answer is unusable.
    struct Fault: Error {
        let problem: String

        init(_ problem: String) { self.problem = problem }
    }

    init(_ response: WireResponse) throws(Fault) {
        guard
            let members = try? JSONDecoder().decode(Members.self, from: Data(withoutByteOrderMark(response.body[...])))
        else {
            throw Fault(Self.problem(of: response))
        }
        guard let found = [members.token, members.access_token].compactMap({ $0?.text }).first(where: { !$0.isEmpty })
        else { throw Fault("the answer has neither a token nor an access_token") }
        guard found.utf8.count <= Self.longestToken, found.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw Fault("the token is too long, or has characters that a header can't contain")
        }
        token = found
        life = Self.life(members, at: response.fields[.date])
    }

    private static func problem(of response: WireResponse) -> String {
        if response.body.allSatisfy(isJSONBlank) { return "the answer is empty" }
        let type = response.fields[.contentType].map { " (Content-Type \(cleaned($0, without: Secrets())))" } ?? ""
        return "the answer is not a JSON object\(printable(type, upTo: 100))"
    }

    /// The lifetime of the token from the request on, in seconds.
    ///
    /// A server may return a token that it issued earlier. Both times are by the server's clock, so this machine's
    /// clock may be wrong. A time of issue by which the token would have expired already is ignored.
    private static func life(_ members: Members, at date: String?) -> TimeInterval {
        let whole = members.expires_in?.number.flatMap { $0.isFinite && $0 > 0 ? $0 : nil } ?? usualLife
        guard let issued = members.issued_at?.date, let date, let age = durationUntil(httpDate: date, now: issued)
        else { return whole }
        let rest = whole - Double(age.components.seconds)
        return rest > 0 ? rest : min(whole, usualLife)
    }

    private struct Members: Decodable {
        var token: Scalar?
        var access_token: Scalar?
        /// The lifetime in seconds.
        var expires_in: Scalar?
        /// The time of issue: RFC 3339, or seconds since 1970.
        var issued_at: Scalar?
    }

    /// A string or a number; any other value counts as missing.
    private struct Scalar: Decodable {
        /// The string without white space around it; `nil` if the value is not a string.
        let text: String?
        let number: Double?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let string = try? container.decode(String.self) {
                let value = String(trimmed(string))
                (text, number) = (value, Double(value))
            } else {
                (text, number) = (nil, try? container.decode(Double.self))
            }
        }

        /// The latest time, in seconds since 1970; larger values are milliseconds, or would overflow.
        private static let latestSecond = 1e11

        var date: Date? {
            if let number {
                return (0...Self.latestSecond).contains(number) ? Date(timeIntervalSince1970: number) : nil
            }
            guard var text else { return nil }
            if let dot = text.firstIndex(of: ".") {
                let end = text[text.index(after: dot)...].firstIndex { !$0.isNumber } ?? text.endIndex
                text.removeSubrange(dot..<end)
            }
            return try? Date(text, strategy: .iso8601)
        }
    }
}

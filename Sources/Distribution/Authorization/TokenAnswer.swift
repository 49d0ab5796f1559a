internal import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// What a token server answered, read for the token and for how long it holds.
///
/// Only the token must be there. The other members have defaults, and token servers write them in other JSON types than
/// the specification's: `expires_in` as a string, `issued_at` as seconds since 1970, an empty `token` beside the
/// `access_token`.
///
/// - Source: docker's "Token Authentication Specification"; distribution/distribution#1746, moby/moby#20970
struct TokenAnswer {
    let token: String
    /// From when it was asked for, in seconds.
    let life: TimeInterval

    /// In bytes; web servers cut off a header line at 8 to 64 KiB, so a longer token could not be used.
    static let longestToken = 65_536
    /// How long a token holds whose server doesn't say (docker's "Token Authentication Specification").
    static let usualLife: TimeInterval = 60

    /// Why an answer is of no use, in words for an error.
    struct Fault: Error {
        let problem: String

        init(_ problem: String) { self.problem = problem }
    }

    init(_ response: WireResponse) throws(Fault) {
        guard let members = try? JSONDecoder().decode(Members.self, from: Data(Self.json(response.body))) else {
            throw Fault(Self.problem(of: response))
        }
        guard let found = [members.token, members.access_token].compactMap({ $0?.text }).first(where: { !$0.isEmpty })
        else { throw Fault("the answer has neither a token nor an access_token") }
        guard found.utf8.count <= Self.longestToken, found.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw Fault("the token is too long, or has characters that no header can carry")
        }
        token = found
        life = Self.life(members, at: response.fields[.date])
    }

    /// Without a byte order mark, which some servers send and no JSON may begin with (RFC 8259, section 8.1).
    private static func json(_ body: [UInt8]) -> ArraySlice<UInt8> {
        body.starts(with: [0xEF, 0xBB, 0xBF]) ? body[3...] : body[...]
    }

    private static func problem(of response: WireResponse) -> String {
        if response.body.allSatisfy({ [9, 10, 13, 32].contains($0) }) { return "the answer is empty" }
        let type = response.fields[.contentType].map { " (Content-Type \(cleaned($0, without: Secrets())))" } ?? ""
        return "the answer is not a JSON object\(printable(type, upTo: 100))"
    }

    /// How long the token holds, from when it was asked for, in seconds.
    ///
    /// A server may hand out a token that it has issued before. Both of its times are by its own clock, so that
    /// ours may be wrong. A time of issue that would make the token useless already is taken for nonsense.
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
        /// In seconds.
        var expires_in: Scalar?
        /// RFC 3339, or seconds since 1970.
        var issued_at: Scalar?
    }

    /// A string or a number; anything else counts as left out.
    private struct Scalar: Decodable {
        /// Without white space around it; `nil` if it is not a string.
        let text: String?
        let number: Double?

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let string = try? container.decode(String.self) {
                let trimmed = trimmed(string)
                (text, number) = (trimmed, Double(trimmed))
            } else {
                (text, number) = (nil, try? container.decode(Double.self))
            }
        }

        /// Of times since 1970, in seconds: milliseconds are more, and so is nonsense that would overflow.
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

/// Without white space at both ends.
func trimmed(_ text: String) -> String {
    let isBlank: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
    let start = text.unicodeScalars.drop(while: isBlank)
    guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(start[...last])
}

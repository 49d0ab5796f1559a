internal import AWSIdentity
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// The code and the message of an answer that isn't a success, as AWS's JSON services write them.
///
/// - Source: docs/facts/ecr-api.md#errors
struct AWSJSONRefusal {
    /// The code without its namespace; the HTTP status if the answer has none.
    let code: String
    /// The service's message, without secrets.
    let message: String
    /// The message as it was sent, which may name more than is shown; it must not be shown.
    let wholeMessage: String

    /// This program's own code for an answer that was cut.
    static let unreadable = "UnreadableAnswer"
    /// The longest code that is kept, in bytes; AWS's longest has 50.
    private static let longestCode = 200

    init(_ response: WireResponse) {
        let said = try? JSONDecoder().decode(Body.self, from: Data(response.body))
        let type = said?.type ?? response.fields[.amzErrorType]
        // A body with the content type of JSON that can't be parsed was cut in transit, so it is retried.
        let isCut = said == nil && response.fields[.contentType]?.contains("json") == true
        code =
            type.map { Self.name(of: presentable($0, without: response.secrets, upTo: Self.longestCode)) }
            ?? (isCut ? Self.unreadable : String(response.status.code))
        message = presentable(
            said.map { $0.message ?? "" } ?? response.excerpt(),
            without: response.secrets,
            upTo: longestServiceText
        )
        wholeMessage = said?.message ?? ""
    }

    /// The code in a `__type`: `Code` or `namespace#Code`, either followed by `:uri` or not.
    static func name(of type: String) -> String {
        let name = type.prefix { $0 != ":" }
        return String(name.lastIndex(of: "#").map { name[name.index(after: $0)...] } ?? name)
    }

    private struct Body: Decodable {
        var type: String?
        var message: String?

        enum CodingKeys: String, CodingKey {
            case type = "__type"
            case message
            case capitalMessage = "Message"
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try? container.decodeIfPresent(String.self, forKey: .type)
            message =
                (try? container.decodeIfPresent(String.self, forKey: .message))
                ?? (try? container.decodeIfPresent(String.self, forKey: .capitalMessage))
        }
    }
}

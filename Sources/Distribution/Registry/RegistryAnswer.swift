internal import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// A classified answer of a registry that isn't a success.
///
/// Every byte comes from the server, so the text is limited here, and shown only as a ``Quote``.
struct RegistryAnswer {
    let status: Int
    /// Whether it has the content type of JSON and isn't JSON, because it was cut.
    let isCut: Bool
    /// The challenges, which name the credentials that the registry accepts.
    let challenges: [AuthenticationChallenge]
    private let namesPullLimit: Bool
    private let request: WireRequest
    private let codes: [RegistryError.Code]
    private let text: String

    /// The most entries of `errors` that are kept.
    private static let mostCodes = 10

    /// - Parameter request: The request as it was sent, with its credentials.
    init(_ response: WireResponse, to request: WireRequest) {
        status = response.status.code
        challenges = AuthenticationChallenge.parse(response.fields[values: .wwwAuthenticate])
        namesPullLimit = response.namesPullLimit
        self.request = request
        let body = Array(response.body.prefix(RegistryError.longestBody))
        let parsed = try? JSONDecoder().decode(Body.self, from: Data(body))
        isCut =
            parsed == nil && !body.isEmpty && body.count == response.body.count
            && response.fields[.contentType]?.contains("json") == true
        if let parsed, parsed.isErrorBody {
            let entries = (parsed.errors ?? []).prefix(Self.mostCodes)
            codes = entries.compactMap { entry in entry.code.map { .init(code: $0, message: entry.message ?? "") } }
            text = (entries.compactMap(\.message) + [parsed.message].compactMap { $0 }).joined(separator: "; ")
        } else {
            codes = []
            // S3's XML quotes the signed request after a bad signature; only these two elements are safe to show.
            let whole = String(decoding: body, as: UTF8.self)
            let parts = ["Code", "Message"].compactMap { element(of: whole, named: $0) }
            text = whole.contains("<Error>") ? parts.joined(separator: ": ") : whole
        }
    }

    /// The part of an answer that may be shown, without control characters, queries of URLs, and secrets of the request.
    struct Quote {
        let codes: [RegistryError.Code]
        /// The whole message, in one line.
        let text: String

        /// The codes and their messages, shortened for an error.
        var shortenedCodes: [RegistryError.Code] {
            codes.map {
                .init(
                    code: printable($0.code, upTo: 60),
                    message: printable($0.message, upTo: RegistryError.longestQuote)
                )
            }
        }
    }

    /// Makes the quote.
    ///
    /// It is made on demand, because most answers are only classified, and the search for secrets is slow.
    func quote() -> Quote {
        let secrets = request.secrets
        return Quote(
            codes: codes.map {
                .init(code: cleaned($0.code, without: secrets), message: cleaned($0.message, without: secrets))
            },
            text: cleaned(text, without: secrets)
        )
    }

    /// Whether the credentials are refused, and not only the action.
    ///
    /// - Source: docs/facts/ecr-registry.md#authentication; RFC 6750, section 3.1: 403 for a token that grants too little
    var refusesToken: Bool {
        switch status {
        case 401: true
        case 400, 403: mentionsExpiredToken || contains("no basic auth credentials") || grantsTooLittle
        default: false
        }
    }

    private var grantsTooLittle: Bool {
        challenges.contains { $0.scheme == "bearer" && $0.parameters["error"] == "insufficient_scope" }
    }

    var kind: RegistryError.Kind {
        let known = codes.lazy.compactMap { Self.kinds[$0.code] }.first
        // The status doesn't matter: registries report a missing repository with 400, 401, 403, 404 and 500.
        if known == .repositoryMissing { return .repositoryMissing }
        if (400..<500).contains(status), contains("immutable") { return .tagImmutable }
        if status == 401 { return .unauthorized }
        if namesPullLimit { return .pullLimit }
        if refusesToken, !grantsTooLittle { return mentionsExpiredToken ? .tokenExpired : .unauthorized }
        if let known { return known }
        return switch status {
        case 403: .denied
        case 405: .unsupported
        case 416: .blobUploadInvalid
        // 408 means that the registry did not have time for the request.
        case 408, 429: .tooManyRequests
        case 500...: .serverFault
        default: .other
        }
    }

    private var mentionsExpiredToken: Bool { contains("token has expired") || contains("token is expired") }

    private func contains(_ phrase: String) -> Bool { text.lowercased().contains(phrase) }

    private static let kinds: [String: RegistryError.Kind] = [
        "NAME_UNKNOWN": .repositoryMissing,
        "MANIFEST_UNKNOWN": .manifestUnknown,
        "MANIFEST_BLOB_UNKNOWN": .manifestBlobUnknown,
        "BLOB_UNKNOWN": .blobUnknown,
        "BLOB_UPLOAD_INVALID": .blobUploadInvalid,
        "BLOB_UPLOAD_UNKNOWN": .blobUploadInvalid,
        "UNAUTHORIZED": .unauthorized,
        "DENIED": .denied,
        "TOOMANYREQUESTS": .tooManyRequests,
        "UNSUPPORTED": .unsupported,
    ]

    /// An error body of the distribution specification, or a lone `message`; any member may be missing.
    private struct Body: Decodable {
        var errors: [Entry]?
        var message: String?

        var isErrorBody: Bool { errors != nil || message != nil }
    }

    private struct Entry: Decodable {
        var code: String?
        var message: String?

        enum CodingKeys: String, CodingKey { case code, message }

        /// Ignores a code that is a number, which some registries send, so that the message is kept.
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            code = try? container.decode(String.self, forKey: .code)
            message = try? container.decode(String.self, forKey: .message)
        }
    }
}

/// Returns a text in one line, without queries and credentials; ``printable(_:upTo:)`` shortens it.
///
/// - Parameter secrets: The secrets of the request.
func cleaned(_ text: String, without secrets: Secrets) -> String {
    let text = secrets.cut(from: text)
    let words = printable(text, upTo: RegistryError.longestBody).split(separator: " ")
    return words.map { word in
        guard let mark = word.firstIndex(of: "?"), word[..<mark].contains("/") else { return String(word) }
        return "\(word[..<mark])?…"
    }.joined(separator: " ")
}

/// Returns the text between `<name>` and `</name>`.
private func element(of text: String, named name: String) -> String? {
    guard let start = text.firstRange(of: "<\(name)>")?.upperBound,
        let end = text[start...].firstRange(of: "</\(name)>")?.lowerBound
    else { return nil }
    return String(text[start..<end])
}

internal import Content
internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// An unwanted answer, read for what it means.
///
/// Every byte of it is the server's: what it says is bounded and decided by here, and shown to others only as a ``Quote``.
struct RegistryAnswer {
    let status: Int
    /// Whether it calls itself JSON and can't be read as such: cut on the way, whatever it said.
    let isCut: Bool
    /// What the registry would take instead of what it was shown.
    let challenges: [AuthenticationChallenge]
    private let namesPullLimit: Bool
    private let request: WireRequest
    private let codes: [RegistryError.Code]
    private let text: String

    /// Entries of `errors` that are kept.
    private static let mostCodes = 10

    /// - Parameter request: The one that was sent, with what it carried.
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
        if let parsed, parsed.saysSomething {
            let entries = (parsed.errors ?? []).prefix(Self.mostCodes)
            codes = entries.compactMap { entry in entry.code.map { .init(code: $0, message: entry.message ?? "") } }
            text = (entries.compactMap(\.message) + [parsed.message].compactMap { $0 }).joined(separator: "; ")
        } else {
            codes = []
            // S3's XML quotes the signed request back on a bad signature; only these two are ours to repeat.
            let whole = String(decoding: body, as: UTF8.self)
            let parts = ["Code", "Message"].compactMap { element(of: whole, named: $0) }
            text = whole.contains("<Error>") ? parts.joined(separator: ": ") : whole
        }
    }

    /// What others may see of an answer: cleaned of control characters, and of what may be a secret (queries of addresses,
    /// those of the request).
    struct Quote {
        let codes: [RegistryError.Code]
        /// All that was said, in one line.
        let text: String
    }

    /// Made when it is wanted: most answers are only decided by, and looking for secrets takes long.
    func quote() -> Quote {
        let secrets = request.secrets
        return Quote(
            codes: codes.map {
                .init(code: cleaned($0.code, without: secrets), message: cleaned($0.message, without: secrets))
            },
            text: cleaned(text, without: secrets)
        )
    }

    /// Whether the credentials, and not what they may do, are the trouble.
    ///
    /// - Source: docs/facts/ecr-registry.md#authentication; RFC 6750, section 3.1, says 403 of a token that grants too
    ///   little
    var namesTheToken: Bool {
        switch status {
        case 401: true
        case 400, 403: sayTokenExpired || says("no basic auth credentials") || grantsTooLittle
        default: false
        }
    }

    private var grantsTooLittle: Bool {
        challenges.contains { $0.scheme == "bearer" && $0.parameters["error"] == "insufficient_scope" }
    }

    var kind: RegistryError.Kind {
        let known = codes.lazy.compactMap { Self.kinds[$0.code] }.first
        // Whatever its status: registries say this of a missing repository with 400, 401, 403, 404 and 500.
        if known == .repositoryMissing { return .repositoryMissing }
        if (400..<500).contains(status), says("immutable") { return .tagImmutable }
        if status == 401 { return .unauthorized }
        if namesPullLimit { return .pullLimit }
        if namesTheToken, !grantsTooLittle { return sayTokenExpired ? .tokenExpired : .unauthorized }
        if let known { return known }
        return switch status {
        case 403: .denied
        case 405: .unsupported
        case 416: .blobUploadInvalid
        // 408: the registry had no time for the request.
        case 408, 429: .tooManyRequests
        case 500...: .serverFault
        default: .other
        }
    }

    private var sayTokenExpired: Bool { says("token has expired") || says("token is expired") }

    private func says(_ words: String) -> Bool { text.lowercased().contains(words) }

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

    /// The distribution-spec's shape, or a lone `message`; anything may be missing.
    private struct Body: Decodable {
        var errors: [Entry]?
        var message: String?

        var saysSomething: Bool { errors != nil || message != nil }
    }

    private struct Entry: Decodable {
        var code: String?
        var message: String?

        enum CodingKeys: String, CodingKey { case code, message }

        /// Some registries number their codes; that must not hide the message.
        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            code = try? container.decode(String.self, forKey: .code)
            message = try? container.decode(String.self, forKey: .message)
        }
    }
}

/// One line that people may be shown, without queries and credentials; ``clipped(_:to:)`` cuts it.
///
/// - Parameter secrets: Of the request that it is about.
func cleaned(_ text: String, without secrets: Secrets) -> String {
    let text = secrets.cut(from: text)
    let words = printable(text, upTo: RegistryError.longestBody).split(separator: " ")
    return words.map { word in
        guard let mark = word.firstIndex(of: "?"), word[..<mark].contains("/") else { return String(word) }
        return "\(word[..<mark])?…"
    }.joined(separator: " ")
}

/// The first `limit` bytes, as people may be shown them.
func clipped(_ text: String, to limit: Int = RegistryError.longestQuote) -> String { printable(text, upTo: limit) }

/// What stands between `<name>` and `</name>`.
private func element(of text: String, named name: String) -> String? {
    guard let start = text.firstRange(of: "<\(name)>")?.upperBound,
        let end = text[start...].firstRange(of: "</\(name)>")?.lowerBound
    else { return nil }
    return String(text[start..<end])
}

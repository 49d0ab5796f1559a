/// The policy of a repository or a registry, as text for answers and saved state, and parsed once for decisions.
struct StoredPolicy: Sendable, Equatable {
    let text: String
    let document: PolicyDocument
}

extension StoredPolicy: Codable {
    /// - Throws: ``PolicySyntaxError`` as the cause of a `DecodingError`, for a policy that an earlier emulator
    ///   accepted.
    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
        do {
            document = try PolicyDocument(parsing: text, as: .resource)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "not a valid policy", underlyingError: error)
            )
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(text)
    }
}

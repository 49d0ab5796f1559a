/// A repository's policy or a registry's: as it was written, which is what is told and saved, and as it was read, once.
struct KeptPolicy: Sendable, Equatable {
    let text: String
    let document: PolicyDocument
}

extension KeptPolicy: Codable {
    /// - Throws: ``PolicySyntaxError`` as the cause of a `DecodingError`, for what an emulator let in that knew less of IAM.
    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
        do {
            document = try PolicyDocument(parsing: text, as: .resource)
        } catch {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no policy", underlyingError: error)
            )
        }
    }

    func encode(to encoder: any Encoder) throws {
        var value = encoder.singleValueContainer()
        try value.encode(text)
    }
}

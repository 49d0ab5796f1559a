internal import Content

/// An in-toto statement, as far as it is about an image: who it is about, and what kind of claim it makes.
///
/// - Source: docs/facts/signatures.md#statements
package struct InTotoStatement: Sendable, Hashable {
    /// The type of the claim, a URI.
    package var predicateType: String
    /// The SHA-256 digests of the subjects, in hexadecimal, as written.
    package var subjects: Set<String>

    static let types: Set<String> = [
        "https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1",
    ]

    /// The claim of a signature that `cosign sign` writes in a bundle.
    package static let cosignSignature = "https://sigstore.dev/cosign/sign/v1"

    /// - Throws: ``SignatureProblem``, also for a statement of an unknown version.
    package init(json: [UInt8]) throws(SignatureProblem) {
        let document = try SignedJSON.decode(Document.self, from: json, "the statement", foldingCase: false)
        guard Self.types.contains(document._type) else {
            throw .refused("the statement has the unknown type '\(quotable(document._type, upTo: 100))'")
        }
        guard document.subject.count <= SignatureLimits.subjects else {
            throw .refused("the statement has \(document.subject.count) subjects")
        }
        var subjects: Set<String> = []
        for subject in document.subject {
            let digests = subject.digest ?? [:]
            guard digests.count <= SignatureLimits.digestsPerSubject else {
                throw .refused("a subject of the statement has \(digests.count) digests")
            }
            if let hex = digests["sha256"] { subjects.insert(hex) }
        }
        predicateType = document.predicateType
        self.subjects = subjects
    }

    /// Reads the statement of a verified envelope.
    init(of envelope: DSSEEnvelope) throws(SignatureProblem) {
        guard envelope.payloadType == DSSEEnvelope.statementType else {
            throw .refused(
                "the payload type is '\(quotable(envelope.payloadType, upTo: 100))', not that of a statement"
            )
        }
        try self.init(json: envelope.payload)
    }

    /// Whether one of the subjects is the content with this digest.
    func isAbout(_ digest: Digest) -> Bool { subjects.contains(digest.hex) }

    private struct Document: Decodable {
        struct Subject: Decodable { var digest: [String: String]? }

        var _type: String
        var subject: [Subject]
        var predicateType: String
    }
}

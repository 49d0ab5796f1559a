internal import Content
internal import Platform

/// Notation's trust policy: which stores and which signers count for which repository.
///
/// - Source: docs/facts/signatures.md#trust-stores-and-policies
package struct TrustPolicy: Sendable, Hashable {
    static let fileNames: Set<String> = ["trustpolicy.json", "trustpolicy.oci.json"]

    struct Statement: Sendable, Hashable {
        var name: String
        /// Repositories without tags, or one `*`.
        var scopes: [String]
        var level: String
        /// Such as `ca:acme`.
        var stores: [String]
        var identities: [String]
    }

    var statements: [Statement]

    /// - Throws: ``SignatureProblem``, also for a policy that Notation refuses: another version, a repository in two
    ///   statements, identities of an unknown form.
    package init(json: [UInt8]) throws(SignatureProblem) {
        let document = try SignedJSON.decode(Document.self, from: json, "the trust policy", foldingCase: false)
        guard document.version == "1.0" else {
            throw .refused("the trust policy has the unknown version '\(quotable(document.version, upTo: 20))'")
        }
        statements = document.trustPolicies.map { policy in
            Statement(
                name: policy.name,
                scopes: policy.registryScopes ?? ["*"],
                level: policy.signatureVerification.level,
                stores: policy.trustStores ?? [],
                identities: policy.trustedIdentities ?? []
            )
        }
        var seen: Set<String> = []
        for statement in statements {
            for scope in statement.scopes where !seen.insert(scope).inserted {
                throw .refused("the trust policy has the scope '\(quotable(scope, upTo: 200))' twice")
            }
            for identity in statement.identities { _ = try TrustedIdentity(identity) }
        }
    }

    /// The statement for a repository: the one that names it, else the one for all.
    func statement(for repository: String) -> Statement? {
        statements.first { $0.scopes.contains(repository) } ?? statements.first { $0.scopes.contains("*") }
    }

    func rules(for repository: String) throws(SignatureProblem) -> TrustRules {
        guard let statement = statement(for: repository) else {
            throw .refused("the trust policy has no statement for the repository '\(quotable(repository, upTo: 300))'")
        }
        guard statement.level != "skip" else {
            throw .refused("the trust policy's statement '\(quotable(statement.name, upTo: 100))' skips verification")
        }
        return TrustRules(stores: Set(statement.stores), identities: statement.identities)
    }

    private struct Document: Decodable {
        struct Policy: Decodable {
            struct Verification: Decodable { var level: String }

            var name: String
            var registryScopes: [String]?
            var signatureVerification: Verification
            var trustStores: [String]?
            var trustedIdentities: [String]?
        }

        var version: String
        var trustPolicies: [Policy]
    }
}

/// The stores and signers that count for one repository.
struct TrustRules {
    /// The stores, such as `ca:acme`; `nil` for all.
    var stores: Set<String>?
    var identities: [String]

    /// Whether a trusted certificate counts, as one that is in no store of Notation's always does.
    func allows(_ anchor: TrustStore.Anchor) -> Bool {
        guard let stores, let kind = anchor.kind, let store = anchor.store else { return true }
        return stores.contains("\(kind.rawValue):\(store)")
    }

    /// Checks that the signer is one of the identities.
    ///
    /// Everyone with an AWS account can sign under the root of AWS Signer, so its signatures need a signing profile.
    func check(_ signature: NotationSignature) throws(SignatureProblem) {
        if let signer = signature.attributes.signer {
            guard identities.contains(where: signer.matches) else {
                throw SignatureProblem(
                    .otherSigner,
                    "by the signing profile '\(quotable(signer.profileVersion, upTo: 200))', which is not among the "
                        + "trusted identities"
                )
            }
            return
        }
        for text in identities where try TrustedIdentity(text).matches(signature.chain[0].subject) { return }
        throw SignatureProblem(
            .otherSigner,
            "by '\(quotable(signature.chain[0].subjectText, upTo: 200))', which is not among the trusted identities"
        )
    }
}

/// One signer that counts, or all.
enum TrustedIdentity: Hashable {
    case everyone
    /// Parts of the name in the signer's certificate, each of which must be there.
    case subject([Part])
    /// A signing profile of AWS Signer, with or without its version.
    case profile(String)

    struct Part: Hashable {
        var type: String
        var value: String
    }

    init(_ text: String) throws(SignatureProblem) {
        let prefix = "x509.subject:"
        if text == "*" {
            self = .everyone
        } else if SignerAttributes.isIdentity(text) {
            self = .profile(text)
        } else if text.hasPrefix(prefix) {
            let parts = try Self.parts(String(text.dropFirst(prefix.count)))
            guard Set(parts.map(\.type)).isSuperset(of: ["C", "ST", "O"]) else {
                throw .refused("the identity '\(quotable(text, upTo: 200))' must have C, ST and O")
            }
            self = .subject(parts)
        } else {
            throw .refused(
                "the identity '\(quotable(text, upTo: 200))' is neither 'x509.subject: …' nor a profile's ARN"
            )
        }
    }

    /// Whether the name of a certificate is this identity's; a profile is never in a name.
    func matches(_ subject: [X509Certificate.NameAttribute]) -> Bool {
        switch self {
        case .everyone: true
        case .profile: false
        case .subject(let parts):
            parts.allSatisfy { part in subject.filter { $0.type == part.type }.map(\.value) == [part.value] }
        }
    }

    /// Reads a distinguished name such as `C=US, ST=WA, O=Example\, Ltd`.
    ///
    /// - Source: RFC 4514; of its escapes a backslash before one character is read
    private static func parts(_ text: String) throws(SignatureProblem) -> [Part] {
        var parts: [Part] = []
        var piece = ""
        var type: String?
        var isEscaped = false
        func finish() throws(SignatureProblem) {
            guard let name = type, !name.isEmpty, !piece.isEmpty, !parts.contains(where: { $0.type == name }) else {
                throw .refused("the name '\(quotable(text, upTo: 200))' in an identity can't be read")
            }
            parts.append(Part(type: name, value: piece))
            (type, piece) = (nil, "")
        }
        for character in text + "," {
            switch character {
            case _ where isEscaped:
                piece.append(character)
                isEscaped = false
            case "\\": isEscaped = true
            case "+": throw .refused("the name '\(quotable(text, upTo: 200))' in an identity has a plus sign")
            case "=" where type == nil:
                type = trimmed(piece).uppercased()
                piece = ""
            case ",":
                piece = String(trimmed(piece))
                try finish()
            default: piece.append(character)
            }
        }
        return parts
    }
}

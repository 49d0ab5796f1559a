internal import Content

/// What `--require-attestation` names: a type of attestation, and the key that must have signed it.
package struct AttestationRequirement: Sendable {
    /// The argument as the user wrote it.
    package let argument: String
    package let type: AttestationType
    /// `nil` if an unsigned attestation is enough.
    package let key: SignatureKey?

    /// Why an argument is no requirement.
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    package init(type: AttestationType, key: SignatureKey?) {
        argument = type.name + (key.map { ":\($0.argument)" } ?? "")
        (self.type, self.key) = (type, key)
    }

    /// Reads `TYPE[:KEY]`, where the type is a short name or a predicate type.
    ///
    /// - Throws: ``Failure``
    package init(argument: String) throws(Failure) {
        let (name, key) = Self.parts(of: argument)
        guard let type = AttestationType(name) else {
            let names = AttestationType.shortNames.joined(separator: ", ")
            throw Failure(
                description: """
                    this is not a type of attestation: '\(quotable(name))'
                    next: write \(names), or a predicate type that begins with https://
                    """
            )
        }
        self.argument = argument
        self.type = type
        guard let key else {
            self.key = nil
            return
        }
        do {
            self.key = try SignatureKey(argument: key)
        } catch {
            throw Failure(description: error.description)
        }
        if case .store = self.key?.content {
            throw Failure(
                description: """
                    attestations are verified with a key, not with a directory: '\(quotable(key))'
                    next: name a PEM file with a public key, or awskms:///ARN
                    """
            )
        }
    }

    /// Splits at the first colon that is not a URL's own.
    private static func parts(of argument: String) -> (type: String, key: String?) {
        let scheme = ["https://", "http://"].first { argument.hasPrefix($0) } ?? ""
        let rest = argument.dropFirst(scheme.count)
        guard let colon = rest.firstIndex(of: ":") else { return (argument, nil) }
        return (scheme + rest[..<colon], String(rest[rest.index(after: colon)...]))
    }
}

/// A type of attestation, with the predicate types that it goes by.
///
/// - Source: docs/facts/signatures.md#predicate-types
package struct AttestationType: Sendable, Hashable {
    package var name: String
    /// The predicate types; one with a version after a slash counts as well, such as `…/bom/v1.6`.
    var predicateTypes: [String]
    /// The artifact types of referrers that are such a document themselves.
    var artifactTypes: Set<String>

    package static let spdx = Self(
        name: "spdx",
        predicateTypes: ["https://spdx.dev/Document"],
        artifactTypes: ["application/spdx+json", "text/spdx+json", "text/spdx"]
    )
    package static let cycloneDX = Self(
        name: "cyclonedx",
        predicateTypes: ["https://cyclonedx.org/bom", "https://cyclonedx.org/schema"],
        artifactTypes: ["application/vnd.cyclonedx+json", "application/vnd.cyclonedx+xml", "application/vnd.cyclonedx"]
    )
    package static let provenance = Self(
        name: "slsaprovenance",
        predicateTypes: ["https://slsa.dev/provenance"],
        artifactTypes: []
    )

    /// Whether this is a SLSA provenance, also where it is named by its predicate type.
    var isProvenance: Bool { predicateTypes.allSatisfy { Self.provenance.includes($0) } }

    /// The short names, some of them cosign's.
    package static let shortNames = ["spdx", "cyclonedx", "slsaprovenance"]

    init(name: String, predicateTypes: [String], artifactTypes: Set<String>) {
        (self.name, self.predicateTypes, self.artifactTypes) = (name, predicateTypes, artifactTypes)
    }

    /// - Parameter text: A short name, or a predicate type that begins with `https://` or `http://`.
    package init?(_ text: String) {
        switch text {
        case "spdx", "spdxjson": self = .spdx
        case "cyclonedx": self = .cycloneDX
        case "slsaprovenance", "provenance": self = .provenance
        case _ where text.hasPrefix("https://") || text.hasPrefix("http://"):
            self.init(name: text, predicateTypes: [text], artifactTypes: [])
        default: return nil
        }
    }

    /// Whether a predicate type is one of this type's.
    func includes(_ predicateType: String) -> Bool {
        predicateTypes.contains { known in
            guard predicateType.hasPrefix(known) else { return false }
            let rest = predicateType.dropFirst(known.count)
            return rest.isEmpty || rest.hasPrefix("/v") && !rest.dropFirst().contains("/")
        }
    }
}

internal import Content

/// What must be in a SLSA provenance: who built, and from which source.
///
/// - Source: docs/facts/signatures.md#provenance
package struct ProvenanceExpectation: Sendable, Hashable {
    /// The builder's identifier, a URI, compared as it is; `nil` for any.
    package var builder: String?
    /// The source repository, such as `https://github.com/acme/app` or `github.com/acme/app`; `nil` for any.
    package var repository: String?

    package init(builder: String? = nil, repository: String? = nil) {
        (self.builder, self.repository) = (builder, repository)
    }

    package var isEmpty: Bool { builder == nil && repository == nil }

    /// Checks the predicate of a statement.
    ///
    /// - Returns: What was compared, in words for people.
    /// - Throws: ``SignatureProblem``
    func check(_ statement: [UInt8]) throws(SignatureProblem) -> String {
        let predicate = try SignedJSON.decode(Document.self, from: statement, "the statement", foldingCase: false)
            .predicate
        let stated = predicate["runDetails"]?["builder"]?["id"]?.text ?? predicate["builder"]?["id"]?.text
        if let builder {
            guard stated == builder else {
                throw .refused(
                    "it was built by '\(quotable(stated ?? "", upTo: 200))', not by '\(quotable(builder, upTo: 200))'"
                )
            }
        }
        let source = Self.source(in: predicate)
        if let repository {
            guard let source, Self.normal(source) == Self.normal(repository) else {
                let other = quotable(source ?? "", upTo: 200)
                throw .refused("it was built from '\(other)', not from '\(quotable(repository, upTo: 200))'")
            }
        }
        return "builder '\(quotable(stated ?? "", upTo: 200))', source '\(quotable(source ?? "", upTo: 200))'"
    }

    /// The source repository that a predicate states.
    ///
    /// It is what the build was told to take. The list of what the build used comes last: only its first entry is the
    /// source, and the others are anything that a build fetched.
    private static func source(in predicate: JSONValue) -> String? {
        let parameters = predicate["buildDefinition"]?["externalParameters"]
        let told = [
            parameters?["workflow"]?["repository"]?.text, parameters?["source"]?.text,
            parameters?["source"]?["uri"]?.text, parameters?["configSource"]?["uri"]?.text,
            predicate["invocation"]?["configSource"]?["uri"]?.text,
        ]
        if let source = told.compactMap({ $0 }).first { return source }
        for list in [predicate["buildDefinition"]?["resolvedDependencies"], predicate["materials"]] {
            if case .array(let entries)? = list, let uri = entries.first?["uri"]?.text { return uri }
        }
        return nil
    }

    /// An address without what writers add: `git+`, the scheme, `.git`, a revision.
    private static func normal(_ address: String) -> String {
        var text = Substring(address)
        for prefix in ["git+", "https://", "http://", "ssh://", "git://", "git@"] where text.hasPrefix(prefix) {
            text = text.dropFirst(prefix.count)
        }
        if let end = text.firstIndex(where: { $0 == "@" || $0 == "#" || $0 == "?" }) { text = text[..<end] }
        while text.hasSuffix("/") { text = text.dropLast() }
        if text.hasSuffix(".git") { text = text.dropLast(4) }
        // A host's name has no case.
        guard let slash = text.firstIndex(of: "/") else { return text.lowercased() }
        return text[..<slash].lowercased() + text[slash...]
    }

    private struct Document: Decodable { var predicate: JSONValue }
}

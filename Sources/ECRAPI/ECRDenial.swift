extension ECRError {
    /// Who may not do what, and whose policy says so.
    public struct Denial: Sendable, Hashable {
        /// Where the permission is missing or refused.
        public enum Reason: Sendable, Hashable {
            /// The caller's own policies don't allow it.
            case identityPolicy
            /// The repository's or the registry's policy doesn't allow it: the usual cross-account case.
            case resourcePolicy
            case sessionPolicy
            case permissionsBoundary
            case serviceControlPolicy
            case resourceControlPolicy
            case endpointPolicy
            /// AWS didn't say.
            case unstated
        }

        /// The ARN of the caller.
        public let principal: String?
        /// For example `ecr:PutImage`.
        public let action: String
        /// An ARN, or `*`.
        public let resource: String?
        public let reason: Reason
        /// A policy forbids it, rather than none allowing it.
        public let isExplicit: Bool
    }

    /// What a refusal says, read out of its sentence.
    ///
    /// - Returns: `nil` unless ``code`` is `AccessDeniedException`; a sentence we can't read gives the operation's
    ///   own action.
    public var denial: Denial? {
        guard code == .accessDenied || code.rawValue == "AccessDenied" else { return nil }
        return Denial(sentence: message, operation: operation)
    }
}

extension ECRError.Denial {
    /// - Source: facts/ecr.md D.5
    public init(sentence: String, operation: String) {
        let principal = Self.word(in: sentence, after: "User: ")
        let action = Self.word(in: sentence, after: "is not authorized to perform: ")
        self.principal = principal
        self.action = action ?? "ecr:\(operation == "ListImageReferrers" ? "BatchGetImage" : operation)"
        resource = Self.word(in: sentence, after: " on resource: ")
        isExplicit = sentence.contains("explicit deny")
        let kinds: [(String, Reason)] = [
            ("identity-based", .identityPolicy), ("resource-based", .resourcePolicy), ("session polic", .sessionPolicy),
            ("permissions boundar", .permissionsBoundary), ("service control", .serviceControlPolicy),
            ("resource control", .resourceControlPolicy), ("VPC endpoint", .endpointPolicy),
        ]
        reason = kinds.first { sentence.contains($0.0) }?.1 ?? .unstated
    }

    private static func word(in sentence: String, after marker: String) -> String? {
        guard let found = sentence.firstRange(of: marker) else { return nil }
        let word = sentence[found.upperBound...].prefix { !$0.isWhitespace }
        return word.isEmpty ? nil : String(word)
    }
}

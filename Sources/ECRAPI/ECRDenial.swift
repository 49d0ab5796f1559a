internal import Content

extension ECRError {
    /// A refused permission: the caller, the action, the resource, and the kind of policy that refused it.
    public struct Denial: Sendable, Hashable {
        /// The kind of policy that refuses the permission or lacks it.
        public enum Reason: String, Sendable, Hashable, CaseIterable {
            /// The caller's own policies don't allow it.
            case identityPolicy
            /// The repository's or the registry's policy doesn't allow it: the usual cross-account case. For a role
            /// that is assumed, it is the role's trust policy.
            case resourcePolicy
            case sessionPolicy
            case permissionsBoundary
            case serviceControlPolicy
            case resourceControlPolicy
            case endpointPolicy
            /// AWS didn't name the kind.
            case unstated
        }

        /// The ARN of the caller.
        public let principal: String?
        /// The action, for example `ecr:PutImage`.
        public let action: String
        /// The resource: an ARN, or `*`.
        public let resource: String?
        public let reason: Reason
        /// Whether a policy denies the action explicitly; otherwise no policy allows it.
        public let isExplicit: Bool
    }

    /// The denial that the error's message describes.
    ///
    /// - Returns: `nil` unless ``code`` is `AccessDeniedException`; for a message that can't be parsed, the action is
    ///   the operation's own.
    public var denial: Denial? {
        guard code == .accessDenied || code.rawValue == "AccessDenied" else { return nil }
        return Denial(sentence: message, operation: operation)
    }
}

extension ECRError.Denial {
    /// Parses AWS's sentence about a denial, as far as possible; other text may surround it.
    ///
    /// Users paste the values into policies, so only texts that look like an ARN or an action are accepted.
    ///
    /// - Source: docs/facts/permissions.md#texts-of-refusals
    public init(sentence: String, operation: String) {
        self.init(sentence: sentence, action: "ecr:\(operation == "ListImageReferrers" ? "BatchGetImage" : operation)")
    }

    /// Parses AWS's sentence about a denial by any service.
    ///
    /// - Parameter usual: The action to use if the sentence names none.
    public init(sentence: String, action usual: String) {
        principal = Self.word(in: sentence, after: "User: ").flatMap { Self.isARN($0) ? $0 : nil }
        let action = Self.word(in: sentence, after: "is not authorized to perform: ")
        self.action = action.flatMap { Self.isAction($0) ? $0 : nil } ?? usual
        resource = Self.word(in: sentence, after: " on resource: ").flatMap { $0 == "*" || Self.isARN($0) ? $0 : nil }
        let denied = sentence.firstRange(of: "explicit deny")
        isExplicit = denied != nil
        // Names may contain any of the words below, so they are searched only in the part where AWS states the reason.
        let cause = (denied ?? sentence.firstRange(of: "because no ")).map { sentence[$0.upperBound...] } ?? ""
        reason = Self.reason(cause.prefix(Self.longestReason))
    }

    /// The part that is searched, in characters: `in a resource control policy` and other words before the policy's
    /// name.
    private static let longestReason = 60

    private static func reason(_ text: Substring) -> Reason {
        let kinds: [(String, Reason)] = [
            ("identity-based", .identityPolicy), ("resource-based", .resourcePolicy), ("session polic", .sessionPolicy),
            ("sessions polic", .sessionPolicy), ("role trust", .resourcePolicy),
            ("permissions boundar", .permissionsBoundary), ("service control", .serviceControlPolicy),
            ("resource control", .resourceControlPolicy), ("VPC endpoint", .endpointPolicy),
        ]
        return kinds.compactMap { kind, reason in text.firstRange(of: kind).map { ($0.lowerBound, reason) } }
            .min { $0.0 < $1.0 }?.1 ?? .unstated
    }

    private static func word(in sentence: String, after marker: String) -> String? {
        guard let found = sentence.firstRange(of: marker) else { return nil }
        var word = sentence[found.upperBound...].prefix { !$0.isWhitespace }
        while let last = word.last, ".,;)".contains(last) { word.removeLast() }
        // S3 puts quotes around names.
        if word.count > 2, word.first == "\"", word.last == "\"" { word = word.dropFirst().dropLast() }
        return word.isEmpty ? nil : String(word)
    }

    /// Whether a text has the form `service:Verb`, as in `ecr:PutImage`.
    private static func isAction(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && $0.utf8.count <= 64 }
            && text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":") }
    }

    /// Whether a text is an ARN with six fields, in the characters that IAM, STS and ECR allow in names.
    ///
    /// - Source: IAM User Guide, "IAM identifiers"
    private static func isARN(_ text: String) -> Bool {
        text.utf8.count <= 2_048 && ARN(text) != nil
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "+=,.@-_/:*".utf8.contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
            || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// Checks the members of a request against the bounds of ECR's service model.
///
/// - Source: the service model of `ecr`, version 2015-09-21, as botocore 1.44 has it; the texts are those of
///   docs/facts/ecr-api.md#errors
enum Constraint {
    static func length(_ text: String, _ bounds: ClosedRange<Int>, _ member: String) throws(ServiceFault) {
        guard text.unicodeScalars.count >= bounds.lowerBound else {
            throw .invalidParameter(member, "Member must have length greater than or equal to \(bounds.lowerBound)")
        }
        guard text.unicodeScalars.count <= bounds.upperBound else {
            throw .invalidParameter(member, "Member must have length less than or equal to \(bounds.upperBound)")
        }
    }

    static func count(_ count: Int, _ bounds: ClosedRange<Int>, _ member: String) throws(ServiceFault) {
        guard bounds.contains(count) else {
            let isLess = count < bounds.lowerBound
            throw .invalidParameter(
                member,
                "Member must have length \(isLess ? "greater" : "less") than or equal to "
                    + "\(isLess ? bounds.lowerBound : bounds.upperBound)"
            )
        }
    }

    static func choice(_ text: String, _ allowed: [String], _ member: String) throws(ServiceFault) {
        guard allowed.contains(text) else {
            throw .invalidParameter(
                member,
                "Member must satisfy enum value set: [\(allowed.joined(separator: ", "))]"
            )
        }
    }

    static func pattern(_ text: String, _ grammar: Grammar, _ member: String) throws(ServiceFault) {
        guard grammar.accepts(text) else {
            throw .invalidParameter(member, "Member must satisfy regular expression pattern: \(grammar.pattern)")
        }
    }
}

/// A pattern of the service model, with a matcher of its own.
///
/// A regular expression engine would try every way to split a long name for some of these patterns.
struct Grammar: Sendable {
    /// The pattern as written in the model.
    let pattern: String
    let accepts: @Sendable (String) -> Bool

    private static let separators: Set<Character> = [".", "_", "-"]

    /// The prefix of a pull-through cache rule or of a creation template, with or without a final slash.
    static let repositoryPrefix = Grammar(
        pattern: #"^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$"#
    ) { text in
        let path = text.hasSuffix("/") ? text.dropLast() : text[...]
        return text == "ROOT" || path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy(isComponent)
    }

    /// The pattern of a filter in a scanning rule.
    static let scanningFilter = Grammar(pattern: #"^[a-z0-9*](?:[._\-/a-z0-9*]?[a-z0-9*]+)*$"#, accepts: isStarredName)

    /// The pattern of a filter in a signing rule, which accepts the same names.
    static let signingFilter = Grammar(
        pattern: #"^(?:[a-z0-9*]+(?:[._-][a-z0-9*]+)*/)*[a-z0-9*]+(?:[._-][a-z0-9*]+)*$"#,
        accepts: isStarredName
    )

    /// The pattern of a filter in a replication rule: a prefix of a name, which may end after a separator.
    static let replicationFilter = Grammar(
        pattern: "^(?:[a-z0-9]+(?:[._-][a-z0-9]*)*/)*[a-z0-9]*(?:[._-][a-z0-9]*)*$"
    ) { text in
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        return parts.allSatisfy { $0.allSatisfy { isNameCharacter($0) || separators.contains($0) } }
            && parts.dropLast().allSatisfy { $0.first.map(isNameCharacter) ?? false }
    }

    /// A digest of any algorithm, in lowercase or uppercase.
    static let digest = Grammar(pattern: "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+") { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
            && parts[0].allSatisfy { isWord($0) || "-+.".contains($0) }
            && parts[1].utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0 | 0x20
            }
    }

    static let region = Grammar(pattern: "[0-9a-z-]{2,25}") { text in
        (2...25).contains(text.count) && text.allSatisfy { isNameCharacter($0) || $0 == "-" }
    }

    static let account = Grammar(pattern: "[0-9]{12}") { text in text.utf8.count == 12 && text.allSatisfy(isDigit) }

    static let kmsKey = Grammar(
        pattern: #"^$|arn:aws[a-z0-9-]*:kms:[a-z0-9-]+:[0-9]{12}:key\/[a-z0-9-]+"#
    ) { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return text.isEmpty
            || (parts.count == 6 && isPartition(parts[1]) && parts[0] == "arn" && parts[2] == "kms" && !parts[3].isEmpty
                && account.accepts(String(parts[4])) && parts[5].hasPrefix("key/") && parts[5].count > 4)
    }

    /// The ARN of the secret that a pull-through cache rule logs in with; its name has a fixed prefix.
    static let pullThroughSecret = Grammar(
        pattern: #"^arn:aws(-\w+)*:secretsmanager:[a-zA-Z0-9-:]+:secret:ecr\-pullthroughcache\/[a-zA-Z0-9\/_+=.@-]+$"#
    ) { text in
        guard let name = text.firstRange(of: ":secret:ecr-pullthroughcache/") else { return false }
        let head = text[..<name.lowerBound].split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
        let tail = text[name.upperBound...]
        return head.count == 4 && head[0] == "arn" && isPartition(head[1]) && head[2] == "secretsmanager"
            && !head[3].isEmpty && !tail.isEmpty
            && tail.allSatisfy { isWord($0) || "/+=.@-".contains($0) }
    }

    static let signingProfile = Grammar(
        pattern: #"^arn:aws(-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:\/signing-profiles\/[a-zA-Z0-9_]{2,}$"#
    ) { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", isPartition(parts[1]), parts[2] == "signer" else { return false }
        let name = parts[5].dropFirst("/signing-profiles/".count)
        return !parts[3].isEmpty && account.accepts(String(parts[4])) && parts[5].hasPrefix("/signing-profiles/")
            && name.count >= 2 && name.allSatisfy(isWord)
    }

    /// The ARN of an IAM user or role, with or without a path.
    static let principal = Grammar(
        pattern: #"^arn:aws(-[a-z]+)*:iam::[0-9]{12}:(role|user)/[\w+=,.@-]+(/[\w+=,.@-]+)*$"#
    ) { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", isPartition(parts[1]), parts[2] == "iam", parts[3].isEmpty else {
            return false
        }
        let names = parts[5].split(separator: "/", omittingEmptySubsequences: false)
        return account.accepts(String(parts[4])) && names.count >= 2 && (names[0] == "role" || names[0] == "user")
            && names.dropFirst().allSatisfy { name in
                !name.isEmpty && name.allSatisfy { isWord($0) || "+=,.@-".contains($0) }
            }
    }

    /// Whether a text is one part of a repository's name: letters and digits with `.`, `_`, `__` or hyphens between
    /// them.
    private static func isComponent(_ part: Substring) -> Bool {
        guard let first = part.first, let last = part.last, isNameCharacter(first), isNameCharacter(last) else {
            return false
        }
        let runs = part.split(whereSeparator: isNameCharacter)
        return runs.allSatisfy { run in run == "." || run == "_" || run == "__" || run.allSatisfy { $0 == "-" } }
    }

    /// Whether a text consists of letters, digits and stars, with single separators or slashes between them.
    @Sendable private static func isStarredName(_ text: String) -> Bool {
        func isPart(_ character: Character) -> Bool { isNameCharacter(character) || character == "*" }
        func isSeparator(_ character: Character) -> Bool { separators.contains(character) || character == "/" }
        guard let first = text.first, let last = text.last, isPart(first), isPart(last) else { return false }
        return zip(text, text.dropFirst()).allSatisfy { one, next in
            isPart(next) || (isSeparator(next) && isPart(one))
        }
    }

    private static func isPartition(_ text: Substring) -> Bool {
        text == "aws" || (text.hasPrefix("aws-") && text.allSatisfy { isNameCharacter($0) || $0 == "-" })
    }

    private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

    private static func isNameCharacter(_ character: Character) -> Bool {
        ("a"..."z").contains(character) || isDigit(character)
    }

    private static func isWord(_ character: Character) -> Bool {
        isNameCharacter(character) || ("A"..."Z").contains(character) || character == "_"
    }
}

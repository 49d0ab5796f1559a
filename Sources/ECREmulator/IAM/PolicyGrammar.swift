/// The words that the elements of a policy may contain.
///
/// If the emulator accepted a word that IAM doesn't know, a Deny with it would deny nothing.
///
/// - Source: IAM User Guide, "Grammar of the IAM JSON policy language", "IAM JSON policy elements: Condition operators",
///   "AWS JSON policy elements: Principal"
enum PolicyGrammar {
    /// Whether a text is an action: `*`, or a service and an operation.
    static func isAction(_ text: String) -> Bool {
        if text == "*" { return true }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty }
    }

    /// Whether a text is a resource: `*`, or a pattern of ARNs.
    static func isResource(_ text: String) -> Bool { text == "*" || text.hasPrefix("arn:") }

    /// Whether a text is a principal: `*`, an account's number, or an ARN of IAM or STS without a wildcard.
    static func isPrincipal(_ text: String) -> Bool {
        if text == "*" || isAccount(text[...]) { return true }
        let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        return parts.count == 6 && parts[0] == "arn" && ["iam", "sts"].contains(parts[2]) && isAccount(parts[4])
            && !parts[5].isEmpty && !text.contains { "*?".contains($0) }
    }

    /// Whether IAM has the operator, even if the emulator can't evaluate it.
    static func isOperator(_ text: String) -> Bool {
        if text == "Null" { return true }
        var name = text[...]
        for prefix in ["ForAllValues:", "ForAnyValue:"] where name.hasPrefix(prefix) {
            name.removeFirst(prefix.count)
            break
        }
        if name.hasSuffix("IfExists") { name.removeLast("IfExists".count) }
        return operators.contains(String(name))
    }

    private static func isAccount(_ text: Substring) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    private static let operators: Set<String> = [
        "StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
        "StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
        "NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
        "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
        "NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike",
    ]
}

extension PolicyStatement {
    /// - Throws: ``PolicySyntaxError``
    func checkWords() throws(PolicySyntaxError) {
        for names in [actions, resources].compactMap({ $0 }) where names.listed.isEmpty {
            throw PolicySyntaxError(description: "a list of actions or resources is empty")
        }
        try Self.check(actions, "an action", PolicyGrammar.isAction)
        if let resources { try Self.check(resources, "a resource", PolicyGrammar.isResource) }
        if let principals { try Self.check(principals, "a principal", PolicyGrammar.isPrincipal) }
        if effect == .allow, case .allBut = principals {
            // Such a statement would allow every other principal, also in unrelated accounts.
            throw PolicySyntaxError(description: "Allow with NotPrincipal is not supported")
        }
        for condition in conditions {
            guard PolicyGrammar.isOperator(condition.test) else {
                throw PolicySyntaxError(description: "'\(condition.test)' is not a condition operator")
            }
            guard !condition.values.isEmpty else {
                throw PolicySyntaxError(description: "'\(condition.test)' of '\(condition.key)' has no value")
            }
        }
    }

    private static func check(
        _ names: Names,
        _ what: String,
        _ isOne: (String) -> Bool
    ) throws(PolicySyntaxError) {
        if let stray = names.listed.first(where: { !isOne($0) }) {
            throw PolicySyntaxError(description: "'\(stray)' is not \(what)")
        }
    }

    /// The statement without variables, for which the emulator has no values: an Allow then covers less, and a Deny
    /// covers more.
    ///
    /// - Source: IAM User Guide, "IAM policy elements: Variables and tags"
    var withoutVariables: PolicyStatement {
        var statement = self
        statement.resources = resources.map { names in
            switch (names, effect) {
            case (.only(let texts), .allow): .only(texts.filter { !Self.hasVariable($0) })
            case (.allBut(let texts), .deny): .allBut(texts.filter { !Self.hasVariable($0) })
            case (.only(let texts), .deny): .only(texts.map(Self.withStars))
            case (.allBut(let texts), .allow): .allBut(texts.map(Self.withStars))
            }
        }
        statement.conditions = conditions.map { condition in
            var condition = condition
            if condition.values.contains(where: Self.hasVariable) { condition.isUnknown = true }
            return condition
        }
        return statement
    }

    private static func hasVariable(_ text: String) -> Bool { text.contains("${") }

    private static func withStars(_ text: String) -> String {
        guard let start = text.firstRange(of: "${"), let end = text[start.upperBound...].firstIndex(of: "}") else {
            return text
        }
        return text[..<start.lowerBound] + "*" + withStars(String(text[text.index(after: end)...]))
    }
}

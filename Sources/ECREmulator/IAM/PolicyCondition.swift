/// One condition of a statement: an operator, a key, and the values of which one must fit.
///
/// - Source: IAM User Guide, "IAM JSON policy elements: Condition operators"
struct PolicyCondition: Sendable, Equatable {
    enum Verdict: Sendable, Equatable {
        case holds
        case fails
        /// The operator or the key isn't known here.
        case unknown
    }

    /// As written, for example `StringLike` or `BoolIfExists`.
    var test: String
    /// Lowercase.
    var key: String
    var values: [String]
    /// Whether a value has something in it that isn't known here.
    var isUnknown = false

    /// The keys that the emulator knows the value of, or knows to have none.
    static let keys: Set<String> = [
        "aws:principalaccount", "aws:principalarn", "aws:principaltype", "aws:requestedregion", "aws:securetransport",
        "aws:sourcevpce", "aws:userid", "aws:username", "aws:multifactorauthpresent", "sts:externalid",
        "sts:rolesessionname",
    ]

    func verdict(on request: AccessRequest) -> Verdict {
        guard Self.keys.contains(key), !isUnknown else { return .unknown }
        let found = request.context[key]
        if test == "Null" { return values.contains(found == nil ? "true" : "false") ? .holds : .fails }
        let isOptional = test.hasSuffix("IfExists")
        let name = isOptional ? String(test.dropLast("IfExists".count)) : test
        guard let (isNegative, fits) = Self.comparison(name) else { return .unknown }
        // A key without a value equals nothing, and so differs from everything.
        guard let found else { return isOptional || isNegative ? .holds : .fails }
        return values.contains { fits(found, $0) } != isNegative ? .holds : .fails
    }

    private static func comparison(_ name: String) -> (isNegative: Bool, fits: (String, String) -> Bool)? {
        switch name {
        case "StringEquals": (false, { $0 == $1 })
        case "StringNotEquals": (true, { $0 == $1 })
        case "StringEqualsIgnoreCase", "Bool": (false, { $0.lowercased() == $1.lowercased() })
        case "StringNotEqualsIgnoreCase": (true, { $0.lowercased() == $1.lowercased() })
        case "StringLike": (false, { Wildcard.matches($0, $1) })
        case "StringNotLike": (true, { Wildcard.matches($0, $1) })
        case "ArnEquals", "ArnLike": (false, Wildcard.matchesARN)
        case "ArnNotEquals", "ArnNotLike": (true, Wildcard.matchesARN)
        default: nil
        }
    }
}

extension [PolicyCondition] {
    /// All must hold; one that fails settles it, whatever the others are.
    func verdict(on request: AccessRequest) -> PolicyCondition.Verdict {
        let verdicts = map { $0.verdict(on: request) }
        if verdicts.contains(.fails) { return .fails }
        return verdicts.contains(.unknown) ? .unknown : .holds
    }
}

/// One condition of a statement: an operator, a key, and values of which one must match.
///
/// - Source: IAM User Guide, "IAM JSON policy elements: Condition operators"
struct PolicyCondition: Sendable, Equatable {
    enum Verdict: Sendable, Equatable {
        case holds
        case fails
        /// The emulator doesn't know the operator or the key.
        case unknown
    }

    /// The operator as written, for example `StringLike` or `BoolIfExists`.
    var test: String
    /// The key, in lowercase.
    var key: String
    var values: [String]
    /// Whether a value contains something that the emulator doesn't know.
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
        // A key without a value equals nothing, so it differs from everything.
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
    /// The verdict of all conditions: one that fails decides, whatever the others are.
    func verdict(on request: AccessRequest) -> PolicyCondition.Verdict {
        let verdicts = map { $0.verdict(on: request) }
        if verdicts.contains(.fails) { return .fails }
        return verdicts.contains(.unknown) ? .unknown : .holds
    }
}

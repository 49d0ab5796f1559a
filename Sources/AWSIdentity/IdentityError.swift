/// Why there are no credentials, or no place to use them.
///
/// Ends the command with exit code 4. Never holds a secret: files are named by path and line, not quoted.
public struct IdentityError: Error, Sendable, Equatable {
    /// What went wrong, in one sentence.
    public let problem: String
    /// Where we looked, in the order we looked.
    public let tried: [String]
    /// What to do next.
    public let remedy: String
    /// The request id of the service that refused, for a support case.
    public let requestID: String?
    /// Set where STS refused a role.
    public let refusal: RoleRefusal?

    public init(
        _ problem: String,
        tried: [String] = [],
        remedy: String,
        requestID: String? = nil,
        refusal: RoleRefusal? = nil
    ) {
        self.problem = problem
        self.tried = tried
        self.remedy = remedy
        self.requestID = requestID
        self.refusal = refusal
    }
}

extension IdentityError: CustomStringConvertible {
    public var description: String {
        var text = problem
        if !tried.isEmpty { text += "\n  tried: \(tried.joined(separator: "; "))" }
        text += "\n  next: \(remedy)"
        return text + (requestID.map { "\n  request: \($0)" } ?? "")
    }
}

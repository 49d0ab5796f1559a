public import Wire

/// Why there are no credentials, or no place to use them.
///
/// Ends the command with exit code 4, unless whoever gives credentials can't be asked. Never holds a secret: files are named by path and line, not quoted.
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
    /// Set where nobody was refused anything, because whoever gives credentials can't be reached.
    public let failure: WireError?
    /// Whether it may pass: whoever gives credentials is throttling, or not well.
    public let isPassing: Bool
    /// Whether there are no credentials anywhere, which is no fault of any place that was looked at.
    public let isAbsence: Bool

    public init(
        _ problem: String,
        tried: [String] = [],
        remedy: String,
        requestID: String? = nil,
        refusal: RoleRefusal? = nil,
        failure: WireError? = nil,
        isPassing: Bool = false,
        isAbsence: Bool = false
    ) {
        self.problem = problem
        self.tried = tried
        self.remedy = remedy
        self.requestID = requestID
        self.refusal = refusal
        self.failure = failure
        self.isPassing = isPassing
        self.isAbsence = isAbsence
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

public import Wire

/// Why there are no credentials, or no usable region or endpoint.
///
/// It ends the command with exit code 4, unless the credential service can't be reached. It never holds a secret: files
/// are named by path and line, not quoted.
public struct IdentityError: Error, Sendable, Equatable {
    /// What went wrong, in one sentence.
    public let problem: String
    /// The places that were searched, in order.
    public let tried: [String]
    /// What to do next.
    public let remedy: String
    /// The request id of the service that refused, for a support case.
    public let requestID: String?
    /// STS's refusal of a role; `nil` for other errors.
    public let refusal: RoleRefusal?
    /// The connection failure, where the credential service can't be reached.
    public let failure: WireError?
    /// Whether retrying may help: the credential service is throttling or failing.
    public let isPassing: Bool
    /// Whether no place has any credentials, as opposed to a faulty place.
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

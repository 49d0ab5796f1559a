public import Wire

/// The reason why there are no credentials, or no usable region or endpoint.
///
/// The command then exits with 4, unless the credential service can't be reached. An error never contains a secret:
/// files are named by path and line, not quoted.
public struct IdentityError: Error, Sendable, Equatable {
    /// The problem, in one sentence.
    public let problem: String
    /// The places that were searched, in order.
    public let tried: [String]
    /// The next thing to do.
    public let remedy: String
    /// The request id of the service that refused, for a support case.
    public let requestID: String?
    /// STS's refusal of a role; `nil` for other errors.
    public let refusal: RoleRefusal?
    /// The connection failure, where the credential service can't be reached.
    public let failure: WireError?
    /// Whether retrying may help: the credential service is throttling or failing.
    public let isPassing: Bool
    /// Whether no place has credentials, as opposed to a place with faulty ones.
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

import ECREmulator

/// One fault of a run.
public enum MatrixFault: Sendable, Equatable, CustomStringConvertible {
    /// The connection is refused.
    case unreachable
    case emulated(Fault.Kind)

    public var description: String {
        switch self {
        case .unreachable: "unreachable"
        case .emulated(let kind): "\(kind)"
        }
    }

    /// The faults that any request may have, after which every run must succeed.
    public static let survivable: [MatrixFault] =
        [.unreachable]
        + ([
            .resetBefore, .loseAnswer, .cutBody(afterBytes: 0), .cutBody(afterBytes: 10), .truncate, .stall,
            .drip(bytes: 700), .throttle(retryAfter: nil), .throttle(retryAfter: 2), .status(429),
            .status(429, retryAfter: 2), .status(500), .status(500, retryAfter: 2), .status(503),
            .status(503, retryAfter: 2), .expireToken, .expireURL, .skew(seconds: 600), .skew(seconds: -600),
        ] as [Fault.Kind]).map { .emulated($0) }

    /// One fault of each kind.
    ///
    /// Different statuses and waits are tested with the retry policy, which is the same for all
    /// requests.
    public static let ofEachKind: [MatrixFault] =
        [.unreachable]
        + ([
            .resetBefore, .loseAnswer, .cutBody(afterBytes: 10), .truncate, .stall, .drip(bytes: 700),
            .throttle(retryAfter: 2), .status(503), .expireToken, .expireURL, .skew(seconds: 600),
        ] as [Fault.Kind]).map { .emulated($0) }
}

/// One run with one fault or two.
public struct Trial: Sendable, CustomStringConvertible {
    public struct Step: Sendable {
        public var operation: String
        /// The requests with the fault, counted from 1; `nil` for all.
        public var occurrence: Int?
        public var fault: MatrixFault
    }

    public var steps: [Step]
    /// Whether the run must succeed; otherwise it may also end with a clear error.
    public var mustSucceed: Bool

    public init(_ steps: [Step], mustSucceed: Bool) {
        self.steps = steps
        self.mustSucceed = mustSucceed
    }

    public init(_ operation: String, _ occurrence: Int?, _ fault: MatrixFault, mustSucceed: Bool) {
        self.init([Step(operation: operation, occurrence: occurrence, fault: fault)], mustSucceed: mustSucceed)
    }

    public var description: String {
        steps.map { "\($0.operation):\($0.occurrence.map(String.init) ?? "*"):\($0.fault)" }.joined(separator: " and ")
    }

    /// An upload whose POST got no answer stays open until ECR drops it, because its id is unknown; so does one whose
    /// DELETE failed, since that isn't retried.
    var leavesUpload: Bool {
        let lost: [MatrixFault] = [
            .emulated(.loseAnswer), .emulated(.cutBody(afterBytes: 0)), .emulated(.cutBody(afterBytes: 10)),
        ]
        return steps.contains { step in
            step.operation == "DELETE upload"
                || step.operation == "POST upload" && lost.contains(step.fault)
        }
    }
}

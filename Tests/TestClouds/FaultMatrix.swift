import ECREmulator

/// What goes wrong.
public enum MatrixFault: Sendable, Equatable, CustomStringConvertible {
    /// Nobody listens.
    case unreachable
    case emulated(Fault.Kind)

    public var description: String {
        switch self {
        case .unreachable: "unreachable"
        case .emulated(let kind): "\(kind)"
        }
    }

    /// Those that any request may meet, and after which everything must end well.
    public static let survivable: [MatrixFault] =
        [.unreachable]
        + ([
            .resetBefore, .loseAnswer, .cutBody(afterBytes: 0), .cutBody(afterBytes: 10), .truncate, .stall,
            .drip(bytes: 700), .throttle(retryAfter: nil), .throttle(retryAfter: 2), .status(429),
            .status(429, retryAfter: 2), .status(500), .status(500, retryAfter: 2), .status(503),
            .status(503, retryAfter: 2), .expireToken, .expireURL, .skew(seconds: 600), .skew(seconds: -600),
        ] as [Fault.Kind]).map { .emulated($0) }

    /// One of each kind of those: that statuses are told apart, and waits obeyed, is the retry policy's, which is one for
    /// all requests.
    public static let ofEachKind: [MatrixFault] =
        [.unreachable]
        + ([
            .resetBefore, .loseAnswer, .cutBody(afterBytes: 10), .truncate, .stall, .drip(bytes: 700),
            .throttle(retryAfter: 2), .status(503), .expireToken, .expireURL, .skew(seconds: 600),
        ] as [Fault.Kind]).map { .emulated($0) }
}

/// One fault, or two, in one run.
public struct Trial: Sendable, CustomStringConvertible {
    public struct Step: Sendable {
        public var operation: String
        /// Counted from 1; `nil` for every one.
        public var occurrence: Int?
        public var fault: MatrixFault
    }

    public var steps: [Step]
    /// Whether the run must end well; else a clear error does.
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

    /// An upload that was begun and whose answer nobody got stays open until ECR forgets it, for nobody else knows of it;
    /// and so does one whose closing failed, which is asked for once.
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

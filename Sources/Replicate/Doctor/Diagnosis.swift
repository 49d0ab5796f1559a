/// One thing that was looked at, and how it is.
public struct Finding: Sendable, Equatable, Encodable {
    public enum Status: String, Sendable, Encodable {
        case ok
        /// It works, and will surprise somebody.
        case warning
        /// It won't work.
        case failed
        /// It could not be looked at, and needn't be.
        case skipped
    }

    public var side: CopyError.Side
    /// What was looked at: `identity`, `clock`, an IAM action such as `ecr:PutImage`.
    public var check: String
    public var status: Status
    /// What was seen.
    public var text: String
    /// What to do about it, where there is something to do.
    public var remedy: String?
    public var requestID: String?
    /// With which credentials it was asked, where it is about who may: the end of the key's id, and where it is from.
    public var credentials: String?
    /// Whether a permission or credentials are missing, rather than anything else.
    var isNotPermitted = false

    enum CodingKeys: String, CodingKey {
        case side, check, status, text, remedy, credentials
        case requestID = "requestId"
    }

    public init(
        _ status: Status,
        _ side: CopyError.Side,
        _ check: String,
        _ text: String,
        remedy: String? = nil,
        requestID: String? = nil
    ) {
        self.side = side
        self.check = check
        self.status = status
        self.text = text
        self.remedy = remedy
        self.requestID = requestID
    }

    init(_ side: CopyError.Side, _ check: String, failedBy error: CopyError) {
        self.init(.failed, side, check, error.cause, remedy: error.remedy, requestID: error.requestID)
        credentials = error.credentials
        isNotPermitted = error.kind == .notPermitted
    }
}

/// What was found on both sides, in the order in which a copy would need it.
public struct Diagnosis: Sendable, Encodable {
    public var version = 1
    public var command = "doctor"
    public var source: String
    public var destination: String?
    public var findings: [Finding]
    /// `nil` where it came to its end.
    public var interruption: Interruption?

    /// Why there is no more of it.
    public struct Interruption: Sendable, Equatable {
        /// The signal's.
        public var exitCode: Int32
        public var unanswered: [Unanswered]

        public init(exitCode: Int32, unanswered: [Unanswered]) {
            (self.exitCode, self.unanswered) = (exitCode, unanswered)
        }
    }

    /// What was asked and had not been answered.
    public struct Unanswered: Sendable, Equatable, Encodable {
        public var side: CopyError.Side
        public var check: String

        public init(_ side: CopyError.Side, _ check: String) { (self.side, self.check) = (side, check) }
    }

    public init(source: String, destination: String?, findings: [Finding]) {
        self.source = source
        self.destination = destination
        self.findings = findings
    }

    enum CodingKeys: String, CodingKey {
        case version, command, exitCode, source, destination, unanswered
        case findings = "checks"
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(version, forKey: .version)
        try container.encode(command, forKey: .command)
        try container.encode(exitCode, forKey: .exitCode)
        try container.encode(source, forKey: .source)
        try container.encodeIfPresent(destination, forKey: .destination)
        try container.encode(findings, forKey: .findings)
        try container.encodeIfPresent(interruption?.unanswered, forKey: .unanswered)
    }

    /// 0 if nothing failed, 4 if all that failed is credentials and permissions, else 1; the signal's if it was
    /// interrupted.
    ///
    /// - Source: docs/doctor.md
    public var exitCode: Int32 {
        if let interruption { return interruption.exitCode }
        let failed = findings.filter { $0.status == .failed }
        guard !failed.isEmpty else { return 0 }
        return failed.allSatisfy(\.isNotPermitted) ? 4 : 1
    }
}

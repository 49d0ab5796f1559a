package import Replicate

/// One thing that was looked at, and how it is.
package struct Finding: Sendable, Equatable, Encodable {
    package enum Status: String, Sendable, Encodable {
        case ok
        /// It works, and will surprise somebody.
        case warning
        /// It won't work.
        case failed
        /// It could not be looked at, and needn't be.
        case skipped
    }

    package var side: CopyError.Side
    /// What was looked at: `identity`, `clock`, an IAM action such as `ecr:PutImage`.
    package var check: String
    package var status: Status
    /// What was seen.
    package var text: String
    /// What to do about it, where there is something to do.
    package var remedy: String?
    package var requestID: String?
    /// With which credentials it was asked, where it is about who may: the end of the key's id, and where it is from.
    package var credentials: String?
    /// Whether a permission or credentials are missing, rather than anything else.
    var isNotPermitted = false

    enum CodingKeys: String, CodingKey {
        case side, check, status, text, remedy, credentials
        case requestID = "requestId"
    }

    package init(
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

    init(_ side: CopyError.Side, _ check: String, failedBy error: CopyError, remedy: String) {
        self.init(.failed, side, check, error.cause, remedy: remedy, requestID: error.requestID)
        credentials = error.credentials
        isNotPermitted = error.kind == .notPermitted
    }
}

/// What was found on both sides, in the order in which a copy would need it.
package struct Diagnosis: Sendable, Encodable {
    package var version = 1
    package var command = "doctor"
    package var source: String
    package var destination: String?
    package var findings: [Finding]
    /// `nil` where it came to its end.
    package var interruption: Interruption?

    /// Why there is no more of it.
    package struct Interruption: Sendable, Equatable {
        /// The signal's.
        package var exitCode: Int32
        package var unanswered: [Unanswered]

        package init(exitCode: Int32, unanswered: [Unanswered]) {
            (self.exitCode, self.unanswered) = (exitCode, unanswered)
        }
    }

    /// What was asked and had not been answered.
    package struct Unanswered: Sendable, Equatable, Encodable {
        package var side: CopyError.Side
        package var check: String

        package init(_ side: CopyError.Side, _ check: String) { (self.side, self.check) = (side, check) }
    }

    package init(source: String, destination: String?, findings: [Finding]) {
        self.source = source
        self.destination = destination
        self.findings = findings
    }

    enum CodingKeys: String, CodingKey {
        case version, command, exitCode, source, destination, unanswered
        case findings = "checks"
    }

    package func encode(to encoder: any Encoder) throws {
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
    package var exitCode: Int32 {
        if let interruption { return interruption.exitCode }
        let failed = findings.filter { $0.status == .failed }
        guard !failed.isEmpty else { return 0 }
        return failed.allSatisfy(\.isNotPermitted) ? 4 : 1
    }
}

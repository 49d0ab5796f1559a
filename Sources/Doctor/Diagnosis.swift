package import Replicate

/// The result of one check.
package struct Finding: Sendable, Equatable, Encodable {
    package enum Status: String, Sendable, Encodable {
        case ok
        /// The check passed, but the result may be a surprise.
        case warning
        /// The check failed, and so will a copy.
        case failed
        /// The check could not be made, and a copy doesn't need it.
        case skipped
    }

    package var side: CopyError.Side
    /// The name of the check: `identity`, `clock`, or an IAM action such as `ecr:PutImage`.
    package var check: String
    package var status: Status
    /// What the check found.
    package var text: String
    /// What to do about it, if anything.
    package var remedy: String?
    package var requestID: String?
    /// The credentials that were used, if the check is about permissions: the end of the key's id, and where it comes
    /// from.
    package var credentials: String?
    /// The names of the registry and the rule in a rule file, and the repository, if the check is made for a rule file.
    package var registry: String?
    package var rule: String?
    package var repository: String?
    /// Whether the check failed because a permission or credentials are missing.
    var isNotPermitted = false

    enum CodingKeys: String, CodingKey {
        case side, check, status, text, remedy, credentials, registry, rule, repository
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

/// The findings of both sides, in the order in which a copy would need them.
package struct Diagnosis: Sendable, Encodable {
    package var version = 1
    package var command = "doctor"
    package var source: String
    package var destination: String?
    package var findings: [Finding]
    /// Why the diagnosis is incomplete; `nil` if it is complete.
    package var interruption: Interruption?

    /// Why a diagnosis is incomplete, and what was unanswered.
    package struct Interruption: Sendable, Equatable {
        /// The exit code of the signal.
        package var exitCode: Int32
        package var unanswered: [Unanswered]

        package init(exitCode: Int32, unanswered: [Unanswered]) {
            (self.exitCode, self.unanswered) = (exitCode, unanswered)
        }
    }

    /// A check that had not been answered yet.
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

    /// The exit code of the command.
    ///
    /// It is 0 if nothing failed, 4 if only credentials and permissions failed, and 1 otherwise. If a signal
    /// interrupted the diagnosis, it is the signal's.
    ///
    /// - Source: docs/doctor.md
    package var exitCode: Int32 {
        interruption?.exitCode ?? findings.exitCode
    }
}

extension [Finding] {
    /// 0 if nothing failed, 4 if only credentials and permissions failed, and 1 otherwise.
    var exitCode: Int32 {
        let failed = filter { $0.status == .failed }
        guard !failed.isEmpty else { return 0 }
        return failed.allSatisfy(\.isNotPermitted) ? 4 : 1
    }
}

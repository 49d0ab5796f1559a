/// The result of a scan of one image, which a test or a seed file sets; the emulator scans nothing.
///
/// - Source: docs/facts/ecr-api.md#scan-findings
public struct EmulatedScan: Codable, Sendable, Equatable {
    public struct Finding: Codable, Sendable, Equatable {
        /// The name of the vulnerability.
        public var name: String
        public var severity: String
        /// The vulnerable package and its version.
        public var package: String?
        public var version: String?
        /// The version that has no such vulnerability; enhanced scanning only.
        public var fixedIn: String?
        /// `ACTIVE`, `SUPPRESSED` or `CLOSED`; enhanced scanning only.
        public var status: String?

        public init(
            _ name: String,
            _ severity: String,
            package: String? = nil,
            version: String? = nil,
            fixedIn: String? = nil,
            status: String? = nil
        ) {
            (self.name, self.severity, self.package) = (name, severity, package)
            (self.version, self.fixedIn, self.status) = (version, fixedIn, status)
        }
    }

    /// The scan's state, for example `COMPLETE`, `ACTIVE` or `IN_PROGRESS`.
    public var status: String
    /// ECR's words about the state.
    public var description: String?
    /// Whether Amazon Inspector made the scan.
    public var isEnhanced: Bool
    /// When the scan was finished, in seconds since 1970; `nil` for a scan that never was.
    public var completedAt: Double?
    public var findings: [Finding]
    /// The number of further findings to make up, by severity.
    public var counts: [String: Int]
    /// What ECR states as the number of findings, where that differs from what it lists.
    public var statedCounts: [String: Int]?

    public init(
        status: String = "COMPLETE",
        description: String? = nil,
        isEnhanced: Bool = false,
        completedAt: Double?,
        findings: [Finding] = [],
        counts: [String: Int] = [:],
        statedCounts: [String: Int]? = nil
    ) {
        (self.status, self.description, self.isEnhanced) = (status, description, isEnhanced)
        (self.completedAt, self.findings, self.counts) = (completedAt, findings, counts)
        self.statedCounts = statedCounts
    }

    /// The states in which ECR shows findings.
    private static let statesWithFindings: Set = ["COMPLETE", "ACTIVE"]

    /// Whether the answer has a result.
    var hasResult: Bool { Self.statesWithFindings.contains(status) }

    /// All findings: those that are set, then those that are made up.
    var allFindings: [Finding] {
        findings
            + counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.flatMap { severity, count in
                (1...count).map { Finding("CVE-2026-\(severity)-\($0)", severity) }
            }
    }

    /// The number of findings of each severity.
    var severityCounts: [String: Int] {
        if let statedCounts { return statedCounts }
        var all = counts.filter { $0.value > 0 }
        for finding in findings where finding.status != "CLOSED" { all[finding.severity, default: 0] += 1 }
        return all
    }
}

internal import Content
internal import ECRAPI
internal import FoundationEssentials

/// What the scan of one image says, counted while its pages arrive.
///
/// Thousands of findings become a few numbers and the worst findings, so that memory doesn't grow with their number.
struct ScanReading: Sendable {
    /// The state that the first page names; `nil` if no page names one.
    private(set) var status: DescribeImageScanFindings.Status?
    /// The state's description, as ECR words it; not safe to print.
    private(set) var statusText: String?
    private(set) var completedAt: Date?
    /// Whether a page has findings, an empty list included.
    private(set) var hasFindings = false
    /// Whether the state changed from one page to the next.
    private(set) var isUnsettled = false
    /// The number of findings that count, by severity.
    private(set) var counts: [FindingSeverity: Int] = [:]
    /// The number of findings without a severity that count.
    private(set) var unrated = 0
    /// The number of findings that don't count, by the name of the vulnerability.
    private(set) var ignored: [String: Int] = [:]
    /// The number of listed findings by severity, those that don't count included.
    private var listed: [FindingSeverity: Int] = [:]
    /// The numbers that ECR states by itself.
    private var stated: [FindingSeverity: Int] = [:]
    /// The worst findings above the limit.
    private(set) var worst: [Found] = []

    private let limit: FindingSeverity?
    private let accepted: Set<String>

    /// A finding that is worth naming.
    struct Found: Sendable, Hashable {
        var name: String
        /// `nil` for one that is not rated.
        var severity: FindingSeverity?
        var package: String?
        var fixedIn: String?

        /// The worst comes first, and unrated findings come last.
        fileprivate var order: (Int, String) { (severity?.rank ?? FindingSeverity.allCases.count, name) }
    }

    /// The most findings that are named for one image.
    static let mostNamed = 10
    /// The most characters of a name or a package to keep.
    private static let mostOfText = 100

    /// - Parameters:
    ///   - limit: The worst severity that is allowed.
    ///   - accepted: The names of vulnerabilities that don't count.
    init(limit: FindingSeverity?, accepted: Set<String>) { (self.limit, self.accepted) = (limit, accepted) }

    mutating func add(_ page: DescribeImageScanFindings.Response) {
        let said = page.imageScanStatus?.status
        if let status {
            if let said, said != status { isUnsettled = true }
        } else {
            (status, statusText) = (said, page.imageScanStatus?.description)
        }
        guard let findings = page.imageScanFindings else { return }
        hasFindings = true
        completedAt = completedAt ?? findings.imageScanCompletedAt?.date
        for (word, count) in findings.findingSeverityCounts {
            guard let severity = FindingSeverity(rawValue: word) else { continue }
            stated[severity] = max(stated[severity] ?? 0, count)
        }
        for finding in findings.findings {
            let package = [finding.attribute("package_name"), finding.attribute("package_version")]
                .compactMap { $0 }.joined(separator: " ")
            add(name: finding.name, severity: finding.severity, package: package, fixedIn: nil)
        }
        // A suppressed finding is still there: an identity that may suppress findings must not open a gate.
        for finding in findings.enhancedFindings where finding.status != "CLOSED" {
            let details = finding.packageVulnerabilityDetails
            let first = details?.vulnerablePackages?.first
            add(
                name: details?.vulnerabilityId ?? finding.title,
                severity: finding.severity,
                package: [first?.name, first?.version].compactMap { $0 }.joined(separator: " "),
                fixedIn: first?.fixedInVersion
            )
        }
    }

    private mutating func add(name: String?, severity word: String?, package: String, fixedIn: String?) {
        let severity = word.flatMap { FindingSeverity(rawValue: $0) }
        if let severity { listed[severity, default: 0] += 1 }
        if let name, accepted.contains(name) {
            ignored[name, default: 0] += 1
            return
        }
        if let severity { counts[severity, default: 0] += 1 } else { unrated += 1 }
        guard isAbove(severity) else { return }
        let found = Found(
            name: Self.cut(name ?? "a finding without a name"),
            severity: severity,
            package: package.isEmpty ? nil : Self.cut(package),
            fixedIn: fixedIn.map(Self.cut)
        )
        worst.append(found)
        guard worst.count > Self.mostNamed else { return }
        worst.sort { $0.order < $1.order }
        worst.removeLast()
    }

    /// Whether a finding of this severity is worse than allowed; an unrated one may be.
    private func isAbove(_ severity: FindingSeverity?) -> Bool {
        guard let limit, limit < .critical else { return false }
        return severity.map { $0 > limit } ?? true
    }

    private static func cut(_ text: String) -> String { printable(text.prefix(mostOfText), upTo: 4 * mostOfText) }

    /// The worst findings in order.
    var named: [Found] { worst.sorted { $0.order < $1.order } }

    /// The number of findings that count.
    var total: Int { counts.values.reduce(0, +) + unrated }

    /// The worst rated finding that counts.
    var worstSeverity: FindingSeverity? { counts.keys.max() }

    /// The findings above the limit, by severity.
    var above: [FindingSeverity: Int] {
        guard let limit else { return [:] }
        return counts.filter { $0.key > limit }
    }

    /// The number of findings that may be above the limit, because they are not rated.
    var undecidable: Int { isAbove(nil) ? unrated : 0 }

    /// A severity above the limit of which ECR counts more findings than it lists.
    var unlisted: (severity: FindingSeverity, stated: Int, listed: Int)? {
        guard let limit else { return nil }
        for severity in FindingSeverity.allCases where severity > limit {
            let (stated, listed) = (stated[severity] ?? 0, listed[severity] ?? 0)
            if stated > listed { return (severity, stated, listed) }
        }
        return nil
    }
}

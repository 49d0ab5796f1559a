/// How bad a finding of a scan is, the worst first.
///
/// ECR also says `UNDEFINED`, and Amazon Inspector `UNTRIAGED`, of a vulnerability that is not rated. Such a finding has no
/// severity here.
///
/// - Source: docs/facts/ecr-api.md#scan-findings
package enum FindingSeverity: String, Sendable, Hashable, CaseIterable, Comparable {
    case critical = "CRITICAL"
    case high = "HIGH"
    case medium = "MEDIUM"
    case low = "LOW"
    case informational = "INFORMATIONAL"

    /// The place among the severities: 0 for the worst.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    package static func < (left: Self, right: Self) -> Bool { left.rank > right.rank }
}

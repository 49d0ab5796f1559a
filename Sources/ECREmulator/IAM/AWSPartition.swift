/// A group of AWS regions with its own accounts, keys and host names.
///
/// `Content` has a table of its own, from which the client makes host names. This table was written separately from the
/// source, because a mistake in a shared one would go unnoticed.
///
/// - Source: docs/facts/ecr-hosts.md#api-hosts and #registry-hosts
public enum AWSPartition: String, Sendable, CaseIterable {
    case commercial = "aws"
    case china = "aws-cn"
    case government = "aws-us-gov"
    case iso = "aws-iso"
    case isoB = "aws-iso-b"
    case isoE = "aws-iso-e"
    case isoF = "aws-iso-f"
    case european = "aws-eusc"

    /// Returns the partition of a region; a region that fits no other is commercial.
    public init(ofRegion region: String) {
        let words = region.split(separator: "-", omittingEmptySubsequences: false)
        switch (words.first, words.dropFirst().first) {
        case ("cn", _): self = .china
        case ("us", "gov"): self = .government
        case ("us", "iso"): self = .iso
        case ("us", "isob"): self = .isoB
        case ("eu", "isoe"): self = .isoE
        case ("us", "isof"): self = .isoF
        case ("eusc", _): self = .european
        default: self = .commercial
        }
    }

    /// The domain of hosts that answer on IPv4.
    var domain: String {
        switch self {
        case .commercial, .government: "amazonaws.com"
        case .china: "amazonaws.com.cn"
        case .iso: "c2s.ic.gov"
        case .isoB: "sc2s.sgov.gov"
        case .isoE: "cloud.adc-e.uk"
        case .isoF: "csp.hci.ic.gov"
        case .european: "amazonaws.eu"
        }
    }

    /// The domain of dual-stack API hosts.
    var dualStackAPIDomain: String {
        switch self {
        case .commercial, .government: "api.aws"
        case .china: "api.amazonwebservices.com.cn"
        case .iso: "api.aws.ic.gov"
        case .isoB: "api.aws.scloud"
        case .isoE: "api.cloud-aws.adc-e.uk"
        case .isoF: "api.aws.hci.ic.gov"
        case .european: "api.amazonwebservices.eu"
        }
    }

    /// The domain of dual-stack registry hosts; `nil` where none is known.
    var dualStackRegistryDomain: String? {
        switch self {
        case .commercial, .government: "on.aws"
        case .china: "on.amazonwebservices.com.cn"
        case .european: "on.amazonwebservices.eu"
        case .iso, .isoB, .isoE, .isoF: nil
        }
    }
}

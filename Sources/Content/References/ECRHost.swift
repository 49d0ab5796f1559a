/// A group of AWS regions with its own accounts, names and domain.
///
/// - Source: docs/facts/ecr-hosts.md#api-hosts and #registry-hosts
public enum Partition: String, Sendable, CaseIterable, Hashable {
    case aws
    case china = "aws-cn"
    case government = "aws-us-gov"
    case iso = "aws-iso"
    case isoB = "aws-iso-b"
    case isoE = "aws-iso-e"
    case isoF = "aws-iso-f"
    case european = "aws-eusc"

    /// The partition of a region; one that isn't known is taken for the commercial one, as SDKs do.
    public init(region: String) {
        let prefixes: [(String, Partition)] = [
            ("cn-", .china), ("us-gov-", .government), ("us-iso-", .iso), ("us-isob-", .isoB),
            ("eu-isoe-", .isoE), ("us-isof-", .isoF), ("eusc-", .european),
        ]
        self = prefixes.first { region.hasPrefix($0.0) }?.1 ?? .aws
    }

    /// What follows the region in host names.
    public var domain: String {
        switch self {
        case .aws, .government: "amazonaws.com"
        case .china: "amazonaws.com.cn"
        case .iso: "c2s.ic.gov"
        case .isoB: "sc2s.sgov.gov"
        case .isoE: "cloud.adc-e.uk"
        case .isoF: "csp.hci.ic.gov"
        case .european: "amazonaws.eu"
        }
    }

    /// The same for registries that answer on IPv6 too; `nil` where AWS names none.
    ///
    /// A guess would send a token to a name that is somebody else's.
    public var dualStackDomain: String? {
        switch self {
        case .aws, .government: "on.aws"
        case .china: "on.amazonwebservices.com.cn"
        case .european: "on.amazonwebservices.eu"
        case .iso, .isoB, .isoE, .isoF: nil
        }
    }

    /// The same for API hosts that answer on IPv6 too, for example `ecr.R.api.aws`.
    public var dualStackAPIDomain: String {
        switch self {
        case .aws, .government: "api.aws"
        case .china: "api.amazonwebservices.com.cn"
        case .iso: "api.aws.ic.gov"
        case .isoB: "api.aws.scloud"
        case .isoE: "api.cloud-aws.adc-e.uk"
        case .isoF: "api.aws.hci.ic.gov"
        case .european: "api.amazonwebservices.eu"
        }
    }
}

/// The registry of one account in one region.
///
/// - Source: docs/facts/ecr-hosts.md#registry-hosts
public struct ECRHost: Hashable, Sendable {
    public var account: AccountID
    public var region: String
    public var usesFIPS: Bool
    /// Means nothing in a partition without a ``Partition/dualStackDomain``.
    public var usesDualStack: Bool
    /// For `ACCOUNT.dkr.ecr.REGION.localhost[:PORT]`, where a local cloud answers; `nil` for AWS itself.
    public var localAuthority: String?

    public init(
        account: AccountID,
        region: String,
        usesFIPS: Bool = false,
        usesDualStack: Bool = false,
        localAuthority: String? = nil
    ) {
        self.account = account
        self.region = region
        self.usesFIPS = usesFIPS
        self.usesDualStack = usesDualStack
        self.localAuthority = localAuthority
    }

    public var partition: Partition { Partition(region: region) }

    /// The host, and the port where it isn't 443, as images are named.
    public var name: String {
        if let localAuthority { return localAuthority }
        let fips = usesFIPS ? "-fips" : ""
        guard usesDualStack, let domain = partition.dualStackDomain else {
            return "\(account).dkr.ecr\(fips).\(region).\(partition.domain)"
        }
        return "\(account).dkr-ecr\(fips).\(region).\(domain)"
    }

    /// - Parameter authority: A host with an optional port, in any case.
    /// - Returns: `nil` if this is not the name of an ECR registry.
    /// - Throws: ``ReferenceError`` if it wants to be one and isn't.
    public init?(authority: String) throws(ReferenceError) {
        let lowered = authority.lowercased()
        let parts = lowered.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let labels = parts[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard labels.count >= 5 else { return nil }
        let port = parts.count == 2 ? parts[1] : nil

        let rest: Int
        let service: String
        if labels[1] == "dkr", labels[2] == "ecr" || labels[2] == "ecr-fips" {
            (rest, service) = (3, labels[2])
        } else if labels[1] == "dkr-ecr" || labels[1] == "dkr-ecr-fips" {
            (rest, service) = (2, labels[1])
        } else {
            return nil
        }
        let region = labels[rest]
        let domain = labels[(rest + 1)...].joined(separator: ".")
        let isDualStack = rest == 2
        let isLocal = domain == "localhost" && !isDualStack
        let partition = Partition(region: region)
        guard isLocal || domain == (isDualStack ? partition.dualStackDomain : partition.domain) else { return nil }
        // With account and region in each other's place it is a mistyped host.
        guard isLocal || RegionText.region(of: labels[0]) == nil else { return nil }
        guard isLocal || port == nil || port == "443" else {
            throw .malformedReference(authority, reason: "ECR answers on port 443 only")
        }
        self.init(
            account: try AccountID(parsing: labels[0]),
            region: region,
            usesFIPS: service.hasSuffix("-fips"),
            usesDualStack: isDualStack,
            localAuthority: isLocal ? lowered : nil
        )
        if let fault = RegionText.fault(in: region) {
            throw .malformedReference(authority, reason: "'\(region)' \(fault)")
        }
    }

    /// Letters, digits and hyphens, as in `eu-west-1`; it becomes part of host names.
    public static func isRegion(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { isLowercaseHexadecimal($0) || (97...122).contains($0) || $0 == 45 }
            && !text.hasPrefix("-") && !text.hasSuffix("-")
    }
}

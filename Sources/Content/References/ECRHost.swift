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

    /// The partition of a region.
    ///
    /// An unknown region counts as commercial, as in the SDKs.
    public init(region: String) {
        let prefixes: [(String, Partition)] = [
            ("cn-", .china), ("us-gov-", .government), ("us-iso-", .iso), ("us-isob-", .isoB),
            ("eu-isoe-", .isoE), ("us-isof-", .isoF), ("eusc-", .european),
        ]
        self = prefixes.first { region.hasPrefix($0.0) }?.1 ?? .aws
    }

    /// The domain that follows the region in host names.
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

    /// The domain of dual-stack registries; `nil` where AWS documents none.
    ///
    /// A guess could send a token to a host that isn't AWS's.
    public var dualStackDomain: String? {
        switch self {
        case .aws, .government: "on.aws"
        case .china: "on.amazonwebservices.com.cn"
        case .european: "on.amazonwebservices.eu"
        case .iso, .isoB, .isoE, .isoF: nil
        }
    }

    /// The domain of dual-stack API hosts, for example `api.aws` in `ecr.R.api.aws`.
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
    /// Whether the dual-stack host is used; ignored in a partition without a ``Partition/dualStackDomain``.
    public var usesDualStack: Bool
    /// The host and port of a local cloud, for `ACCOUNT.dkr.ecr.REGION.localhost[:PORT]`; `nil` for AWS itself.
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

    /// The host as in image names, with the port unless it is 443.
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
    /// - Throws: ``ReferenceError`` if it looks like one and is malformed.
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
        // A host with account and region swapped is left to ``MistypedECRHost``.
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

    /// Whether a text has the form of a region (`eu-west-1`): letters, digits and hyphens, because it becomes part of
    /// host names.
    public static func isRegion(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { isLowercaseHexadecimal($0) || (97...122).contains($0) || $0 == 45 }
            && !text.hasPrefix("-") && !text.hasSuffix("-")
    }
}

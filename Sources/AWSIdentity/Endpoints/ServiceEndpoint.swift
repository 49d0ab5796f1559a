internal import Content
public import Wire

extension HTTPURL {
    /// The domain of the partition that the host belongs to; `nil` for a host that isn't AWS's own.
    ///
    /// VPC endpoints have names in that domain too, and dual-stack names count as their partition's usual domain.
    package var awsDomain: String? {
        guard scheme == .https else { return nil }
        return Partition.allCases.first { partition in
            [partition.domain, partition.dualStackAPIDomain, partition.dualStackDomain]
                .contains { $0.map { host.hasSuffix(".\($0)") } ?? false }
        }?.domain
    }
}

/// An AWS service that this program calls.
public enum AWSService: String, Sendable, Hashable {
    case ecr, sts
    /// IAM Identity Center's portal, which issues the keys of roles.
    case sso
    /// IAM Identity Center's token service, which renews a session's token.
    case ssoOIDC = "sso_oidc"
    /// The Key Management Service, whose keys sign records of promotions.
    case kms

    /// The variable that overrides the service's endpoint, for example `AWS_ENDPOINT_URL_ECR`.
    var variable: String { "AWS_ENDPOINT_URL_" + rawValue.uppercased() }
}

/// The URL of a service in one region.
public struct ServiceEndpoint: Sendable, Hashable {
    public let url: HTTPURL
    /// Whether the user named the URL; `false` for AWS's own endpoint.
    public let isCustom: Bool
    /// Another name of the same host, for use when the first isn't in DNS.
    ///
    /// AWS's rules call ECR's FIPS host `api.ecr-fips.R`, its general reference `ecr-fips.R`
    /// (docs/facts/ecr-hosts.md#api-hosts).
    public let alternative: HTTPURL?

    public init(url: HTTPURL, isCustom: Bool, alternative: HTTPURL? = nil) {
        self.url = url
        self.isCustom = isCustom
        self.alternative = alternative
    }

    /// Builds the URL of AWS's own endpoint.
    ///
    /// - Source: docs/facts/ecr-hosts.md#api-hosts and #sts-hosts; docs/facts/kms.md#hosts
    init(_ service: AWSService, region: String, fips: Bool, dualStack: Bool) throws {
        if let fault = RegionText.fault(in: region) {
            throw IdentityError("the region '\(quotable(region, upTo: 60))' \(fault.problem)", remedy: fault.remedy)
        }
        let partition = Partition(region: region)
        let domain = dualStack ? partition.dualStackAPIDomain : partition.domain
        // GovCloud's ordinary IPv4 hosts are FIPS hosts.
        let suffix = fips && (dualStack || partition != .government) ? "-fips" : ""
        let host =
            switch (service, dualStack) {
            case (.ecr, false): fips ? "api.ecr-fips" : "api.ecr"
            case (.ecr, true): fips ? "ecr-fips" : "ecr"
            case (.sts, _): "sts" + suffix
            case (.sso, _): "portal.sso" + suffix
            case (.ssoOIDC, _): "oidc" + suffix
            // KMS has FIPS hosts of their own in every partition.
            case (.kms, _): fips ? "kms-fips" : "kms"
            }
        let hasOtherName = service == .ecr && fips && !dualStack
        self.init(
            url: try HTTPURL("https://\(host).\(region).\(domain)/"),
            isCustom: false,
            alternative: hasOtherName ? try HTTPURL("https://ecr-fips.\(region).\(domain)/") : nil
        )
    }
}

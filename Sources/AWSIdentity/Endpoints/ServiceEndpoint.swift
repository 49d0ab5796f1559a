internal import Content
public import Wire

extension HTTPURL {
    /// The domain of the partition whose host this is; `nil` for a host that isn't AWS's own.
    ///
    /// VPC endpoints have names there too, and names for IPv6 stand for the partition's usual one.
    package var awsDomain: String? {
        guard scheme == .https else { return nil }
        return Partition.allCases.first { partition in
            [partition.domain, partition.dualStackAPIDomain, partition.dualStackDomain]
                .contains { $0.map { host.hasSuffix(".\($0)") } ?? false }
        }?.domain
    }
}

/// A service of AWS that this program calls.
public enum AWSService: String, Sendable, Hashable {
    case ecr, sts
    /// IAM Identity Center's portal, which gives out the keys of roles.
    case sso
    /// Where a session's token is renewed.
    case ssoOIDC = "sso_oidc"

    /// How the variable that overrides its endpoint ends, as in `AWS_ENDPOINT_URL_ECR`.
    var variable: String { "AWS_ENDPOINT_URL_" + rawValue.uppercased() }
}

/// Where a service is called.
public struct ServiceEndpoint: Sendable, Hashable {
    public let url: HTTPURL
    /// Whether somebody named it, so that it isn't AWS's own.
    public let isCustom: Bool
    /// Another name of the same, for when nobody knows the first.
    ///
    /// AWS's rules call ECR's FIPS host `api.ecr-fips.R`, its general reference `ecr-fips.R`
    /// (docs/facts/ecr-hosts.md#api-hosts).
    public let alternative: HTTPURL?

    public init(url: HTTPURL, isCustom: Bool, alternative: HTTPURL? = nil) {
        self.url = url
        self.isCustom = isCustom
        self.alternative = alternative
    }

    /// AWS's own endpoint.
    ///
    /// - Source: docs/facts/ecr-hosts.md#api-hosts and #sts-hosts
    init(_ service: AWSService, region: String, fips: Bool, dualStack: Bool) throws {
        if let fault = RegionText.fault(in: region) {
            throw IdentityError("the region '\(quotable(region, upTo: 60))' \(fault.problem)", remedy: fault.remedy)
        }
        let partition = Partition(region: region)
        let domain = dualStack ? partition.dualStackAPIDomain : partition.domain
        // GovCloud's ordinary hosts are the validated ones, as long as they are IPv4's.
        let suffix = fips && (dualStack || partition != .government) ? "-fips" : ""
        let host =
            switch (service, dualStack) {
            case (.ecr, false): fips ? "api.ecr-fips" : "api.ecr"
            case (.ecr, true): fips ? "ecr-fips" : "ecr"
            case (.sts, _): "sts" + suffix
            case (.sso, _): "portal.sso" + suffix
            case (.ssoOIDC, _): "oidc" + suffix
            }
        let hasOtherName = service == .ecr && fips && !dualStack
        self.init(
            url: try HTTPURL("https://\(host).\(region).\(domain)/"),
            isCustom: false,
            alternative: hasOtherName ? try HTTPURL("https://ecr-fips.\(region).\(domain)/") : nil
        )
    }
}

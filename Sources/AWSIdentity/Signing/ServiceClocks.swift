public import FoundationEssentials
public import Logging
internal import Platform
public import Wire

/// The clocks of all services: one for each origin, and one for all of AWS's own hosts in a partition.
///
/// Each clock is learned separately, because the two sides may be different services, and a local cloud's clock may be
/// wrong. AWS's own hosts have the same time: after one has reported it, the others needn't refuse a request first.
///
/// - Source: docs/architecture.md#laws, 5
public struct ServiceClocks: Sendable {
    private let local: @Sendable () -> Date
    private let logger: Logger?
    private let offsets = Lock<[String: ServiceClock.Offset]>([:])

    /// - Parameter logger: The logger for a warning when a service's clock differs from this machine's.
    public init(_ local: @escaping @Sendable () -> Date, logger: Logger? = nil) {
        self.local = local
        self.logger = logger
    }

    /// Returns the clock of the service at a URL.
    public func clock(of url: HTTPURL) -> ServiceClock {
        let domain = url.isOfAWSService ? url.awsDomain : nil
        let offset = offsets.withLock { offsets in
            let offset = offsets[domain ?? url.origin] ?? ServiceClock.Offset(0)
            offsets[domain ?? url.origin] = offset
            return offset
        }
        return ServiceClock(
            local,
            of: domain == nil ? .other(url.origin) : .aws(url.host),
            offset: offset,
            logger: logger
        )
    }

    /// Returns this machine's time, right or wrong, for comparison with times that this machine wrote.
    func localNow() -> Date { local() }
}

extension HTTPURL {
    /// Whether the host belongs to one of the AWS services that are called here, and not to a customer's machine or
    /// function, which has a clock of its own.
    fileprivate var isOfAWSService: Bool {
        host.split(separator: ".").contains { Self.serviceLabels.contains(String($0)) }
    }

    /// - Source: docs/facts/ecr-hosts.md#api-hosts and #sts-hosts; docs/facts/kms.md#hosts
    private static let serviceLabels: Set<String> = [
        "ecr", "ecr-fips", "dkr-ecr", "dkr-ecr-fips", "sts", "sts-fips", "oidc", "oidc-fips", "sso", "portal", "kms",
        "kms-fips",
    ]
}

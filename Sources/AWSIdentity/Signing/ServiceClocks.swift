public import FoundationEssentials
public import Logging
internal import Platform
public import Wire

/// The clocks of all services: one for each origin, and one for all of AWS's own hosts in a partition.
///
/// Two sides are two services, and a local cloud's clock may be off where AWS's isn't, so each clock is learned
/// separately. AWS's own hosts keep the same time: after one has reported it, the others needn't refuse a request
/// first.
///
/// - Source: docs/architecture.md#laws, 5
public struct ServiceClocks: Sendable {
    private let local: @Sendable () -> Date
    private let logger: Logger?
    private let offsets = Lock<[String: ServiceClock.Offset]>([:])

    /// - Parameter logger: Logs a warning when two clocks differ.
    public init(_ local: @escaping @Sendable () -> Date, logger: Logger? = nil) {
        self.local = local
        self.logger = logger
    }

    /// Returns the clock of the service at a URL.
    public func clock(of url: HTTPURL) -> ServiceClock {
        let domain = url.isOfOurServices ? url.awsDomain : nil
        let offset = offsets.withLock { offsets in
            let offset = offsets[domain ?? url.origin] ?? ServiceClock.Offset(0)
            offsets[domain ?? url.origin] = offset
            return offset
        }
        return ServiceClock(
            local,
            of: domain == nil ? .somebody(url.origin) : .aws(url.host),
            offset: offset,
            logger: logger
        )
    }

    /// This machine's time, right or wrong, for judging times that this machine wrote.
    func here() -> Date { local() }
}

extension HTTPURL {
    /// Whether AWS gave the host's name to one of the services called here, and not to a customer's machine or
    /// function, which has a clock of its own.
    fileprivate var isOfOurServices: Bool {
        host.split(separator: ".").contains { Self.serviceLabels.contains(String($0)) }
    }

    /// - Source: docs/facts/ecr-hosts.md#api-hosts and #sts-hosts
    private static let serviceLabels: Set<String> = [
        "ecr", "ecr-fips", "dkr-ecr", "dkr-ecr-fips", "sts", "sts-fips", "oidc", "oidc-fips", "sso", "portal",
    ]
}

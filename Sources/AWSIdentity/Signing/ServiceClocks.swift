public import FoundationEssentials
public import Logging
internal import Platform
public import Wire

/// What time it is, by everybody who is asked: a clock for each origin, and one for all of AWS's own hosts of a partition.
///
/// Two sides are two services, and a local cloud's clock may be off where AWS's isn't: what one says of its time is no news
/// of the other's. AWS's own hosts keep the same time, so that one of them need say it, and each of the others isn't to
/// refuse a request first.
///
/// - Source: docs/architecture.md#laws, 5
public struct ServiceClocks: Sendable {
    private let local: @Sendable () -> Date
    private let logger: Logger?
    private let offsets = Lock<[String: ServiceClock.Offset]>([:])

    /// - Parameter logger: Is told when two clocks differ.
    public init(_ local: @escaping @Sendable () -> Date, logger: Logger? = nil) {
        self.local = local
        self.logger = logger
    }

    /// The clock of whoever answers there.
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

    /// What this machine's clock shows, right or wrong: for what was written by it.
    func here() -> Date { local() }
}

extension HTTPURL {
    /// Whether the host's name is one of those that AWS gives the services called here, and not to a customer's machine or
    /// function, which has a clock of its own.
    fileprivate var isOfOurServices: Bool {
        host.split(separator: ".").contains { Self.serviceLabels.contains(String($0)) }
    }

    /// - Source: docs/facts/ecr-hosts.md#api-hosts and #sts-hosts
    private static let serviceLabels: Set<String> = [
        "ecr", "ecr-fips", "dkr-ecr", "dkr-ecr-fips", "sts", "sts-fips", "oidc", "oidc-fips", "sso", "portal",
    ]
}

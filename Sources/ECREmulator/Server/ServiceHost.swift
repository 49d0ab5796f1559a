/// The service and region that a client's `Host` names, if it is an AWS host or the emulator's own equivalent.
///
/// Users direct AWS's host names here by a proxy or a line in `/etc/hosts`.
///
/// - Source: docs/facts/ecr-hosts.md#api-hosts, #registry-hosts and #sts-hosts
struct ServiceHost: Sendable, Equatable {
    enum Service: Sendable, Equatable {
        case registry(account: String)
        case ecr, sts
    }

    var service: Service
    var region: String

    /// - Parameter authority: A host in upper or lower case, with or without a port.
    init?(_ authority: String) {
        let name = authority.prefix { $0 != ":" }.lowercased()
        let labels = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard labels.count >= 4, let host = Self.registry(labels) ?? Self.api(labels) else { return nil }
        self = host
    }

    private init(_ service: Service, _ region: String) {
        self.service = service
        self.region = region
    }

    /// Parses `ACCOUNT.dkr.ecr.REGION.…`, or the dual-stack form with a hyphen.
    private static func registry(_ labels: [String]) -> ServiceHost? {
        guard labels[0].count == 12, labels[0].allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        let service = Service.registry(account: labels[0])
        if labels[1] == "dkr", labels[2] == "ecr" || labels[2] == "ecr-fips" {
            let domain = labels.dropFirst(4).joined(separator: ".")
            let isOurs = domain == "localhost" && labels[2] == "ecr"
            guard isOurs || domain == AWSPartition(ofRegion: labels[3]).domain else { return nil }
            return ServiceHost(service, labels[3])
        }
        guard labels[1] == "dkr-ecr" || labels[1] == "dkr-ecr-fips" else { return nil }
        let domain = labels.dropFirst(3).joined(separator: ".")
        guard domain == AWSPartition(ofRegion: labels[2]).dualStackRegistryDomain else { return nil }
        return ServiceHost(service, labels[2])
    }

    /// Parses `api.ecr.REGION.…` and `sts.REGION.…`; ECR also answers without `api`, and by a VPC endpoint's own name.
    private static func api(_ labels: [String]) -> ServiceHost? {
        var labels = labels
        let isOfEndpoint = labels.count > 5 && labels[0].hasPrefix("vpce-")
        if isOfEndpoint { labels.removeFirst() }
        let saysAPI = labels[0] == "api"
        if saysAPI { labels.removeFirst() }
        let service: Service
        switch labels[0] {
        case "ecr", "ecr-fips": service = .ecr
        case "sts" where !saysAPI, "sts-fips" where !saysAPI: service = .sts
        default: return nil
        }
        let partition = AWSPartition(ofRegion: labels[1])
        let domain = labels.dropFirst(2).joined(separator: ".")
        let isKnown =
            isOfEndpoint
            ? domain == "vpce.\(partition.domain)"
            : domain == partition.domain || (!saysAPI && domain == partition.dualStackAPIDomain)
        return isKnown ? ServiceHost(service, labels[1]) : nil
    }
}

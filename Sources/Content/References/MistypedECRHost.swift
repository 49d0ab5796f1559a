/// A mistyped host of an ECR registry.
///
/// Treated as a plain registry, it would be tried eight times and be sent docker's login. Only names that belong to AWS,
/// or that differ from such a name by a typo, count: a mirror called `111122223333.dkr.ecr.eu-west-1.corp.example` is a
/// registry of its own, and so is a VPC endpoint or a load balancer below `amazonaws.com`.
///
/// - Source: docs/facts/ecr-hosts.md#api-hosts and #registry-hosts for the right names;
///   github.com/sjednac/sbt-ecr/issues/15, github.com/buildkite-plugins/ecr-buildkite-plugin/pull/104 and
///   github.com/rancher/rancher-ecr-credentials/issues/16 for common mistakes
struct MistypedECRHost {
    /// The mistake, and what to write instead.
    let reason: String

    /// - Parameter host: In lowercase, without a port.
    /// - Returns: `nil` for a correct host, and for any other host.
    init?(_ host: String, port: String?) {
        let name = host.hasSuffix(".") ? String(host.dropLast()) : host
        let labels = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard labels.count >= 2, let domain = Domain(labels) else { return nil }
        let parts = Parts(labels[..<(labels.count - domain.length)])
        guard parts.mean(domain), domain.isAWS || port == nil || port == "443" else { return nil }
        reason = Self.reason(parts, domain)
    }

    private static func reason(_ parts: Parts, _ domain: Domain) -> String {
        guard !parts.isPublic else {
            return "that is the API of ECR Public; its images are written public.ecr.aws/ALIAS/NAME"
        }
        let right = parts.host(domain)
        let registry = "the host of an ECR registry is written \(right)"
        if parts.isAPI { return "that is the host of ECR's API; \(registry)" }
        if let region = parts.region, !domain.isOf(Partition(region: region)) {
            return "\(registry): names in \(region) end in \(Partition(region: region).domain)"
        }
        if parts.region == nil { return "it names no region; \(registry)" }
        return parts.account == nil ? "it names no account; \(registry)" : registry
    }

    /// The domain at the end of a host.
    private struct Domain {
        var text: String
        /// The number of labels in the domain.
        var length: Int
        /// Whether every name below the domain belongs to AWS.
        var isAWS: Bool

        /// - Returns: `nil` unless the host ends with a domain of AWS's, or with one that differs from it by a typo.
        init?(_ labels: [String]) {
            for length in (1...min(5, labels.count - 1)).reversed() {
                let suffix = Array(labels.suffix(length))
                let text = suffix.joined(separator: ".")
                let isAWS = Self.known.contains(text)
                guard isAWS || Self.isNearlyAWS(suffix) else { continue }
                (self.text, self.length, self.isAWS) = (text, length, isAWS)
                return
            }
            return nil
        }

        func isOf(_ partition: Partition) -> Bool {
            [partition.domain, partition.dualStackDomain, partition.dualStackAPIDomain].contains(text)
        }

        var isDualStack: Bool {
            Partition.allCases.contains { [$0.dualStackDomain, $0.dualStackAPIDomain].contains(text) }
        }

        /// The partition of the domain, for a host without a region.
        var partition: Partition { Partition.allCases.first { isOf($0) } ?? (text.hasSuffix("cn") ? .china : .aws) }

        private static let known = Set(
            Partition.allCases.flatMap { [$0.domain, $0.dualStackAPIDomain] + [$0.dualStackDomain].compactMap { $0 } }
                + ["amazon.com", "amazon.com.cn", "amazonaws.cn", "aws.amazon.com", "amazonaws-us-gov.com"]
        )

        /// Whether the labels end in a mistyped domain: `amazonaws.co`, `amazonws.com`, `aws.com`; never below another
        /// domain.
        private static func isNearlyAWS(_ labels: [String]) -> Bool {
            let rest = labels.dropFirst().joined(separator: ".")
            switch labels[0] {
            case "aws", "amazon": return ["", "com", "cn", "com.cn", "eu"].contains(rest)
            case let label where distance(label, "amazonaws") <= 2:
                return labels.count <= 2 && rest.utf8.count <= 4 && !Self.isPrivate(rest)
                    || labels.count == 3 && distance(rest, "com.cn") <= 2
            default: return false
            }
        }

        /// Whether the domain is reserved for private networks.
        ///
        /// - Source: RFC 6761 and RFC 2606, and common names of private networks
        private static func isPrivate(_ domain: String) -> Bool {
            ["test", "lan", "home", "corp", "arpa"].contains(domain)
        }

        /// The number of letters that are missing, added or changed.
        private static func distance(_ left: String, _ right: String) -> Int {
            let (left, right) = (Array(left.utf8), Array(right.utf8))
            // A label has at most 63 characters, but that was not checked yet.
            guard abs(left.count - right.count) <= 2 else { return 3 }
            var row = Array(0...right.count)
            for (i, letter) in left.enumerated() {
                var diagonal = row[0]
                row[0] = i + 1
                for (j, other) in right.enumerated() {
                    let change = diagonal + (letter == other ? 0 : 1)
                    diagonal = row[j + 1]
                    row[j + 1] = min(change, row[j] + 1, row[j + 1] + 1)
                }
            }
            return row[right.count]
        }
    }

    /// The labels before the domain.
    private struct Parts {
        var account: String?
        var region: String?
        var services: Set<String> = []
        /// Labels that don't occur in ECR's names.
        var others: [String] = []

        init(_ labels: ArraySlice<String>) {
            for label in labels {
                if account == nil, let known = Self.account(label) {
                    account = known
                } else if region == nil, let known = RegionText.region(of: label) {
                    region = known
                } else if Self.services.contains(label) {
                    services.insert(label)
                } else {
                    others.append(label)
                }
            }
        }

        private static let services: Set<String> = [
            "api", "dkr", "ecr", "ecr-fips", "dkr-ecr", "dkr-ecr-fips", "ecr-dkr", "ecr-public",
        ]

        /// Services whose hosts may be registries of their own.
        private static let otherServices: Set<String> = ["vpce", "elb", "compute", "lambda-url", "execute-api"]

        private static func account(_ label: String) -> String? {
            (try? AccountID(parsing: label))?.value ?? AccountText(label).account
        }

        private var namesECR: Bool { !services.subtracting(["api"]).isEmpty }
        var isPublic: Bool { services.contains("ecr-public") }
        var isAPI: Bool { account == nil && others.isEmpty && !services.contains { $0.contains("dkr") } }

        /// Whether these labels can only name an ECR registry.
        func mean(_ domain: Domain) -> Bool {
            guard others.allSatisfy({ !Self.otherServices.contains($0) }) else { return false }
            if isPublic { return domain.isAWS && account == nil && others.isEmpty }
            guard namesECR else {
                return domain.isAWS && account != nil && region != nil && others.isEmpty && services.isEmpty
            }
            guard domain.isAWS else { return account != nil && region != nil && others.isEmpty }
            return others.isEmpty || account != nil && others.count == 1
        }

        func host(_ domain: Domain) -> String {
            let partition = region.map { Partition(region: $0) } ?? domain.partition
            let fips = services.contains { $0.hasSuffix("-fips") } ? "-fips" : ""
            let (account, region) = (account ?? "ACCOUNT", region ?? "REGION")
            let usual = "\(account).dkr.ecr\(fips).\(region).\(partition.domain)"
            guard let dualStack = partition.dualStackDomain else { return usual }
            let other = "\(account).dkr-ecr\(fips).\(region).\(dualStack)"
            if domain.isDualStack { return other }
            return services.contains { $0.hasPrefix("dkr-ecr") } ? "\(usual), with dual stack \(other)" : usual
        }
    }
}

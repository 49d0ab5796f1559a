import Content
import Testing

@testable import ECREmulator

@Suite("Names of hosts", .timeLimit(.minutes(1)))
struct ServiceHostTests {
    @Test(
        "are parsed into the registry or API, and the region",
        arguments: [
            ("111122223333.dkr.ecr.us-east-1.localhost:4510", "111122223333 us-east-1"),
            ("111122223333.DKR.ECR.us-east-1.AmazonAWS.com:443", "111122223333 us-east-1"),
            ("111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "111122223333 us-gov-west-1"),
            ("111122223333.dkr-ecr.eu-west-1.on.aws", "111122223333 eu-west-1"),
            ("111122223333.dkr-ecr-fips.us-east-2.on.aws", "111122223333 us-east-2"),
            ("111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn", "111122223333 cn-north-1"),
            ("111122223333.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "111122223333 cn-north-1"),
            ("111122223333.dkr.ecr.us-iso-east-1.c2s.ic.gov", "111122223333 us-iso-east-1"),
            ("111122223333.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "111122223333 us-isob-east-1"),
            ("111122223333.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "111122223333 eu-isoe-west-1"),
            ("111122223333.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "111122223333 us-isof-south-1"),
            ("111122223333.dkr.ecr.eusc-de-east-1.amazonaws.eu", "111122223333 eusc-de-east-1"),
            ("api.ecr.eu-west-1.amazonaws.com", "ecr eu-west-1"),
            ("ecr.eu-west-1.amazonaws.com", "ecr eu-west-1"),
            ("ecr.eu-west-1.api.aws", "ecr eu-west-1"),
            ("api.ecr-fips.us-east-1.amazonaws.com", "ecr us-east-1"),
            ("ecr-fips.us-gov-east-1.amazonaws.com", "ecr us-gov-east-1"),
            ("ecr-fips.us-east-1.api.aws", "ecr us-east-1"),
            ("api.ecr.cn-north-1.amazonaws.com.cn", "ecr cn-north-1"),
            ("ecr.us-isob-east-1.api.aws.scloud", "ecr us-isob-east-1"),
            ("vpce-0a-1b.api.ecr.eu-west-1.vpce.amazonaws.com", "ecr eu-west-1"),
            ("sts.eusc-de-east-1.amazonaws.eu", "sts eusc-de-east-1"),
            ("sts-fips.us-east-1.amazonaws.com", "sts us-east-1"),
            ("sts.cn-north-1.api.amazonwebservices.com.cn", "sts cn-north-1"),
            ("127.0.0.1:4510", nil), ("localhost", nil), ("", nil),
            // A partition's domain with a region of another partition is unknown.
            ("111122223333.dkr.ecr.cn-north-1.amazonaws.com", nil),
            ("111122223333.dkr.ecr.us-east-1.amazonaws.com.cn", nil),
            ("111122223333.dkr-ecr.us-east-1.amazonaws.com", nil),
            ("11112222333.dkr.ecr.us-east-1.amazonaws.com", nil),
            ("api.ecr.us-east-1.api.aws", nil), ("sts.amazonaws.com", nil),
            ("api.ecr.us-east-1.amazonaws.com.example.org", nil),
        ] as [(String, String?)]
    )
    func names(authority: String, meaning: String?) {
        let host = ServiceHost(authority)
        let said = host.map { host in
            switch host.service {
            case .registry(let account): "\(account) \(host.region)"
            case .ecr: "ecr \(host.region)"
            case .sts: "sts \(host.region)"
            }
        }
        #expect(said == meaning)
    }

    @Test("mean the same as to the client", arguments: AWSPartition.allCases)
    func agreement(partition: AWSPartition) throws {
        let regions: [AWSPartition: String] = [
            .commercial: "eu-west-1", .china: "cn-north-1", .government: "us-gov-west-1", .iso: "us-iso-east-1",
            .isoB: "us-isob-east-1", .isoE: "eu-isoe-west-1", .isoF: "us-isof-south-1", .european: "eusc-de-east-1",
        ]
        let region = try #require(regions[partition])
        #expect(Partition(region: region).rawValue == partition.rawValue)
        for (usesFIPS, usesDualStack) in [(false, false), (true, false), (false, true), (true, true)] {
            if usesDualStack, partition.dualStackRegistryDomain == nil { continue }
            let name = ECRHost(
                account: try AccountID(parsing: account),
                region: region,
                usesFIPS: usesFIPS,
                usesDualStack: usesDualStack
            ).name
            #expect(ServiceHost(name)?.service == .registry(account: account), "\(name)")
            #expect(ServiceHost(name)?.region == region, "\(name)")
        }
    }

    @Test("lead to the registry that they name, on any port")
    func registries() async throws {
        try await withClient { emulator, client in
            try emulator.createRepository(account: otherAccount, region: region, "team/other")
            let path = "/v2/team/other/tags/list"
            let hosts = [
                "\(otherAccount).dkr.ecr.\(region).amazonaws.com",
                "\(otherAccount).dkr.ecr-fips.\(region).amazonaws.com",
                "\(otherAccount).dkr-ecr.\(region).on.aws",
            ]
            for host in hosts { #expect(try await client.registry("GET", path, [("Host", host)]).status == 200) }
            #expect(try await client.registry("GET", path).status == 404, "there is none in the first account")
            let elsewhere = "\(otherAccount).dkr.ecr.eu-west-1.amazonaws.com"
            let refused = try await client.registry("GET", path, [("Host", elsewhere)])
            #expect(refused.status == 401, "the token is of another region")
            #expect(try refused.json("errors", "0", "message") == "no basic auth credentials")
            #expect(
                refused.headers["www-authenticate"]
                    == "Basic realm=\"http://\(elsewhere)/\",service=\"ecr.amazonaws.com\""
            )
        }
    }

    @Test("of an API must agree with the signature, and the token names the emulator's own registry")
    func api() async throws {
        try await withClient { emulator, client in
            var named = client
            for host in ["api.ecr.\(region).amazonaws.com", "ecr.\(region).api.aws"] {
                named.host = host
                let answer = try await named.call("GetAuthorizationToken")
                #expect(
                    try answer.json("authorizationData", "0", "proxyEndpoint")
                        == "http://\(emulator.registryHost(account: account, region: region))"
                )
            }
            named.host = "api.ecr.eu-west-1.amazonaws.com"
            let refused = try await named.call("DescribeRegistry")
            #expect(try refused.code == "InvalidSignatureException")
            #expect(
                try refused.json("message") == "Credential should be scoped to a valid region, not '\(region)'."
            )
            named.host = "sts.eu-west-1.amazonaws.com"
            let asked = try await named.sts("Action=GetCallerIdentity")
            #expect(asked.element("Code") == "SignatureDoesNotMatch")
            named.region = "eu-west-1"
            #expect(try await named.sts("Action=GetCallerIdentity").element("Account") == account)
        }
    }
}

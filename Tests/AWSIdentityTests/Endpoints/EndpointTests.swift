import FoundationEssentials
import TestDoubles
import Testing

@testable import AWSIdentity

@Suite("Endpoints and regions")
struct EndpointTests {
    @Test(
        "are AWS's own",
        arguments: [
            (AWSService.ecr, "eu-west-1", false, false, "https://api.ecr.eu-west-1.amazonaws.com/"),
            (.ecr, "eu-west-1", false, true, "https://ecr.eu-west-1.api.aws/"),
            (.ecr, "us-east-1", true, false, "https://api.ecr-fips.us-east-1.amazonaws.com/"),
            (.ecr, "us-east-1", true, true, "https://ecr-fips.us-east-1.api.aws/"),
            (.ecr, "cn-north-1", false, false, "https://api.ecr.cn-north-1.amazonaws.com.cn/"),
            (.ecr, "cn-north-1", false, true, "https://ecr.cn-north-1.api.amazonwebservices.com.cn/"),
            (.ecr, "us-iso-east-1", false, false, "https://api.ecr.us-iso-east-1.c2s.ic.gov/"),
            (.ecr, "eusc-de-east-1", false, false, "https://api.ecr.eusc-de-east-1.amazonaws.eu/"),
            (.ecr, "zz-new-1", false, false, "https://api.ecr.zz-new-1.amazonaws.com/"),
            (.sts, "eu-west-1", false, false, "https://sts.eu-west-1.amazonaws.com/"),
            (.sts, "us-east-1", true, false, "https://sts-fips.us-east-1.amazonaws.com/"),
            (.sts, "us-gov-west-1", true, false, "https://sts.us-gov-west-1.amazonaws.com/"),
            (.sts, "eu-west-1", false, true, "https://sts.eu-west-1.api.aws/"),
        ]
    )
    func own(_ service: AWSService, _ region: String, _ fips: Bool, _ dualStack: Bool, _ url: String) throws {
        let (resolver, _) = try resolver()
        let endpoint = try resolver.endpoint(service, region: region, fips: fips, dualStack: dualStack)
        #expect(endpoint.url.text == url)
        #expect(!endpoint.isCustom)
    }

    static let config = """
        [profile a]
        services = local
        endpoint_url = http://127.0.0.1:4
        region = eu-south-1
        [services local]
        ecr =
          endpoint_url = http://127.0.0.1:3
        [profile b]
        endpoint_url = http://127.0.0.1:4
        use_fips_endpoint = TRUE
        ignore_configured_endpoint_urls = true
        """

    @Test("come in this order: flag, the service's variable, the general one, services, profile")
    func order() throws {
        let all = ["AWS_ENDPOINT_URL_ECR": "http://127.0.0.1:1", "AWS_ENDPOINT_URL": "http://127.0.0.1:2"]
        let profile = IdentityOptions(profile: "a")
        func port(_ variables: [String: String], flag: String? = nil, _ service: AWSService = .ecr) throws -> Int {
            let (resolver, _) = try resolver(variables, config: Self.config)
            let endpoint = try resolver.endpoint(
                service,
                region: "eu-west-1",
                fips: true,
                flag: flag,
                options: profile
            )
            return endpoint.isCustom ? endpoint.url.port : 0
        }
        #expect(try port(all, flag: "http://127.0.0.1:9") == 9)
        #expect(try port(all) == 1)
        #expect(try port(all, .sts) == 2)
        #expect(try port(["AWS_ENDPOINT_URL": "http://127.0.0.1:2"]) == 2)
        #expect(try port([:]) == 3)
        #expect(try port([:], .sts) == 4)
        #expect(try port(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"]) == 0)
        #expect(try port(["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"], flag: "http://127.0.0.1:9") == 9)
    }

    @Test("follow the profile's FIPS and dual-stack settings")
    func profileSettings() throws {
        let (resolver, _) = try resolver(config: Self.config)
        let endpoint = try resolver.endpoint(.ecr, region: "us-east-1", options: .init(profile: "b"))
        #expect(endpoint.url.text == "https://api.ecr-fips.us-east-1.amazonaws.com/")
        let (other, _) = try AWSIdentityTests.resolver(["AWS_USE_DUALSTACK_ENDPOINT": "true"])
        #expect(try other.endpoint(.ecr, region: "us-east-1").url.text == "https://ecr.us-east-1.api.aws/")
    }

    @Test(
        "are refused for a setting that is neither true nor false",
        arguments: [
            (
                ["AWS_USE_FIPS_ENDPOINT": "maybe"], "AWS_USE_FIPS_ENDPOINT is 'maybe', which is neither true nor false",
                ""
            ),
            (
                ["AWS_USE_DUALSTACK_ENDPOINT": "1", "AWS_USE_FIPS_ENDPOINT": "true"],
                "AWS_USE_DUALSTACK_ENDPOINT is '1', which is neither true nor false", ""
            ),
            ([:], "use_fips_endpoint of profile 'default' is 'yes', which is neither true nor false", "config:2"),
        ]
    )
    func neither(_ variables: [String: String], _ problem: String, _ place: String) throws {
        let (resolver, _) = try resolver(variables, config: "[default]\nuse_fips_endpoint = yes\n")
        let error = #expect(throws: IdentityError.self) { try resolver.endpoint(.ecr, region: "us-east-1") }
        #expect(error?.problem == problem)
        #expect(error?.tried.isEmpty == place.isEmpty && error?.tried.allSatisfy { $0.hasSuffix(place) } == true)
        #expect(error?.remedy == "write true or false; the setting selects the AWS hosts that are called")
        // A setting that is overridden, or isn't needed, isn't checked.
        let overridden = try AWSIdentityTests.resolver(
            ["AWS_USE_FIPS_ENDPOINT": "False", "AWS_USE_DUALSTACK_ENDPOINT": ""],
            config: "[default]\nuse_fips_endpoint = yes\n"
        ).0
        #expect(try overridden.switches(.init()) == (false, false))
        #expect(try resolver.switches(.init(usesFIPS: true, usesDualStack: true)) == (true, true))
        #expect(try resolver.endpoint(.ecr, region: "us-east-1", flag: "http://127.0.0.1:1").isCustom)
    }

    @Test("that are not URLs are refused with the setting's name")
    func refused() throws {
        let (resolver, _) = try resolver(["AWS_ENDPOINT_URL": "localhost:4566"])
        let error = #expect(throws: IdentityError.self) { try resolver.endpoint(.sts, region: "eu-west-1") }
        #expect(error?.problem.hasPrefix("AWS_ENDPOINT_URL is not an endpoint") == true)
        let (plain, _) = try AWSIdentityTests.resolver()
        #expect(throws: IdentityError.self) { try plain.endpoint(.ecr, region: "evil.example/") }
    }

    @Test("of STS may be named by its variable")
    func customSTS() async throws {
        let sender = RecordingSender { _, _ in roleAnswer() }
        let (resolver, _) = try resolver(
            [
                "AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:4510",
            ],
            sender: sender
        )
        let role = IdentityOptions(roleARN: "arn:aws:iam::123456789012:role/r")
        _ = try await resolver.provider(for: role, stsRegion: "ap-south-1").credentials()
        #expect(sender.requests.map(\.url.text) == ["http://127.0.0.1:4510/"])
    }

    @Test("regions come from the flag, AWS_REGION, AWS_DEFAULT_REGION, the profile")
    func regions() throws {
        let both = ["AWS_REGION": "r1", "AWS_DEFAULT_REGION": "r2"]
        func region(_ variables: [String: String], flag: String? = nil, profile: String? = "a") throws -> String? {
            let (resolver, _) = try resolver(variables, config: Self.config)
            return try resolver.defaultRegion(flag: flag, options: .init(profile: profile))
        }
        #expect(try region(both, flag: "r0") == "r0")
        #expect(try region(both) == "r1")
        #expect(try region(["AWS_DEFAULT_REGION": "r2"]) == "r2")
        #expect(try region([:]) == "eu-south-1")
        #expect(try region(["AWS_PROFILE": "a"], profile: nil) == "eu-south-1")
        #expect(try region([:], profile: nil) == nil)
    }

    @Test(
        "times are parsed and formatted without a calendar",
        arguments: [
            ("2026-01-15T12:00:00Z", "20260115T120000Z"), ("2026-01-15T13:00:00.123Z", "20260115T130000Z"),
            ("2024-02-29T23:59:59UTC", "20240229T235959Z"), ("2026-01-01T00:30:00+01:00", "20251231T233000Z"),
            ("1970-01-01T00:00:00Z", "19700101T000000Z"), ("2000-03-01T00:00:00-0000", "20000301T000000Z"),
            ("1969-12-31T23:59:59Z", "19691231T235959Z"), ("2100-02-28T12:00:00Z", "21000228T120000Z"),
            ("2026-01-15T13:00:00+02", "20260115T110000Z"), ("2026-01-15T13:00:00-0230", "20260115T153000Z"),
            ("2026-01-15T13:00:00+02:00", "20260115T110000Z"), ("2026-01-15T13:00:00\u{2212}01:00", "20260115T140000Z"),
            ("2026-01-15T13:00Z", "20260115T130000Z"), ("2026-01-15T13Z", "20260115T130000Z"),
            ("2026-01-15T13:00:00,123Z", "20260115T130000Z"), ("2026-01-15 13:00:00 +0200", "20260115T110000Z"),
            ("2026-01-15t13:00:00z", "20260115T130000Z"), ("2026-01-15 13:00:00 UTC", "20260115T130000Z"),
            ("20260115T130000Z", "20260115T130000Z"), ("20260115T1300Z", "20260115T130000Z"),
            ("20260115T130000.5+0100", "20260115T120000Z"), ("2026-01-15", "20260115T000000Z"),
            ("2026-015T13:00:00Z", "20260115T130000Z"), ("2026015T130000Z", "20260115T130000Z"),
            ("2026-W03-4T13:00:00Z", "20260115T130000Z"), ("2026W034T130000Z", "20260115T130000Z"),
            ("2009-W01-1T00:00:00Z", "20081229T000000Z"), ("2026-W03", "20260112T000000Z"),
            ("2026-01-15T24:00:00Z", "20260116T000000Z"), (" 2026-01-15T13:00:00Z\n", "20260115T130000Z"),
            ("2026/01/15 13:00:00", "20260115T130000Z"), ("Thu, 15 Jan 2026 13:00:00 GMT", "20260115T130000Z"),
            ("15 Jan 2026 13:00:00 +0200", "20260115T110000Z"), ("Thu Jan 15 13:00:00 UTC 2026", "20260115T130000Z"),
            ("Thu Jan 15 13:00:00 2026", "20260115T130000Z"), ("1 January 2099 00:00 UTC", "20990101T000000Z"),
        ]
    )
    func times(_ text: String, _ basic: String) throws {
        #expect(AWSTime.basic(try #require(AWSTime.parse(text))) == basic)
    }

    @Test(
        "texts that are not a time are rejected",
        arguments: [
            "", "now", "2026-13-01T00:00:00Z", "2026-01-15T12:00:00X", "2026-01-15T", "2026-01-15T25:00:00Z",
            "2026-01-15T24:00:01Z", "2026-01-15T12:60:00Z", "2026-01-15T12:00:00+24:00", "2026-01-15T12:00:00+2",
            "2026-01-15T12:00:00+02:", "2026-01-15T12:00:00.Z", "2026-W54-1", "2026-W01-8", "2026-000", "2026-367",
            "1736946000", "Thu, 15 Jan 13:00:00 GMT", "Thu, 32 Jan 2026 13:00:00 GMT", "15 Jan 2026",
            "2026-01-15T12:00:00+02:00:00", "12:00:00", "Jan Feb 2026 12:00",
        ]
    )
    func noTimes(_ text: String) {
        #expect(AWSTime.parse(text) == nil)
    }
}

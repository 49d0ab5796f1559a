import AWSIdentity
import Content
import FoundationEssentials
import HTTPTypes
import Platform
import TestClouds
import Testing
import Wire

@testable import Replicate

@Suite("FIPS and dual-stack endpoints")
struct HostFormTests {
    private static let plain = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
    private static let fips = "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com"
    private static let dual = "111122223333.dkr-ecr.us-east-1.on.aws"
    private static let both = "111122223333.dkr-ecr-fips.us-east-1.on.aws"

    /// The hosts that an upload to `host` sends requests to.
    private func origins(
        _ host: String,
        _ variables: [String: String] = [:],
        _ identity: IdentityOptions = IdentityOptions()
    ) async throws -> Set<String> {
        let aws = RecordingAWS(proxyEndpoint: "https://111122223333.dkr.ecr.us-east-1.amazonaws.com")
        let repository = try await opener(aws, variables).open(
            ImageReference(parsing: "\(host)/team/app"),
            side: .destination,
            SideOptions(identity: identity)
        )
        _ = try await repository.receive(SentBlob(FakeImage.blob("layer")))
        return Set(aws.origins.map { String($0.dropFirst("https://".count).prefix { $0 != ":" }) })
    }

    private func opener(_ aws: any HTTPSending, _ more: [String: String]) -> RepositoryOpener {
        var variables = ["AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret"]
        variables.merge(more) { $1 }
        return .forTests(aws, RetryPolicy(attempts: 1, clock: InstantClock()), variables: variables)
    }

    @Test(
        "A flag, the environment or the reference chooses the endpoints of API and registry together",
        arguments: [
            (plain, "", "", "api.ecr.us-east-1.amazonaws.com", plain),
            (plain, "fips", "", "api.ecr-fips.us-east-1.amazonaws.com", fips),
            (plain, "", "fips", "api.ecr-fips.us-east-1.amazonaws.com", fips),
            (fips, "", "", "api.ecr-fips.us-east-1.amazonaws.com", fips),
            (plain, "dual", "", "ecr.us-east-1.api.aws", dual),
            (plain, "", "dual", "ecr.us-east-1.api.aws", dual),
            (dual, "", "", "ecr.us-east-1.api.aws", dual),
            (plain, "fips dual", "", "ecr-fips.us-east-1.api.aws", both),
            (dual, "fips", "", "ecr-fips.us-east-1.api.aws", both),
            (fips, "", "dual", "ecr-fips.us-east-1.api.aws", both),
            (both, "", "", "ecr-fips.us-east-1.api.aws", both),
        ]
    )
    func together(_ host: String, _ flags: String, _ variables: String, _ api: String, _ registry: String) async throws
    {
        var environment: [String: String] = [:]
        if variables == "fips" { environment["AWS_USE_FIPS_ENDPOINT"] = "TRUE" }
        if variables == "dual" { environment["AWS_USE_DUALSTACK_ENDPOINT"] = "true" }
        let identity = IdentityOptions(usesFIPS: flags.contains("fips"), usesDualStack: flags.contains("dual"))
        #expect(try await origins(host, environment, identity) == [api, registry])
    }

    @Test("A reference's own form is kept although the environment turns it off")
    func kept() async throws {
        let off = ["AWS_USE_FIPS_ENDPOINT": "false", "AWS_USE_DUALSTACK_ENDPOINT": "false"]
        #expect(try await origins(Self.both, off) == ["ecr-fips.us-east-1.api.aws", Self.both])
    }

    @Test("The caller's account is requested from the FIPS endpoint of STS")
    func caller() async throws {
        let aws = RecordingAWS(proxyEndpoint: "https://111122223333.dkr.ecr.us-east-1.amazonaws.com")
        let options = SideOptions(identity: IdentityOptions(usesFIPS: true), region: "us-east-1")
        let opener = opener(aws, [:])
        _ = try await opener.open(ImageReference(parsing: "team/app"), side: .source, options)
        #expect(aws.origins == ["https://sts-fips.us-east-1.amazonaws.com:443"])
    }

    @Test("The API's second FIPS name is used if the first does not resolve")
    func otherName() async throws {
        let aws = RecordingAWS(proxyEndpoint: "https://\(Self.fips)")
        let opener = opener(UnresolvableHost(host: "api.ecr-fips.us-east-1.amazonaws.com", aws: aws), [:])
        let repository = try await opener.open(
            ImageReference(parsing: "\(Self.fips)/team/app"),
            side: .destination,
            SideOptions()
        )
        _ = try await repository.receive(SentBlob(FakeImage.blob("layer")))
        #expect(aws.origins == ["https://ecr-fips.us-east-1.amazonaws.com:443", "https://\(Self.fips):443"])
    }

    /// AWS with one host name that does not resolve.
    private struct UnresolvableHost: HTTPSending {
        let host: String
        let aws: RecordingAWS

        func send(_ request: WireRequest) async throws -> WireResponse {
            guard request.url.host != host else { throw WireError(.unresolvable, "unknown host", url: request.url) }
            return try await aws.send(request)
        }
    }

    @Test("A partition without dual-stack names is an error before any request")
    func refused() async throws {
        let aws = RecordingAWS(proxyEndpoint: "")
        let text = "111122223333.dkr.ecr.us-iso-east-1.c2s.ic.gov/team/app"
        let options = SideOptions(identity: IdentityOptions(usesDualStack: true))
        let opener = opener(aws, [:])
        let error = await #expect(throws: CopyError.self) {
            try await opener.open(ImageReference(parsing: text), side: .source, options)
        }
        #expect(error?.cause.contains("registries of the partition aws-iso have no dual-stack names") == true)
        #expect(aws.operations.isEmpty)
        let named = SideOptions(identity: options.identity, endpointURL: "http://127.0.0.1:1")
        _ = try await opener.open(ImageReference(parsing: text), side: .source, named)
    }
}

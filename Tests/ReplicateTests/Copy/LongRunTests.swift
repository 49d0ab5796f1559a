import AWSIdentity
import Content
import ECREmulator
import FoundationEssentials
import Logging
import Platform
import Reporting
import TestClouds
import Testing
import Wire

@testable import Replicate

/// A clock for AWS and this machine that each request advances.
private final class RequestClock: Sendable {
    private let moment: Lock<Date>
    init(_ begin: Date) { moment = Lock(begin) }
    var now: Date { moment.withLock { $0 } }
    func advance(_ seconds: Double) { moment.withLock { $0 += seconds } }
}

@Suite("A three-hour run", .timeLimit(.minutes(2)))
struct LongRunTests {
    private static let begin = Date(timeIntervalSince1970: 1_768_478_400)
    /// Seconds per request.
    ///
    /// All concurrent requests together take less than the five minutes that a signature is valid.
    private static let step = 8.0
    private static let source = ScenarioCloud.build
    private static let target = ScenarioCloud.production

    private static let config = """
        [profile build]
        sso_session = corp
        sso_account_id = \(source)
        sso_role_name = Build
        [profile promoter]
        role_arn = arn:aws:iam::\(target):role/promoter
        source_profile = build
        external_id = handshake
        duration_seconds = 900
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = \(ScenarioCloud.home)
        """

    private static func cloud(_ clock: RequestClock) -> EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        configuration.now = { clock.now }
        configuration.requestAnswered = { _ in clock.advance(step) }
        configuration.tokenLifetime = 3_600
        configuration.downloadLifetime = 600
        (configuration.partSize, configuration.smallestPart) = (20_000, 20_000)
        configuration.identityCenter = .init(
            signIns: [.init(accessToken: "at-first", expires: begin + 3_600, refreshToken: "refresh-first")],
            assignments: [.init(account: source, role: "Build")]
        )
        configuration.roles = [
            .init(
                arn: "arn:aws:iam::\(target):role/promoter",
                externalID: "handshake",
                trustedAccounts: [source]
            )
        ]
        return configuration
    }

    /// A cached sign-in that expires after an hour.
    private static let token = """
        {"startUrl": "https://corp.awsapps.com/start", "region": "\(ScenarioCloud.home)", "accessToken": "at-first",
         "expiresAt": "2026-01-15T13:00:00Z", "clientId": "emulator-client",
         "clientSecret": "emulator-client-secret", "registrationExpiresAt": "2026-04-01T00:00:00Z",
         "refreshToken": "refresh-first"}
        """

    @Test("No request fails when keys, tokens, sign-ins and addresses expire during the run")
    func crossing() async throws {
        let clock = RequestClock(Self.begin)
        try await withSignedInHome(config: Self.config, token: Self.token) { home in
            try await withEmulator(Self.cloud(clock)) { emulator in
                try await withTransport(TransportConfiguration()) { transport in
                    try await copyForThreeHours(emulator, Self.replicator(emulator, transport, clock, home), clock)
                }
            }
        }
    }

    private func copyForThreeHours(_ emulator: Emulator, _ replicator: TestEngine, _ clock: RequestClock) async throws {
        let image = SeedImage.oci("app", layers: [700_000, 900_000, 40_000])
        try emulator.seed(image, tag: "v1", account: Self.source, region: ScenarioCloud.home, repository: "team/app")
        let source = try ImageReference(
            parsing: "\(emulator.registryHost(account: Self.source, region: ScenarioCloud.home))/team/app:v1"
        )
        var round = 0
        while clock.now < Self.begin + 3 * 3_600 {
            round += 1
            let name = "prod/app-\(round)"
            try emulator.createRepository(account: Self.target, region: ScenarioCloud.far, name)
            let host = emulator.registryHost(account: Self.target, region: ScenarioCloud.far)
            let results = try await replicator.copy(
                source,
                .one(.tag(Tag(parsing: "v1"))),
                to: [DestinationReference(parsing: "\(host)/\(name)")],
                tags: [],
                CopyOptions()
            )
            #expect(ExitStatus.of(results) == 0)
            guard ExitStatus.of(results) == 0 else { return }
        }
        check(emulator.requests, of: image, rounds: round)
    }

    private func check(_ requests: [LoggedRequest], of image: SeedImage, rounds: Int) {
        let failed = requests.filter { $0.status == 0 || $0.status >= 400 }
        #expect(failed.isEmpty, "\(failed.map(\.description))")
        let counts = Dictionary(grouping: requests, by: \.operation).mapValues(\.count)
        // Three hours: a sign-in of an hour, its keys of an hour, a role of 15 minutes, a token of an hour.
        #expect((2...4).contains(counts["CreateToken"] ?? 0), "\(counts)")
        // The source and the role's source profile each have their own session.
        #expect((6...10).contains(counts["GetRoleCredentials"] ?? 0), "\(counts)")
        #expect((12...30).contains(counts["AssumeRole"] ?? 0), "\(counts)")
        #expect((3...6).contains(counts["GetAuthorizationToken"] ?? 0), "\(counts)")
        // Some addresses were replaced before they expired.
        #expect((counts["GetDownloadUrlForLayer"] ?? 0) > rounds * image.blobs.count, "\(counts)")
    }

    private static func replicator(
        _ emulator: Emulator,
        _ transport: Transport,
        _ clock: RequestClock,
        _ home: String
    ) -> TestEngine {
        let endpoint = emulator.endpoint
        let names = ["ECR", "STS", "SSO", "SSO_OIDC"].map { "AWS_ENDPOINT_URL_\($0)" }
        let variables = Dictionary(uniqueKeysWithValues: names.map { ($0, endpoint) })
        let logger = Logger(label: "long run") { _ in SwiftLogNoOpLogHandler() }
        let retry = RetryPolicy(clock: InstantClock(), jitter: { 1 })
        let resolver = IdentityResolver(
            environment: AWSEnvironment(variables: variables, home: home),
            sender: transport,
            retry: retry,
            logger: logger,
            now: { clock.now }
        )
        var uploads = UploadOptions(resumableAbove: 100_000)
        uploads.smallestPart = 20_000
        return TestEngine(
            opener: RepositoryOpener(
                resolver: resolver,
                sender: transport,
                retry: retry,
                logger: logger,
                now: { clock.now }
            ),
            relay: transport,
            retry: retry,
            source: SideOptions(identity: IdentityOptions(profile: "build")),
            destination: SideOptions(identity: IdentityOptions(profile: "promoter")),
            uploads: uploads
        )
    }
}

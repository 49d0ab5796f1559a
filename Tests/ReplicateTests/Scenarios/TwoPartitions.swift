import AWSIdentity
import Content
import ECREmulator
import FoundationEssentials
import Logging
import Platform
import TestClouds
import Wire

@testable import Replicate

/// An emulated AWS with two partitions, and a machine whose profiles are each valid in one of them.
struct TwoPartitions: Sendable {
    let emulator: Emulator
    let transport: Transport
    let home: String
    /// This machine's clock.
    let now: @Sendable () -> Date

    static let commercial = "111122223333"
    static let neighbour = "444455556666"
    static let chinese = "777788889999"
    static let west = "eu-west-1"
    static let north = "cn-north-1"

    /// References with AWS's host names; the environment's endpoint sends requests to the emulator.
    static let source = "\(commercial).dkr.ecr.\(west).amazonaws.com/team/app"
    static let destination = "\(chinese).dkr.ecr.\(north).amazonaws.com.cn/team/app"

    static let config = """
        [profile commercial]
        aws_access_key_id = AKIAEMULATOR22223333
        aws_secret_access_key = emulator-secret-of-\(commercial)
        [profile china]
        aws_access_key_id = AKIAEMULATOR88889999
        aws_secret_access_key = emulator-secret-of-\(chinese)
        [profile spare]
        aws_access_key_id = AKIASPARE88889999
        aws_secret_access_key = emulator-secret-of-spare-\(chinese)
        [profile promoter]
        role_arn = arn:aws-cn:iam::\(chinese):role/promoter
        source_profile = china
        [profile stray]
        role_arn = arn:aws-cn:iam::\(chinese):role/promoter
        source_profile = commercial
        [profile neighbour]
        role_arn = arn:aws:iam::\(neighbour):role/reader
        source_profile = commercial
        [profile signed-in]
        sso_session = corp
        sso_account_id = \(commercial)
        sso_role_name = Build
        [profile promoter-signed-in]
        role_arn = arn:aws:iam::\(neighbour):role/promoter
        source_profile = signed-in
        [sso-session corp]
        sso_start_url = https://corp.awsapps.com/start
        sso_region = \(west)
        """

    static var configuration: EmulatorConfiguration {
        var configuration = EmulatorConfiguration()
        configuration.accounts = [
            .init(id: commercial), .init(id: neighbour), .init(id: chinese, partition: .china),
        ]
        configuration.regions = [west, north]
        configuration.users = [.init(account: chinese, name: "spare", partition: .china)]
        return configuration
    }

    /// An engine as a new process on that machine would have.
    func replicator(from source: SideOptions, to destination: SideOptions) -> TestEngine {
        let retry = RetryPolicy(attempts: 4, clock: InstantClock(), jitter: { 1 })
        let logger = Logger(label: "partitions") { _ in SwiftLogNoOpLogHandler() }
        let resolver = IdentityResolver(
            environment: AWSEnvironment(
                variables: ["AWS_ENDPOINT_URL": emulator.endpoint, "AWS_EC2_METADATA_DISABLED": "true", "USER": "ann"],
                home: home
            ),
            sender: transport,
            retry: retry,
            logger: logger,
            now: now
        )
        return TestEngine(
            opener: RepositoryOpener(resolver: resolver, sender: transport, retry: retry, logger: logger, now: now),
            relay: transport,
            retry: retry,
            source: source,
            destination: destination,
            jobs: 1
        )
    }

    /// Copies `v1` as a separate process would.
    func copy(
        from source: SideOptions = .profile("commercial"),
        to destination: SideOptions = .profile("china"),
        _ goal: String = TwoPartitions.destination
    ) async throws -> [CopyResult] {
        try await replicator(from: source, to: destination).copy(
            ImageReference(parsing: "\(Self.source):v1"),
            .one(.tag(Tag(parsing: "v1"))),
            to: [DestinationReference(parsing: goal)],
            tags: [],
            CopyOptions(referrers: .none)
        )
    }

    /// The error of a copy, whether it is thrown or in a result.
    func failure(
        from source: SideOptions = .profile("commercial"),
        to destination: SideOptions = .profile("china"),
        _ goal: String = TwoPartitions.destination
    ) async throws -> CopyError? {
        do {
            return try await copy(from: source, to: destination, goal).firstError
        } catch let error as CopyError {
            return error
        }
    }

    func tag(_ tag: String = "v1") -> Digest? {
        emulator.tag(tag, account: Self.chinese, region: Self.north, repository: "team/app")
    }

    var arrived: Set<Digest> {
        emulator.blobs(account: Self.chinese, region: Self.north, repository: "team/app")
    }

    func count(_ operation: String) -> Int { emulator.requests.count { $0.operation == operation } }
}

extension SideOptions {
    static func profile(_ name: String) -> SideOptions { SideOptions(identity: IdentityOptions(profile: name)) }
}

/// An image in the commercial partition, and an empty repository in China.
func withTwoPartitions(
    _ image: SeedImage,
    now: @escaping @Sendable () -> Date = { Date() },
    _ configure: (inout EmulatorConfiguration) -> Void = { _ in },
    _ body: (TwoPartitions) async throws -> Void
) async throws {
    var configuration = TwoPartitions.configuration
    configuration.identityCenter = .init(
        signIns: [.init(accessToken: "signed-in", expires: Date().addingTimeInterval(36_000))],
        assignments: [.init(account: TwoPartitions.commercial, role: "Build")]
    )
    configure(&configuration)
    try await withSignedInHome(config: TwoPartitions.config) { home in
        try await withEmulator(configuration) { emulator in
            try emulator.seed(
                image,
                tag: "v1",
                account: TwoPartitions.commercial,
                region: TwoPartitions.west,
                repository: "team/app"
            )
            try emulator.createRepository(account: TwoPartitions.chinese, region: TwoPartitions.north, "team/app")
            try await withTransport(TransportConfiguration()) { transport in
                try await body(TwoPartitions(emulator: emulator, transport: transport, home: home, now: now))
            }
        }
    }
}

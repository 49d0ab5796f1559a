import ECREmulator
import Foundation
import Platform
import TestPrograms
import Testing

/// One of the files in `config/examples`, and what it must do with the images of ``ExampleScene``.
struct ExampleRun: Sendable, CustomTestStringConvertible {
    /// The file's name.
    var file: String
    /// Whether the file names identities; all others use the keys in the environment, which may do everything.
    var namesIdentities = false
    /// Destination repositories that the file expects to exist, as `ACCOUNT/REGION/REPOSITORY`.
    var existing: [String] = []
    /// The tags of each destination repository afterwards, as `ACCOUNT/REGION/REPOSITORY`, or as the path of a layout.
    var expected: [String: Set<String>]
    /// The requests of a second sync, by operation; there are no others.
    var secondSync: [String: Int]

    var testDescription: String { file }
}

/// The built command, an emulator with three accounts and three regions, and the identities that the examples name.
///
/// The source is the registry of the account ``build`` in eu-west-1.
struct ExampleScene: Sendable {
    let emulator: Emulator
    /// The working directory of each command.
    let folder: String
    private let variables: [String: String]

    static let (build, staging, production) = ("111122223333", "222233334444", "444455556666")
    static let home = "eu-west-1"
    static let regions = ["eu-west-1", "us-east-1", "ap-southeast-1"]
    static let writer = "arn:aws:iam::\(staging):role/writer"
    static let promoter = "arn:aws:iam::\(production):role/promoter"

    /// The tags of each source repository.
    static let tags = [
        "team/api": ["v1.2.0", "v1.3.0-rc1", "v2.0.0", "main-3", "pr-17"], "team/app": ["v1.4.0", "v1.5.0"],
        "team/web": ["v1.0.0", "latest"], "team/scratch-7": ["v1.0.0"],
    ]

    /// Reads every repository, and its settings.
    private static let reads = policy(
        #""Effect":"Allow","Action":["ecr:BatchGet*","ecr:BatchCheck*","ecr:Describe*","ecr:Get*","ecr:List*"]"#
    )
    private static let assumes = policy(#""Effect":"Allow","Action":"sts:AssumeRole""#)
    static let writes = policy(#""Effect":"Allow","Action":"ecr:*""#)

    static func policy(_ statements: String...) -> String {
        let written = statements.map { "{\($0),\"Resource\":\"*\"}" }.joined(separator: ",")
        return #"{"Version":"2012-10-17","Statement":[\#(written)]}"#
    }

    /// The keys of the profile `build`, which may only read.
    private static let builder = EmulatorConfiguration.User(account: build, name: "builder", policies: [reads])
    /// The keys in the environment, which may only assume roles.
    private static let ci = EmulatorConfiguration.User(account: build, name: "ci", policies: [assumes])

    /// - Parameter namesIdentities: Whether policies decide, as for files that name identities.
    static func with(
        identities namesIdentities: Bool,
        _ body: (ExampleScene) async throws -> Void
    ) async throws {
        let age = Lock(0.0)
        var configuration = EmulatorConfiguration()
        configuration.accounts = [build, staging, production].map { .init(id: $0) }
        configuration.regions = regions
        configuration.enforcesPolicies = namesIdentities
        configuration.users = [builder, ci]
        configuration.roles = [
            .init(arn: writer, trustedAccounts: [build], policies: [writes]),
            .init(arn: promoter, externalID: "ex-1", trustedAccounts: [build], policies: [writes]),
        ]
        configuration.now = { Date(timeIntervalSinceNow: -age.withLock { $0 }) }
        try await withScratchDirectory { folder in
            try await withEmulator(configuration) { emulator in
                // Two days old, as an example wants a day.
                age.withLock { $0 = 2 * 86_400 }
                for (name, tags) in tags {
                    for tag in tags {
                        try emulator.seed(
                            .oci("\(name):\(tag)", layers: [2_000]),
                            tag: tag,
                            account: build,
                            region: home,
                            repository: name
                        )
                    }
                }
                age.withLock { $0 = 0 }
                try await body(ExampleScene(emulator, in: folder, ci: namesIdentities))
            }
        }
    }

    private init(_ emulator: Emulator, in folder: String, ci usesCI: Bool) throws {
        (self.emulator, self.folder) = (emulator, folder)
        var variables = Dictionary(
            uniqueKeysWithValues: emulator.environment(account: Self.build, region: Self.home).map {
                ($0.name, $0.value)
            }
        )
        let profile = """
            [profile build]
            aws_access_key_id = \(Self.builder.accessKeyID)
            aws_secret_access_key = \(Self.builder.secretAccessKey)

            """
        try write(profile, to: "\(folder)/config")
        variables["AWS_CONFIG_FILE"] = "\(folder)/config"
        if usesCI {
            variables["AWS_ACCESS_KEY_ID"] = Self.ci.accessKeyID
            variables["AWS_SECRET_ACCESS_KEY"] = Self.ci.secretAccessKey
        }
        self.variables = variables
    }

    /// Runs a command with a file of `config/examples`.
    func run(_ command: String, _ file: String, _ more: String...) async throws -> Ended {
        try await run(command, at: repositoryFile("config/examples/\(file)"), more)
    }

    /// Runs a command with the file at a path.
    func run(_ command: String, at path: String, _ more: [String] = []) async throws -> Ended {
        try await TestPrograms.run(
            .ecrReplicate,
            [command, "-f", path] + more,
            environment: variables,
            directory: folder
        )
    }

    /// The tags of every destination repository that has any, as `ACCOUNT/REGION/REPOSITORY`, or as the path of a layout.
    func destinations(at places: some Sequence<String>) throws -> [String: Set<String>] {
        var found: [String: Set<String>] = [:]
        for account in [Self.build, Self.staging, Self.production] {
            for region in Self.regions where (account, region) != (Self.build, Self.home) {
                for name in emulator.repositories(account: account, region: region) {
                    let tags = emulator.tags(account: account, region: region, repository: name)
                    if !tags.isEmpty { found["\(account)/\(region)/\(name)"] = Set(tags.keys) }
                }
            }
        }
        for place in places where found[place] == nil {
            let parts = place.split(separator: "/", maxSplits: 2).map(String.init)
            found[place] =
                place.hasPrefix("images/")
                ? try layoutTags(place)
                : Set(emulator.tags(account: parts[0], region: parts[1], repository: parts[2]).keys)
        }
        return found
    }

    private func layoutTags(_ path: String) throws -> Set<String> {
        struct Index: Decodable { var manifests: [Entry] }
        struct Entry: Decodable { var annotations: [String: String]? }
        let index = try JSONDecoder().decode(Index.self, from: Data(try contents(of: "\(folder)/\(path)/index.json")))
        return Set(index.manifests.compactMap { $0.annotations?["org.opencontainers.image.ref.name"] })
    }

    /// The number of requests by operation, without tokens.
    var counts: [String: Int] {
        let counted = emulator.requests.filter { $0.api != .sts && $0.operation != "GetAuthorizationToken" }
        return Dictionary(grouping: counted, by: \.operation).mapValues(\.count)
    }

    /// The identities that each registry was asked by, by `ACCOUNT/REGION`: `user/NAME` or `assumed-role/NAME`.
    var callers: [String: Set<String>] {
        let asked = emulator.requests.filter { [.controlPlane, .registry].contains($0.api) && $0.caller != nil }
        return Dictionary(grouping: asked) { "\($0.account)/\($0.region)" }.mapValues { requests in
            Set(
                requests.compactMap { request in
                    // An assumed role's ARN ends with the name of the session.
                    request.caller?.split(separator: ":").last?.split(separator: "/").prefix(2).joined(separator: "/")
                }
            )
        }
    }

    /// The identities that have asked to assume a role, as `user/NAME`.
    var assumers: Set<String> {
        Set(
            emulator.requests.filter { $0.operation == "AssumeRole" }.compactMap { request in
                request.caller?.split(separator: ":").last.map(String.init)
            }
        )
    }
}

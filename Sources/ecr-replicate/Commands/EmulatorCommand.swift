import ArgumentParser
import Content
import ECREmulator
import Platform

struct EmulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emulator",
        abstract: "Run a local ECR with several accounts and regions, without an AWS account.",
        discussion: """
            Listens on loopback. Prints export lines for a shell, then example commands as comments. Runs until it is \
            stopped (Ctrl-C). State is temporary unless --state-dir is given.

            A fault is written OPERATION:OCCURRENCES:KIND, for example PutImage:1:throttle or \
            'PUT blob:2-3:cutBody=65536'. The kinds are \(Fault.kinds).

            EXAMPLES
              ecr-replicate emulator --env-file emulator.env &
              ecr-replicate emulator --port 4510 --state-dir ./state
              ecr-replicate emulator --region eu-west-1 --region us-east-1 \\
                --seed team/app:v1
              ecr-replicate emulator --account 111122223333 --region eu-west-1 \\
                --account 444455556666:aws-cn --region cn-north-1
              ecr-replicate emulator --fault 'PutImage:1:throttle'
              ecr-replicate emulator --seed team/app:v1=8x128MiB --discard-layers
            """
    )

    @Option(help: ArgumentHelp("The main port; 0 picks a free one.", valueName: "port"))
    var port: UInt16 = 0

    @Option(
        name: .customLong("account"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "An account (repeatable; default: two), with its partition unless it is that of the first region.",
            valueName: "12 digits[:partition]"
        ),
        transform: parseAccount
    )
    var accounts: [AccountArgument] = []

    @Option(
        name: .customLong("region"),
        parsing: .singleValue,
        help: ArgumentHelp("A region (repeatable; default: us-east-1 and eu-west-1).", valueName: "region")
    )
    var regions: [String] = []

    @Option(
        help: ArgumentHelp("Directory that keeps repositories and images between runs.", valueName: "dir"),
        completion: .directory
    )
    var stateDir: String?

    @Option(
        help: ArgumentHelp("Also write the export lines to this file, once the emulator is ready.", valueName: "file"),
        completion: .file()
    )
    var envFile: String?

    @Option(
        name: .customLong("fault"),
        parsing: .singleValue,
        help: ArgumentHelp("A fault to inject (repeatable).", valueName: "fault"),
        transform: parseFault
    )
    var faults: [Fault] = []

    @Flag(help: "Throttle requests above ECR's default quotas, such as 10 PutImage per second.")
    var enforceQuotas = false

    @Flag(help: "Isolate the accounts: access to another account's repository needs a policy that allows it.")
    var enforcePolicies = false

    @Option(
        name: .customLong("seed"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "An image to start with, in the first account and region (repeatable): a small image for two platforms, or "
                + "with =COUNTxSIZE an image with generated layers, for example team/app:v1=8x128MiB.",
            valueName: "name:tag[=countxsize]"
        ),
        transform: parseSeed
    )
    var seeds: [SeedDescription] = []

    @Option(
        name: .customLong("seed-many"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "Tiny images to start with, as repositories times images, in the first region or another (repeatable): "
                + "1000x100 or 1000x100@eu-west-1.",
            valueName: "countxcount[@region]"
        ),
        transform: parseManySeeds
    )
    var manySeeds: [ManySeeds] = []

    @Option(
        help: ArgumentHelp(
            "File of scans for the seeded images: a JSON array of objects with repository, tag or digest, and findings or counts.",
            valueName: "file"
        ),
        completion: .file(extensions: ["json"])
    )
    var seedScans: String?

    @Option(
        help: ArgumentHelp(
            "File to which a line is appended for each request: number, API, operation, status, registry, repository, error, caller.",
            valueName: "file"
        ),
        completion: .file()
    )
    var requestLog: String?

    @Flag(help: "Hash pushed layers and discard them, for benchmarks.")
    var discardLayers = false

    func validate() throws {
        for region in regions where !ECRHost.isRegion(region) || !region.contains("-") {
            throw ValidationError("'\(region)' is not the name of a region\n  next: write it like eu-west-1")
        }
        let known = regions.isEmpty ? EmulatorConfiguration().regions : regions
        for region in manySeeds.compactMap(\.region) where !known.contains(region) {
            throw ValidationError(
                "the emulator has no region '\(region)'\n  next: name one of \(known.joined(separator: ", ")), or add "
                    + "--region \(region)"
            )
        }
    }

    func run() async throws {
        var configuration = EmulatorConfiguration()
        configuration.port = port
        configuration.stateDirectory = stateDir
        if enforceQuotas { configuration.requestRates = EmulatorConfiguration.defaultQuotas }
        if enforcePolicies { configuration.enforcesPolicies = true }
        configuration.discardsLayers = discardLayers
        if !regions.isEmpty { configuration.regions = regions }
        let defaultPartition = AWSPartition(ofRegion: configuration.regions.first ?? "")
        let chosen = accounts.isEmpty ? configuration.accounts.map { AccountArgument(id: $0.id) } : accounts
        configuration.accounts = chosen.map { .init(id: $0.id, partition: $0.partition ?? defaultPartition) }
        if let requestLog { configuration.requestAnswered = try recorder(to: requestLog) }
        // Signals are caught before the server starts, so that an early signal also stops the server.
        let terminations = Signals.terminations()
        let emulator = try await start(configuration)
        try seed(emulator, configuration)
        faults.forEach(emulator.inject)
        let exports = emulator.environment.map { "export \($0.name)=\($0.value)" }
        // The file is written first, so that it exists when the lines appear.
        if let envFile {
            try DurableFile.write(Array((exports.joined(separator: "\n") + "\n").utf8), to: envFile)
        }
        for line in exports + hints(emulator, configuration) { LineStream.standardOutput.writeLine(line) }
        for await _ in terminations { break }
        await emulator.stop()
    }

    private func recorder(to path: String) throws -> @Sendable (LoggedRequest) -> Void {
        do {
            let file = try ByteFile(appending: path)
            // Each line is one write, so lines of several threads don't mix. A line that can't be written is dropped.
            return { request in try? file.append(Array("\(request)\n".utf8)) }
        } catch {
            LineStream.standardError.writeLine("ecr-replicate: the request log can't be written: \(error)")
            throw ExitCode(1)
        }
    }

    private func start(_ configuration: EmulatorConfiguration) async throws -> Emulator {
        do {
            return try await Emulator.start(configuration)
        } catch {
            LineStream.standardError.writeLine("ecr-replicate: the emulator can't start: \(error)")
            throw ExitCode(1)
        }
    }

    /// Stores the images in the first account's registries; where no region is named, in the first one, where the
    /// exported variables point.
    private func seed(_ emulator: Emulator, _ configuration: EmulatorConfiguration) throws {
        guard let account = configuration.accounts.first?.id else { return }
        for many in manySeeds {
            try emulator.seedMany(
                many.images,
                in: many.names,
                account: account,
                region: many.region ?? configuration.homeRegion
            )
        }
        for seed in seeds {
            do {
                try emulator.seed(
                    seed.image,
                    tag: seed.tag,
                    account: account,
                    region: configuration.homeRegion,
                    repository: seed.repository
                )
            } catch {
                LineStream.standardError.writeLine("ecr-replicate: \(seed.repository):\(seed.tag): \(error)")
                throw ExitCode(1)
            }
        }
        guard let seedScans else { return }
        do {
            guard let bytes = try DurableFile.read(seedScans, limit: Self.largestSeedFile) else {
                throw ValidationError("there is no such file\n  next: name a file that exists")
            }
            for scan in try SeedScan.list(reading: bytes) {
                try emulator.seed(scan, account: account, region: configuration.homeRegion)
            }
        } catch {
            LineStream.standardError.say("ecr-replicate: --seed-scans \(quotable(seedScans)): \(error)")
            throw ExitCode(1)
        }
    }

    /// The largest file of scans, in bytes.
    private static let largestSeedFile = 64 << 20

    private func hints(_ emulator: Emulator, _ configuration: EmulatorConfiguration) -> [String] {
        let registries = configuration.accounts.flatMap { account in
            configuration.regions.filter { AWSPartition(ofRegion: $0) == account.partition }.map { region in
                (
                    account: account.id,
                    host: emulator.registryHost(account: account.id, region: region),
                    port: emulator.registryPort(account: account.id, region: region)
                )
            }
        }
        // If accounts are isolated, the other account doesn't grant access yet.
        let isIsolated = configuration.enforcesPolicies == true
        let reachable = registries.filter { !isIsolated || $0.account == registries.first?.account }
        guard let first = reachable.first, let last = reachable.last else { return [] }
        var lines = [
            "#",
            "# Commands to try in a shell with these variables:",
            "#   aws ecr create-repository --repository-name team/app",
            "#   skopeo copy --dest-tls-verify=false --dest-creds \"AWS:$(aws ecr get-login-password)\" \\",
            "#     oci:DIR:v1 docker://127.0.0.1:\(first.port)/team/app:v1",
            "#   ecr-replicate retag \(first.host)/team/app:v1 v2",
            "#   ecr-replicate copy --create-repository defaults \(first.host)/team/app:v1 \(last.host)/team/app",
            "#",
            "# Registries, each with a port for clients that can't resolve *.localhost:",
        ]
        for registry in registries { lines.append("#   \(registry.host)  127.0.0.1:\(registry.port)") }
        lines.append("# Accounts, each with its own keys:")
        for account in configuration.accounts {
            lines.append("#   \(account.id)  \(account.accessKeyID)  \(account.secretAccessKey)")
        }
        return lines
    }
}

/// An account with its partition, as written on the command line.
struct AccountArgument {
    var id: String
    /// The account's partition; `nil` for the partition of the first region.
    var partition: AWSPartition?
}

private func parseAccount(_ text: String) throws -> AccountArgument {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard (try? AccountID(parsing: parts[0])) != nil else {
        throw ValidationError("'\(parts[0])' is not an AWS account\n  next: write its 12 digits")
    }
    guard parts.count == 2 else { return AccountArgument(id: parts[0]) }
    guard let partition = AWSPartition(rawValue: parts[1]) else {
        let names = AWSPartition.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("'\(parts[1])' is not a partition\n  next: write one of \(names)")
    }
    return AccountArgument(id: parts[0], partition: partition)
}

private func parseFault(_ text: String) throws -> Fault {
    try usage { try Fault(parsing: text) }
}

private func parseSeed(_ text: String) throws -> SeedDescription {
    try usage { try SeedDescription(parsing: text) }
}

private func parseManySeeds(_ text: String) throws -> ManySeeds {
    try usage { try ManySeeds(parsing: text) }
}

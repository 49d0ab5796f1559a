import ArgumentParser
import IAMPolicies
import Logging
import Replicate

/// The options of copy that affect the policies.
struct PolicyArguments: ParsableArguments {
    @Flag(help: "For a copy of all tags; --match, --exclude and --newest have the same effect.")
    var allTags = false

    @OptionGroup var tags: TagPatternArguments

    @Option(help: "How layers are sent to ECR.")
    var upload: UploadOptions.Mode = .auto

    @Option(help: "Whether to create a missing repository.")
    var createRepository: CopyOptions.RepositoryCreation = .never

    @Option(
        name: .customLong("kms-key"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "KMS key of the repository to create, or SOURCE=KEY as for copy; adds the KMS permissions for it (repeatable).",
            valueName: "arn"
        ),
        transform: parseKeyName
    )
    var kmsKeys: [KeyName] = []

    var listsImages: Bool { allTags || tags.isUsed }

    /// The options that only a copy of references has, and whether each is given.
    var ofReferences: [(name: String, isGiven: Bool)] {
        [
            ("--all-tags", allTags), ("--match", !tags.patterns.isEmpty), ("--exclude", !tags.excluded.isEmpty),
            ("--newest", tags.newest != nil), ("--create-repository", createRepository != .never),
            ("--kms-key", !kmsKeys.isEmpty),
        ]
    }
}

private func parseKeyName(_ text: String) throws -> KeyName {
    guard !text.contains("=") else { return try parseKeyMapping(text).key }
    guard let key = KeyName(text), key.isARNOfKey else {
        throw ValidationError(
            "'\(text)' is not the ARN of a key\n  next: write it like arn:aws:kms:REGION:ACCOUNT:key/ID"
        )
    }
    return key
}

/// Options of copy that don't affect the policies; they are accepted so that copy's command line works unchanged.
struct IgnoredArguments: ParsableArguments {
    @Option(help: .private) var sessionName: String?
    @Option(help: .private) var sourceSessionName: String?
    @Option(help: .private) var destinationSessionName: String?
    @Option(help: .private) var referrers: CopyOptions.Referrers = .all
    @Option(help: .private) var ifExists: CopyOptions.IfExists?
    @Option(help: .private) var ifCurrent: String?
    @Option(name: .customLong("tag"), parsing: .singleValue, help: .private) var tags: [String] = []
    @Option(name: .customLong("platform"), parsing: .singleValue, help: .private) var platforms: [String] = []
    @Option(help: .private) var jobs: Int?
    @Option(help: .private) var limitRate: String?
    @Option(help: .private) var resumableAbove: String?
    @Option(help: .private) var stateDir: String?
    @Flag(help: .private) var dryRun = false
    @Flag(help: .private) var repair = false
    @Option(help: .private) var progress: ProgressMode = .auto
    @Option(help: .private) var logLevel: Logger.Level = .warning
    @OptionGroup(visibility: .private) var endpoints: IgnoredEndpoints
}

/// The options for endpoints, which don't affect the policies.
struct IgnoredEndpoints: ParsableArguments {
    /// The region for references without a host, which this command refuses because a policy needs account and region.
    @Option(help: .private) var region: String?
    @Option(help: .private) var sourceEndpointUrl: String?
    @Option(help: .private) var sourceRegistryEndpoint: String?
    @Option(help: .private) var destinationEndpointUrl: String?
    @Option(help: .private) var destinationRegistryEndpoint: String?
    @Option(help: .private) var caBundle: String?
    @Flag(help: .private) var fips = false
    @Flag(help: .private) var dualStack = false
    @Flag(help: .private) var sourceFips = false
    @Flag(help: .private) var sourceDualStack = false
    @Flag(help: .private) var destinationFips = false
    @Flag(help: .private) var destinationDualStack = false
}

import ArgumentParser
import Content
import FoundationEssentials
import Replicate
import Rules

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that a destination has everything that it should have.",
        discussion: """
            Both sides are listed, every manifest is asked for at both, and every blob at the destination. Each \
            difference is named: a tag, a child manifest, a blob, a signature or another referrer that is missing or \
            different. What the destination has more is not a difference. With --deep, every manifest and blob of the \
            destination is downloaded and hashed. With --repair, what is missing is copied and then checked again.

            The exit status is 0 if nothing differs or everything was repaired, 2 if something differs, and 1 if a side \
            could not be read.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              US=111122223333.dkr.ecr.us-east-1.amazonaws.com
              ecr-replicate verify $EU/team/app:v1 $US/
              ecr-replicate verify --all-tags --deep $EU/team/app $US/
              ecr-replicate verify -f rules.yaml --repair
              ecr-replicate verify -f rules.yaml --report verify.html
            """
    )

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("A rule file, instead of SOURCE and DESTINATION; - for standard input.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String?

    @Flag(help: "Download every manifest and blob of the destination, and hash it.")
    var deep = false

    @Flag(help: "Copy what is missing, and check again.")
    var repair = false

    @Argument(
        help: ArgumentHelp(
            "SOURCE and one destination as for copy; with -f, the rules to check (all, if none is named)."
        )
    )
    var words: [String] = []

    @OptionGroup(title: "Several images") var selection: SelectionArguments

    @Option(
        help: ArgumentHelp(
            "Platforms that were copied, as for copy: os/arch[/variant], several separated by commas; repeatable.",
            valueName: "platform"
        ),
        transform: parsePlatforms
    )
    var platform: [PlatformArgument] = []

    @Option(
        help: "What --repair does if a tag holds another image (default: move); skip: such a tag is not a difference."
    )
    var ifExists: CopyOptions.IfExists?

    @Option(help: "Whether signatures, SBOMs and attestations are checked (default: all).")
    var referrers: CopyOptions.Referrers?

    @Option(help: "What --repair does if the destination's repository is missing (default: never).")
    var createRepository: CopyOptions.RepositoryCreation?

    @OptionGroup(title: "Large layers") var uploading: UploadArguments
    @OptionGroup(title: "Transfers") var transfers: TransferArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Output") var report: ReportArguments
    @OptionGroup(title: "Identity and endpoints") var connection: ConnectionOptions

    func validate() throws {
        guard file == nil else { return try refuseReferenceOptions() }
        guard words.count == 2 else {
            let complaint =
                switch words.count {
                case 0: "there is nothing to verify\n  next: name SOURCE and DESTINATION, or a rule file with -f"
                case 1: "the destination is missing\n  next: name one, or a rule file with -f"
                default:
                    "verify compares with one destination\n  next: run it once for each, or use a rule file with -f"
                }
            throw ValidationError(complaint)
        }
        let (source, destination) = try references()
        try refuseUnnamed([destination], from: source)
        _ = try selection.selection(of: source)
        guard destination.tag == nil || !selection.isUsed else {
            throw ValidationError(
                "'\(destination)' names one tag, and --all-tags, --match, --exclude and --newest select several images\n"
                    + "  next: leave out the tag, or these options"
            )
        }
    }

    /// Refuses options that a rule file decides.
    private func refuseReferenceOptions() throws {
        var given: [String] = []
        if ifExists != nil { given.append("--if-exists") }
        if referrers != nil { given.append("--referrers") }
        if createRepository != nil { given.append("--create-repository") }
        if !platform.isEmpty { given.append("--platform") }
        if selection.isUsed { given.append("--all-tags, --match, --exclude and --newest") }
        if connection.common.source != SideOptions() || connection.destination != SideOptions() {
            given.append("options for identities and endpoints")
        }
        guard let first = given.first else { return }
        throw ValidationError("with -f, the rule file decides\n  next: leave out \(first)")
    }

    private func references() throws -> (ImageReference, DestinationReference) {
        (try parseReference(words[0]), try parseDestination(words[1]))
    }

    func run() async throws {
        let options = VerifyOptions(isDeep: deep, repairs: repair)
        guard let file else { return try await verifyReferences(options) }
        let (read, rules) = try readRules(file, named: words, for: "verify", output.output)
        let session = Session(
            command: "verify",
            output,
            read.registries,
            caBundle: connection.common.caBundle,
            transfers,
            uploads: uploading.options
        )
        let page = try report.open(.verify, of: read.name)
        // A repair may copy an image that the destination does not have.
        let admissions = try ruleGates(of: repair ? rules : [])
        try await session.runRules(.comparison(file: read.name, repairs: repair, page: page)) {
            replicator,
            run,
            report in
            try await RuleRun(
                rules,
                .verify(options),
                by: replicator,
                in: run,
                now: Date(),
                admissions: admissions
            )
            .outcomes(report)
        }
    }

    private func verifyReferences(_ options: VerifyOptions) async throws {
        let (source, destination) = try references()
        let session = Session(command: "verify", output, connection, transfers, uploads: uploading.options)
        let verification = ReferenceVerification(
            source,
            from: session.source,
            try selection.selection(of: source),
            to: CopyDestination(destination, session.destination),
            CopyOptions(
                ifExists: ifExists ?? .move,
                referrers: referrers ?? .all,
                createRepository: createRepository ?? .never,
                platforms: platform.flatMap { $0.platforms ?? [] }
            ),
            options
        )
        let page = try report.open(.verify, of: "\(source)")
        try await session.runRules(.comparison(repairs: repair, page: page)) { _, run, report in
            try await report(try await verification.outcome(in: run))
        }
    }
}

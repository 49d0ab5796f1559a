import ArgumentParser
import Content
import FoundationEssentials
import Promotion
import Replicate
import Rules

struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Show what a copy or the rules of a file would do, without changing anything.",
        discussion: """
            Each repository is listed at both sides, and only images that differ are read. A tag that is new is marked \
            +, one that moves ~, one that is skipped ., one that is refused !, one that would be deleted -; tags in sync are \
            counted after =. The last line has the bytes to move, the bytes that are there or can be mounted, the requests, \
            and roughly the time and the cost of the transfer.

            The exit status is 0 if nothing is to be done, 2 if something is, and 1 if a side could not be read.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              US=111122223333.dkr.ecr.us-east-1.amazonaws.com
              ecr-replicate plan $EU/team/app:v1 $US/
              ecr-replicate plan -f rules.yaml
              ecr-replicate plan -f rules.yaml --quick releases
              ecr-replicate plan -f rules.yaml --out plan.json
              ecr-replicate plan -f rules.yaml --report plan.html
            """
    )

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("A rule file, instead of SOURCE and DESTINATION; - for standard input.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String?

    @Flag(help: "With -f: compare the listings only, without sizes and refusals by the registry.")
    var quick = false

    @Option(
        help: ArgumentHelp("With -f: save the plan in this file, which sync --plan carries out.", valueName: "file"),
        completion: .file()
    )
    var out: String?

    @Argument(
        help: ArgumentHelp("SOURCE and destinations as for copy; with -f, the rules to plan (all, if none is named).")
    )
    var words: [String] = []

    @OptionGroup(title: "Several images") var selection: SelectionArguments
    @OptionGroup(title: "Estimate") var rates: RateArguments

    @Option(help: "What would be done if a tag holds another image.")
    var ifExists: CopyOptions.IfExists?

    @Option(help: "Whether signatures, SBOMs and attestations would be copied (default: all).")
    var referrers: CopyOptions.Referrers?

    @Option(help: "What would be done if the destination's repository is missing (default: never).")
    var createRepository: CopyOptions.RepositoryCreation?

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Output") var report: ReportArguments
    @OptionGroup(title: "Identity and endpoints") var connection: ConnectionOptions

    func validate() throws {
        if out != nil { try refuseUnsavable() }
        guard file == nil else { return try refuseReferenceOptions() }
        guard !quick else { throw ValidationError("--quick compares listings\n  next: name a rule file with -f") }
        guard words.count > 1 else {
            throw ValidationError(
                words.isEmpty
                    ? "there is nothing to plan\n  next: name SOURCE and DESTINATION, or a rule file with -f"
                    : "a destination is missing\n  next: name at least one, or a rule file with -f"
            )
        }
        let (source, destinations) = try references()
        try refuseUnnamed(destinations, from: source)
        _ = try selection.selection(of: source)
    }

    private func refuseUnsavable() throws {
        guard file != nil else {
            throw ValidationError("--out saves what a rule file plans\n  next: name a rule file with -f")
        }
        guard !quick else {
            throw ValidationError(
                "--quick does not decide about each image, as a saved plan must\n  next: leave out --quick"
            )
        }
        guard out != "-" else { throw ValidationError("--out writes a file\n  next: name one, as --out plan.json") }
    }

    /// Refuses options that a rule file decides.
    private func refuseReferenceOptions() throws {
        var given: [String] = []
        if ifExists != nil { given.append("--if-exists") }
        if referrers != nil { given.append("--referrers") }
        if createRepository != nil { given.append("--create-repository") }
        if selection.isUsed { given.append("--all-tags, --match, --exclude and --newest") }
        if connection.common.source != SideOptions() || connection.destination != SideOptions() {
            given.append("options for identities and endpoints")
        }
        guard let first = given.first else { return }
        throw ValidationError("with -f, the rule file decides\n  next: leave out \(first)")
    }

    private func references() throws -> (ImageReference, [DestinationReference]) {
        (try parseReference(words[0]), try words.dropFirst().map(parseDestination))
    }

    func run() async throws {
        guard let file else { return try await planReferences() }
        let (read, rules) = try readRules(file, named: words, for: "plan", output.output)
        let session = Session(command: "plan", output, read.registries, caBundle: connection.common.caBundle)
        let mode: RuleRun.Mode = quick ? .compare : .plan
        // What a saved plan says is carried out without being decided again, and gates must be.
        if out != nil, let gated = rules.first(where: { $0.gates?.isEmpty == false }) {
            throw ValidationError(
                "rule '\(gated.name)' has gates, and a saved plan has none\n"
                    + "  next: leave the rule out, or carry it out with promote -f or sync -f"
            )
        }
        let admissions = try ruleGates(of: rules)
        let now = Date()
        let saving = try out.map { path in
            try usage {
                try SavedPlanWriter(path, of: rules, from: read, tool: "ecr-replicate \(Build.version)", now: now)
            }
        }
        let reporting = RuleReporting(
            isPlan: true,
            file: read.name,
            rates: rates.rates,
            page: try report.open(.plan, of: read.name)
        )
        try await session.runRules(reporting) {
            replicator,
            run,
            report in
            try await RuleRun(
                rules,
                mode,
                by: replicator,
                in: run,
                now: now,
                beside: read.rules(beside: rules),
                admissions: admissions
            )
            .outcomes { outcome in
                try saving?.add(outcome)
                try await report(outcome)
            }
            // What a signal stopped is not the whole plan.
            if !run.drain.isDraining { try saving?.commit() }
        }
    }

    private func planReferences() async throws {
        let (source, destinations) = try references()
        let session = Session(command: "plan", output, connection, attempts: nil)
        let options = CopyOptions(
            ifExists: ifExists ?? .move,
            referrers: referrers ?? .all,
            createRepository: createRepository ?? .never,
            isDryRun: true
        )
        let reporting = RuleReporting(
            isPlan: true,
            rates: rates.rates,
            page: try report.open(.plan, of: "\(source)")
        )
        try await session.runRules(reporting) { _, run, report in
            let results = try await run.copy(
                CopyRequest(
                    source,
                    from: session.source,
                    selection.selection(of: source),
                    to: destinations.map { CopyDestination($0, session.destination) },
                    options
                )
            )
            for outcome in RepositoryOutcome.outcomes(of: results, from: source) { try await report(outcome) }
        }
    }
}

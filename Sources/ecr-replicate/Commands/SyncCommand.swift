import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Replicate
import Rules

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Copy whatever differs under the rules of a file.",
        discussion: """
            Each repository is listed at both sides, and only what differs is read and copied. A failure of one image \
            doesn't stop the others. Standard output names each tag that was set, refused or skipped, and counts those in \
            sync. An interrupted run resumes when it is started again.

            With --plan, exactly what a saved plan says is done. An image whose tags are not as the plan has seen them, at \
            either side, is refused by name; the others are copied.

            EXAMPLES
              ecr-replicate sync -f rules.yaml
              ecr-replicate sync -f rules.yaml releases
              ecr-replicate sync -f rules.yaml --output json
              ecr-replicate sync -f rules.yaml --watch 10m
              ecr-replicate sync --plan plan.json --max-age 12h
              ecr-replicate sync -f rules.yaml --report report.html
            """
    )

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("The rule file in YAML; - for standard input.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String?

    @Option(
        help: ArgumentHelp(
            "A plan to carry out, saved by plan --out; with -f too, only if it was made from that rule file.",
            valueName: "file"
        ),
        completion: .file()
    )
    var plan: String?

    @Option(
        help: ArgumentHelp("With --plan: refuse a plan that is older, as 30m, 12h or 7d.", valueName: "time"),
        transform: parseAge
    )
    var maxAge: Duration?

    @Argument(help: ArgumentHelp("The rules to carry out; all, if none is named.", valueName: "rule"))
    var rules: [String] = []

    @Option(
        help: ArgumentHelp(
            """
            Repeat until a signal, from start to start in this time (30s, 10m, 1h), with one line a round on standard \
            output. The rule file is read again when it has changed.
            """,
            valueName: "interval"
        ),
        transform: parseInterval
    )
    var watch: Duration?

    @OptionGroup(title: "Large layers") var uploading: UploadArguments
    @OptionGroup(title: "Transfers") var transfers: TransferArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Output") var report: ReportArguments

    @Option(
        help: ArgumentHelp(
            "File of CA certificates to trust in addition to the system's (default: AWS_CA_BUNDLE).",
            valueName: "file"
        ),
        completion: .file()
    )
    var caBundle: String?

    func validate() throws {
        guard plan != nil || file != nil else {
            throw ValidationError(
                "there is nothing to carry out\n  next: name a rule file with -f, or a saved plan with --plan"
            )
        }
        guard plan != nil else {
            guard maxAge == nil else {
                throw ValidationError(
                    "--max-age is about a saved plan\n  next: name one with --plan, or leave out --max-age"
                )
            }
            return
        }
        guard watch == nil else {
            throw ValidationError(
                "a saved plan is carried out once\n  next: leave out --watch, or name a rule file with -f alone"
            )
        }
        guard rules.isEmpty else {
            throw ValidationError(
                "--plan carries out the whole plan\n  next: leave out '\(rules[0])', or make a plan of that rule alone"
            )
        }
    }

    func run() async throws {
        if let plan { return try await carryOut(try readPlan(plan, for: "sync", output.output)) }
        guard let file else { return }
        let (read, rules) = try readRules(file, named: rules, for: "sync", output.output)
        if let watch { return try await repeated(every: watch, read) }
        let session = session(for: read)
        let reporting = RuleReporting(
            isPlan: false,
            file: read.name,
            page: try report.open(.sync, of: read.name)
        )
        let admissions = try ruleGates(of: rules)
        try await session.runRules(reporting) { replicator, run, report in
            try await RuleRun(
                rules,
                .carryOut,
                by: replicator,
                in: run,
                now: Date(),
                beside: read.rules(beside: rules),
                admissions: admissions,
                announce: { LineStream.standardError.say($0) }
            )
            .outcomes(report)
        }
    }

    private func session(for file: RuleFile) -> Session {
        Session(
            command: "sync",
            output,
            file.registries,
            caBundle: caBundle,
            transfers,
            uploads: uploading.options
        )
    }

    private func repeated(every interval: Duration, _ first: RuleFile) async throws {
        let (name, names) = (first.name, rules)
        // A pipe can't be read twice.
        let isFile = name != "-" && FileKind(at: name) != .pipe
        let reloaded = ReloadedFile(
            first,
            read: { isFile ? try RuleFileBytes.read(name) : nil },
            parse: { bytes in
                let read = try RuleFile(parsing: bytes, name: name, variables: .current)
                // A key that can't be read keeps the rules of before in use.
                _ = try ruleGates(of: try read.rules(named: names))
                return read
            }
        )
        let command = self
        let watch = RuleWatch(
            interval: interval,
            names: names,
            file: reloaded,
            page: { try command.report.open(.sync, of: $0.name) },
            session: { command.session(for: $0) }
        )
        try await watch.run()
    }

    /// Carries out a saved plan, if it may be carried out at all.
    private func carryOut(_ plan: SavedPlan) async throws {
        do {
            if let file {
                let bytes = try usage { try RuleFileBytes.read(file) }
                try plan.refuseOther(thanRules: Digest(of: bytes), named: file)
            }
            if let maxAge { try plan.refuseOlder(than: maxAge, at: Date()) }
        } catch let problem as OutcomeProblem {
            try refuse(problem, of: plan, for: "sync", output.output)
        }
        let session = Session(
            command: "sync",
            output,
            plan.registries,
            caBundle: caBundle,
            transfers,
            uploads: uploading.options
        )
        let reporting = RuleReporting(
            isPlan: false,
            file: plan.ruleFile,
            page: try report.open(.sync, of: plan.ruleFile)
        )
        try await session.runRules(reporting) { _, run, report in
            try await SavedPlanRun(plan, in: run, announce: { LineStream.standardError.say($0) }).outcomes(report)
        }
    }
}

private func parseInterval(_ text: String) throws -> Duration {
    guard let interval = Duration(ruleText: text) else {
        throw ValidationError(
            "'\(quotable(text, upTo: 100))' is not a length of time\n  next: write a number with its unit: 30s, 10m, 1h"
        )
    }
    return interval
}

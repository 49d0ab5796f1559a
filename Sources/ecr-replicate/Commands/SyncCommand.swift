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

            EXAMPLES
              ecr-replicate sync -f rules.yaml
              ecr-replicate sync -f rules.yaml releases
              ecr-replicate sync -f rules.yaml --output json
              ecr-replicate sync -f rules.yaml --watch 10m
            """
    )

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("The rule file in YAML; - for standard input.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String

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

    @Option(
        help: ArgumentHelp(
            "File of CA certificates to trust in addition to the system's (default: AWS_CA_BUNDLE).",
            valueName: "file"
        ),
        completion: .file()
    )
    var caBundle: String?

    func run() async throws {
        let (read, rules) = try readRules(file, named: rules, for: "sync", output.output)
        if let watch { return try await repeated(every: watch, read) }
        let session = session(for: read)
        try await session.runRules(RuleReporting(isPlan: false, file: read.name)) { replicator, run, report in
            try await RuleRun(
                rules,
                .carryOut,
                by: replicator,
                in: run,
                now: Date(),
                beside: read.rules(beside: rules),
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
        let (name, names) = (file, rules)
        // What came through a pipe is gone.
        let isFile = name != "-" && FileKind(at: name) != .pipe
        let reloaded = ReloadedFile(
            first,
            read: { isFile ? try RuleFileBytes.read(name) : nil },
            parse: { bytes in
                let read = try RuleFile(parsing: bytes, name: name, variables: .current)
                for rule in try read.rules(named: names) { try rule.refuseGates() }
                return read
            }
        )
        let command = self
        try await RuleWatch(interval: interval, names: names, file: reloaded) { command.session(for: $0) }.run()
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

import ArgumentParser
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
        let session = Session(
            command: "sync",
            output,
            read.registries,
            caBundle: caBundle,
            transfers,
            uploads: uploading.options
        )
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
}

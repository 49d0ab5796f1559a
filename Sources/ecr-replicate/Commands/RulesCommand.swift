import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Reporting
import Rules

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "Check a rule file, see what it means, or write one from another program's file; sends no request.",
        discussion: """
            Every mistake in the file is printed with line, column and a suggestion, and the exit status is 64.

            EXAMPLES
              ecr-replicate rules expand -f rules.yaml
              ecr-replicate rules explain -f rules.yaml --tags tags.txt
              ecr-replicate rules schema > rules.schema.json
              ecr-replicate rules import --from regsync regsync.yml > rules.yaml
            """,
        subcommands: [
            RulesExplainCommand.self, RulesExpandCommand.self, RulesSchemaCommand.self, RulesImportCommand.self,
        ]
    )
}

/// The options of commands that read a rule file.
struct RuleFileOptions: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("The rule file in YAML; - for standard input.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String

    @Option(help: "Format of standard output: text, or one JSON document (also on failure).")
    var output: OutputOptions.Format = .text

    /// Calls `body` with the file's bytes, and ends with exit status 64 if the file has mistakes.
    func read<Value>(for command: String, _ body: ([UInt8]) throws -> Value) throws -> Value {
        try readRuleFile(file, for: command, printsJSON: output == .json, body)
    }
}

struct RulesExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show which tags of a list each rule selects, and why it leaves out the others.",
        discussion: """
            The list has a tag in each line, then the time of its push and its digest, if they are known; the output of \
            ls can be used as it is. For each stage of a rule, the counts before and after it are printed, and up to five tags that it left \
            out; --output json has all of them.

            The exit status is 1 if a rule selects fewer tags than its minTags.

            EXAMPLES
              ecr-replicate rules explain -f rules.yaml --tags tags.txt releases
            """
    )

    @OptionGroup var source: RuleFileOptions

    @Option(
        help: ArgumentHelp("The list of tags; - for standard input.", valueName: "file"),
        completion: .file()
    )
    var tags: String

    @Argument(help: ArgumentHelp("The rules to explain; all, if none is named.", valueName: "rule"))
    var rules: [String] = []

    func validate() throws {
        if source.file == "-", tags == "-" { throw ValidationError("only one of --file and --tags can be -") }
    }

    func run() async throws {
        let file = try source.read(for: "rules explain") { bytes in
            try RuleFile(parsing: bytes, name: source.file, variables: .current)
        }
        let explanation = try usage {
            let listed = try RuleFileBytes.read(tags, limit: TagListing.largest)
            let listing = try TagListing(parsing: String(decoding: listed, as: UTF8.self), file: tags)
            return RuleExplanation(of: try file.rules(named: rules), tags: listing, now: Date())
        }
        if source.output == .json {
            guard printJSON(RuleExplanationDocument(explanation)) else { throw ExitCode(ExitStatus.failed) }
        } else {
            LineStream.standardOutput.write(printableLines(explanation.text))
        }
        if !explanation.isEnough { throw ExitCode(ExitStatus.failed) }
    }
}

struct RulesExpandCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "expand",
        abstract: "Print a rule file with its defaults written into every rule.",
        discussion: """
            Aliases and x- keys are gone; what is printed is a rule file that means the same. Variables stay as they are \
            written, since their values may be secret.

            EXAMPLES
              ecr-replicate rules expand -f rules.yaml
              ecr-replicate rules expand -f rules.yaml --show-values
            """
    )

    @OptionGroup var source: RuleFileOptions

    @Flag(help: "Replace variables by their values.")
    var showValues = false

    func run() async throws {
        let expanded = try source.read(for: "rules expand") { bytes in
            try ExpandedFile(parsing: bytes, name: source.file, variables: .current, showsValues: showValues)
        }
        if source.output == .json {
            guard printJSON(RuleExpansionDocument(expanded)) else { throw ExitCode(ExitStatus.failed) }
        } else {
            LineStream.standardOutput.write(printableLines(expanded.yaml))
        }
    }
}

struct RulesSchemaCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Print the JSON Schema of rule files, for editors.",
        discussion: """
            The first line of a rule file tells editors with a YAML language server where the schema is:

              # yaml-language-server: $schema=rules.schema.json
            """
    )

    func run() async throws { LineStream.standardOutput.write(RuleFileSchema.text) }
}

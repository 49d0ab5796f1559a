import ArgumentParser
import Content
import Platform
import Reporting
import Rules

struct RulesImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Write a rule file from a file of regsync or skopeo sync, or from ECR's replication.",
        discussion: """
            The rule file goes to standard output. What has no equivalent becomes a comment in it, with the key, its line \
            and the reason. A step that no rule can replace is left out, and named on standard error and in a comment. \
            Credentials are never written.

            The exit status is 0 if each step became a rule, 1 if some were left out, and 64 if none became a rule or \
            the file has mistakes.

            EXAMPLES
              ecr-replicate rules import --from regsync regsync.yml > rules.yaml
              ecr-replicate rules import --from skopeo --to 111122223333.dkr.ecr.eu-west-1.amazonaws.com/mirror sync.yml
              aws ecr describe-registry | ecr-replicate rules import --from ecr-replication --region eu-west-1 -
            """
    )

    @Option(help: "The program whose file it is; ecr-replication is the output of aws ecr describe-registry.")
    var from: RuleImport.Program

    @Option(
        help: ArgumentHelp(
            "skopeo: the destination of the skopeo sync command, which is not in its file. oci:DIR for layouts.",
            valueName: "host/prefix"
        )
    )
    var to: String?

    @Flag(help: "skopeo: the command has --scoped, so that the source's registry and path are part of the new names.")
    var scoped = false

    @Option(help: ArgumentHelp("skopeo: the text that the command appends to tags.", valueName: "suffix"))
    var appendSuffix: String?

    @Option(help: ArgumentHelp("ecr-replication: the region that the configuration is of.", valueName: "region"))
    var region: String?

    @Option(
        help: ArgumentHelp(
            "ecr-replication: the account that the configuration is of, if the file does not name it.",
            valueName: "account"
        )
    )
    var account: String?

    @Argument(
        help: ArgumentHelp("The other program's file; - for standard input.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml", "json"])
    )
    var file: String

    func run() async throws {
        var options = RuleImport.Options()
        (options.destination, options.isScoped, options.suffix) = (to, scoped, appendSuffix)
        (options.region, options.account) = (region, account)
        let bytes = try usage { try RuleFileBytes.read(file) }
        let made: RuleImport
        do {
            made = try RuleImport(parsing: bytes, name: file, of: from, options)
        } catch let error as RuleFileError {
            LineStream.standardError.say("\(error)")
            throw ExitCode(ExitStatus.wrongUsage)
        } catch {
            throw ValidationError("\(error)")
        }
        LineStream.standardOutput.write(printableLines(made.yaml))
        for problem in made.leftOut { LineStream.standardError.say(problem.text(file: file)) }
        if !made.leftOut.isEmpty { throw ExitCode(ExitStatus.failed) }
    }
}

extension RuleImport.Program: ExpressibleByArgument {}

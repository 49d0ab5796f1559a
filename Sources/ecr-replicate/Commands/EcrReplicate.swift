import ArgumentParser
import Platform
import Replicate
import Reporting

/// The root command: selects the subcommand and explains usage errors.
@main
struct EcrReplicate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ecr-replicate",
        abstract: "Copy or retag a container image without changing a byte of it.",
        discussion: """
            Adds tags in place, copies between regions, and promotes to another account. Manifests are copied verbatim, so \
            digests, signatures and digest pins stay valid. Layers that the destination already has are not moved.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              US=111122223333.dkr.ecr.us-east-1.amazonaws.com
              PROD=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate retag $EU/team/app:v1 v2
              ecr-replicate copy $EU/team/app:v1 $US/
              ecr-replicate promote --destination-profile production \\
                  $EU/team/app:v1 $PROD/prod/app:v1
              ecr-replicate demo

            EXIT STATUS
              0 done, or nothing to do
              1 an image failed
              2 plan: something would be done; verify: something differs
              3 refused: a tag holds another image and is immutable, or
                --if-exists or --if-current prevents the change
              4 credentials or permissions are missing
              64 wrong usage
              130, 143 interrupted; blobs that arrived stay at the destination,
                and the next run resumes there
            """,
        version: Build.version,
        subcommands: [
            RetagCommand.self, CopyCommand.self, PromoteCommand.self, HistoryCommand.self, UndoCommand.self,
            PlanCommand.self, SyncCommand.self,
            VerifyCommand.self, InspectCommand.self, ListCommand.self, DoctorCommand.self, IAMPolicyCommand.self,
            RulesCommand.self,
            EmulatorCommand.self, DemoCommand.self,
        ]
    )

    static func main() async {
        StandardDescriptors.occupyClosed()
        Signals.surviveBrokenPipes()
        let arguments = Array(ProcessFacts.arguments.dropFirst())
        do {
            var command = try parse(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            // With `--output json` the user gets a document on failure too.
            // A command that ends with an exit code has printed its own document.
            if exitCode(for: error) == .validationFailure, !(error is ExitCode), wantsJSON(arguments) {
                let name = arguments.first.flatMap { names.contains($0) ? $0 : nil } ?? ""
                printJSON(CopyDocument(command: name, usage: message(for: error)))
            }
            exit(withError: error)
        }
    }

    /// - Throws: A usage error, also for an unknown command, whatever follows it.
    static func parse(_ arguments: [String]) throws -> any ParsableCommand {
        // The parser's `help` accepts an unknown command without an error.
        let name = arguments.first == "help" ? arguments.dropFirst().first : arguments.first
        if let word = name, !word.hasPrefix("-"), !(names + ["help"]).contains(word) {
            throw ValidationError(UnknownCommand(word: word, known: names + ["help"]).complaint)
        }
        // The parser reads `-nightly` as seven short options, and one of them, `-h`, prints help and succeeds.
        lazy var options = KnownOptions(of: self)
        if let word = KnownOptions.longShortOption(in: arguments), let advice = options.advice(on: arguments) {
            throw ValidationError("Unknown option '\(word)'.\n  next: \(advice)")
        }
        do {
            return try parseAsRoot(arguments)
        } catch {
            // The parser reads the value after an unknown option as an argument, and may report that instead.
            guard exitCode(for: error) == .validationFailure else { throw error }
            let said = message(for: error)
            if !said.hasPrefix("Unknown option"), let complaint = options.complaint(about: arguments) {
                throw ValidationError(complaint)
            }
            guard said.hasPrefix("Unknown option") || said.hasPrefix("Missing"),
                let advice = options.advice(on: arguments)
            else { throw error }
            throw ValidationError("\(said)\n  next: \(advice)")
        }
    }

    private static var names: [String] { configuration.subcommands.compactMap { $0.configuration.commandName } }

    private static func wantsJSON(_ arguments: [String]) -> Bool {
        arguments.contains("--output=json")
            || zip(arguments, arguments.dropFirst()).contains { $0 == "--output" && $1 == "json" }
    }
}

/// The version of this build.
enum Build {
    static let version = "0.1.0"
}

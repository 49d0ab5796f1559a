import ArgumentParser
import Platform

/// The command, and what all its subcommands share.
@main
struct EcrReplicate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ecr-replicate",
        abstract: "Give a container image a new place or a new name, without changing a byte of it.",
        discussion: """
            Retags in place, copies between regions, promotes to another account: manifests are copied verbatim, so \
            digests, signatures and digest pins stay as they are. Layers that the destination has are never moved.

            EXAMPLES
              ecr-replicate retag 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1 v2
              ecr-replicate copy  111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1 \\
                                  111122223333.dkr.ecr.us-east-1.amazonaws.com/
              ecr-replicate promote --destination-profile production \\
                                  111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1 \\
                                  444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/app:v1
              ecr-replicate demo  (no AWS account needed)

            EXIT STATUS
              0 done, also when there was nothing to do   1 an image failed
              3 refused: an immutable tag, or --if-exists fail or --if-current, holds another digest
              4 no credentials, or not permitted          64 wrong usage
              130, 143 interrupted; what had arrived stays, and the next run goes on from there
            """,
        version: Build.version,
        subcommands: [
            RetagCommand.self, CopyCommand.self, PromoteCommand.self, InspectCommand.self, ListCommand.self,
            EmulatorCommand.self, DemoCommand.self,

        ]
    )

    static func main() async {
        Signals.surviveBrokenPipes()
        await main(nil)
    }
}

/// What this build is called.
enum Build {
    static let version = "0.1.0"
}

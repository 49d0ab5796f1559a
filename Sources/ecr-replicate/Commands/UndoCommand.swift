import ArgumentParser
import Content
import Promotion
import Replicate

struct UndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Put a promoted tag back to the image that it held before.",
        discussion: """
            Finds the record of the last promotion of a tag, or takes the record that a digest names, and moves the tag \
            back. Refuses (exit status 3) if the tag no longer holds what the record says, if it did not exist before, or \
            if its last change was an undo. The image that the tag gets back must still be there. The undo is recorded \
            too. With --key, only records count that are signed with one of the keys.

            EXAMPLES
              PROD=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate undo --dry-run $PROD/prod/app:v1
              ecr-replicate undo --reason 'INC-42: errors after v1' $PROD/prod/app:v1
            """
    )

    @Argument(help: "The tag, as HOST/REPO:TAG, or a record, as HOST/REPO@DIGEST.", transform: parseReference)
    var target: ImageReference

    @Flag(help: "Print the plan, refusals included, without changing anything.")
    var dryRun = false

    @OptionGroup var signers: SignerArguments
    @OptionGroup(title: "Record") var record: RecordArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: SourceOptions
    @OptionGroup var misplaced: MisplacedOptions

    func validate() throws {
        try connection.refuseWithoutRole()
        try refuseWithoutRecords(target)
    }

    func run() async throws {
        let arguments = try signers.arguments()
        let key = try record.key()
        try await Session(command: "undo", output, connection).run { run in
            let side = connection.source
            let repository = try await run.repository(of: target, .destination, side)
            let place = repository.reference
            let keys = try await run.recordKeys(arguments, place, side)
            let undo = try await UndoPlanner(repository, keys: keys).plan(target)
            var recorder: Recorder?
            if record.record, !dryRun {
                var made = Recorder(toolVersion: Build.version)
                let caller = await run.caller(
                    at: CopyDestination(
                        DestinationReference(registry: place.registry, repository: place.repository, tag: nil),
                        side
                    )
                )
                made.caller = { _ in caller }
                made.reason = record.reason
                made.signer = try await run.signer(key, for: place, side)
                recorder = made
            }
            return try await run.copy(undo.request(in: place, side, recorder: recorder, isDryRun: dryRun))
        }
    }
}

import ArgumentParser
import Content
import Platform
import Promotion
import Replicate

struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show who promoted an image, when and why, from the records beside it.",
        discussion: """
            Reads the records that promote and undo leave beside images, the newest first. For a tag, these are the \
            records of all images that it held, found by following what each record says was there before. For a digest, \
            they are the records of that image. With --key, ends with exit status 2 unless every record is signed with one \
            of the keys.

            EXAMPLES
              PROD=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate history $PROD/prod/app:v1
              ecr-replicate history --key promoter.pub $PROD/prod/app:v1
            """
    )

    @Argument(help: "The image: HOST/REPO:TAG, …@DIGEST, REPO:TAG or an ARN.", transform: parseReference)
    var image: ImageReference

    @OptionGroup var signers: SignerArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: SourceOptions
    @OptionGroup var misplaced: MisplacedOptions

    func validate() throws {
        try connection.refuseWithoutRole()
        try refuseWithoutRecords(image)
    }

    func run() async throws {
        let arguments = try signers.arguments()
        try await Session(command: "history", output, connection).read { replicator in
            let run = replicator.run()
            let side = connection.source
            let repository = try await run.repository(of: image, .source, side)
            let keys = try await run.recordKeys(arguments, repository.reference, side)
            let history = try await HistoryReader(repository, keys: keys).history(of: image)
            guard history.digest != nil else {
                throw CopyError(.imageMissing, side: .source, image: history.reference, operation: "reading the tag")
            }
            return Session.Answer(
                text: history.text,
                document: HistoryDocument(history, hasKeys: !keys.isEmpty),
                exitCode: history.exitCode(hasKeys: !keys.isEmpty)
            )
        }
    }
}

/// The option for the keys that records must be signed with.
struct SignerArguments: ParsableArguments {
    @Option(
        name: .customLong("key"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "A public key that signs records: a PEM file or awskms:///ARN (repeatable).",
            valueName: "key"
        ),
        completion: .file()
    )
    var keys: [String] = []

    /// Reads the files.
    ///
    /// - Throws: A usage error for a file without public keys.
    func arguments() throws -> [RecordKeyArgument] {
        try keys.map { argument in try usage { try RecordKeyArgument(argument) } }
    }
}

/// Refuses references that can have no records.
///
/// - Throws: A usage error.
func refuseWithoutRecords(_ image: ImageReference) throws {
    guard !image.registry.isLayout else {
        throw ValidationError(
            "'\(image)' is on this machine, where there are no records\n  next: name a registry's image"
        )
    }
    guard ManifestID(image) != nil else {
        throw ValidationError("'\(image)' has no tag or digest\n  next: add :TAG or @DIGEST; ls lists the tags")
    }
}

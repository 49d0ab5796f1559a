import ArgumentParser
import Content
import Replicate

struct PromoteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "promote",
        abstract: "Copy an image to a production repository, and refuse to overwrite tags by default.",
        discussion: """
            Resolves the source to its digest once and copies that digest. Refuses to move a tag that holds another image \
            (exit status 3) unless --if-exists move is given. Sets the tag last, after signatures and other referrers. \
            Standard error shows the caller and the plan first, then the result.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              PROD=444455556666.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate promote $EU/team/app:v1 $PROD/prod/app:v1 \\
                  --destination-role-arn arn:aws:iam::444455556666:role/promoter
            """
    )

    @Argument(
        help:
            "The image: HOST/REPO:TAG, …@DIGEST, REPO:TAG, an ARN, oci:DIR:TAG, oci-archive:FILE:TAG or docker-archive:FILE:TAG.",
        transform: parseReference
    )
    var source: ImageReference

    @Argument(
        help: "HOST/REPO[:TAG], REPO[:TAG] or oci:DIR[:TAG]; HOST/ keeps the source's repository name.",
        transform: parseDestination
    )
    var destination: DestinationReference

    @Option(
        name: .customLong("tag"),
        parsing: .singleValue,
        help: ArgumentHelp("Another tag to set at the destination (repeatable).", valueName: "tag"),
        transform: parseTag
    )
    var tags: [Tag] = []

    @OptionGroup(title: "Safety") var copying: CopyArguments
    @OptionGroup(title: "Large layers") var uploading: UploadArguments
    @OptionGroup(title: "Transfers") var transfers: TransferArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: ConnectionOptions

    func validate() throws {
        guard ManifestID(source) != nil else {
            throw ValidationError(
                "'\(source)' has no tag or digest\n  next: add :TAG or @DIGEST; promote copies one image at a time"
            )
        }
        try refuseUnnamed([destination], from: source)
        let named = [destination.tag].compactMap { $0 } + tags
        try refuseUnfit(named.isEmpty ? [source.tag].compactMap { $0 } : named, at: destination.registry)
    }

    func run() async throws {
        guard let id = ManifestID(source) else { return }
        let session = Session(
            command: "promote",
            output,
            connection,
            transfers,
            uploads: uploading.options,
            announcesPlan: true,
            callerDestination: destination
        )
        var options = copying.options(ifExists: .fail)
        options.tagsAfterReferrers = true
        let request = CopyRequest(
            source,
            from: session.source,
            .one(id),
            to: [
                CopyDestination(
                    destination,
                    session.destination,
                    kmsKeys: copying.keys.keys(at: destination.registry)
                )
            ],
            tags: tags,
            options
        )
        try await session.run { run in try await run.copy(request) }
    }
}

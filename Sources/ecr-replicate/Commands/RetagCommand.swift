import ArgumentParser
import Content
import Replicate

struct RetagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retag",
        abstract: "Add tags to an image in its own repository: no layer moves, and the digest stays the same.",
        discussion: """
            One request reads the image and the current tags, and each new tag takes one more. A tag that already holds the \
            image takes none. ECR allows tags that begin with a hyphen: write them after --.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate retag $EU/team/app:v1 v2
              ecr-replicate retag team/app@sha256:… stable latest
              ecr-replicate retag --if-current sha256:… team/app:v2 stable
              ecr-replicate retag team/app:v1 -- -nightly
            """
    )

    @Argument(help: "The image: HOST/REPO:TAG, …@DIGEST, REPO:TAG, an ARN, or oci:DIR:TAG.", transform: parseReference)
    var source: ImageReference

    @Argument(help: "The tags to set.", transform: parseTag)
    var newTags: [Tag]

    @OptionGroup(title: "Safety") var safety: TagArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: SourceOptions
    @OptionGroup var misplaced: MisplacedOptions

    func validate() throws {
        try connection.refuseWithoutRole()
        guard ManifestID(source) != nil else {
            throw ValidationError("'\(source)' has no tag or digest\n  next: add :TAG or @DIGEST of the image to tag")
        }
        guard !source.registry.isArchive else {
            throw ValidationError(
                "'\(source)' is an archive, which is never changed\n  next: copy the image to oci:DIR, and retag it there"
            )
        }
        guard !newTags.isEmpty else { throw ValidationError("a new tag is missing\n  next: name at least one") }
        try refuseUnfit(newTags, at: source.registry)
    }

    func run() async throws {
        try await Session(command: "retag", output, connection).run { run in
            // The image's referrers are already in its repository.
            let options = CopyOptions(
                ifExists: safety.ifExists ?? .move,
                ifCurrent: safety.ifCurrent,
                referrers: .none,
                isDryRun: safety.dryRun
            )
            return try await run.retag(source, connection.source, to: newTags, options)
        }
    }
}

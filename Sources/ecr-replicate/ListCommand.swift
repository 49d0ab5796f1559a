import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Replicate

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List a repository's tagged images, the last pushed first.",
        discussion: """
            One line a tag: tag, digest, size, time of push. A thousand images cost one request.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate ls $EU/team/app
              ecr-replicate ls --match 'v1.*' --newest 5 team/app
            """
    )

    @Argument(help: "The repository: HOST/REPO, REPO, an ARN, or oci:DIR.", transform: parseReference)
    var repository: ImageReference

    @Option(
        name: .customLong("match"),
        parsing: .singleValue,
        help: ArgumentHelp("Only tags that match: a glob, re:EXPRESSION or semver:RANGE.", valueName: "pattern"),
        transform: parsePattern
    )
    var patterns: [TagPattern] = []

    @Option(help: ArgumentHelp("Only the N images that were pushed last.", valueName: "n"))
    var newest: Int?

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: SourceOptions
    @OptionGroup var misplaced: MisplacedOptions

    func validate() throws {
        try connection.refuseWithoutRole()
        guard ManifestID(repository) == nil else {
            throw ValidationError("'\(repository)' names one image; ls takes a repository")
        }
        if let newest, newest < 1 { throw ValidationError("--newest takes a number from 1") }
    }

    func run() async throws {
        try await Session(command: "ls", output, connection).read { replicator in
            let images = try await replicator.list(repository, TagFilter(patterns: patterns, newest: newest))
            let listing = Listing(repository: "\(repository)", images: images.map(Listing.Image.init))
            return Session.Answer(text: listing.text, document: listing)
        }
    }

    struct Listing: Encodable, Sendable {
        var version = 1
        var repository: String
        var images: [Image]

        struct Image: Encodable, Sendable {
            var digest: Digest
            var tags: [Tag]
            var pushedAt: String?
            var size: Int64?
            var mediaType: MediaType?
            var archived: Bool

            init(_ image: ListedImage) {
                (digest, tags, size, mediaType) = (image.digest, image.tags, image.size, image.mediaType)
                archived = image.isArchived
                pushedAt = image.pushedAt.map { Date(timeIntervalSince1970: $0).formatted(.iso8601) }
            }
        }

        var text: String {
            let width = images.flatMap(\.tags).map(\.value.count).max() ?? 0
            var text = ""
            for image in images {
                for tag in image.tags {
                    let name = tag.value + String(repeating: " ", count: width - tag.value.count)
                    let rest = [
                        image.size.map { "\(ByteCount($0))" }, image.pushedAt, image.archived ? "archived" : nil,
                    ]
                    text += ([name, "\(image.digest)"] + rest.compactMap { $0 }).joined(separator: "  ") + "\n"
                }
            }
            return text
        }
    }
}

import ArgumentParser
import Content
import FoundationEssentials
import Platform
import Replicate

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls",
        abstract: "List a repository's tagged images, newest first, or a registry's repositories.",
        discussion: """
            Prints one line for each tag: tag, digest, size, push time. One request lists a thousand images. A name that is \
            not a valid tag is printed with a hyphen instead of a digest, and with the reason. For layouts and archives, \
            untagged images are listed too.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate ls $EU/team/app
              ecr-replicate ls $EU
              ecr-replicate ls --match 'v1.*' --exclude '*-rc*' team/app
            """
    )

    @Argument(
        help: ArgumentHelp(
            "The repository: HOST/REPO, REPO, an ARN, oci:DIR, oci-archive:FILE or docker-archive:FILE. Or the registry: HOST/.",
            valueName: "repository"
        ),
        transform: parseListTarget
    )
    var target: ListTarget

    @OptionGroup var tags: TagPatternArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: SourceOptions
    @OptionGroup var misplaced: MisplacedOptions

    func validate() throws {
        try connection.refuseWithoutRole()
        switch target {
        case .registry(let registry):
            guard !tags.isUsed else {
                throw ValidationError(
                    "'\(registry)' is a registry, and --match, --exclude and --newest select tags of one repository\n"
                        + "  next: name a repository, or leave out these options"
                )
            }
        case .repository(let repository):
            guard ManifestID(repository) == nil else {
                throw ValidationError(
                    "'\(repository)' is one image, and ls lists a repository\n  next: leave out the tag or digest, or use inspect"
                )
            }
        }
    }

    func run() async throws {
        try await Session(command: "ls", output, connection).read { replicator in
            guard case .repository(let repository) = target else { return try await repositories(replicator) }
            let selection: ImageSelection
            do {
                selection = try await replicator.list(repository, connection.source, tags.filter)
            } catch var error as CopyError {
                if let advice = catalogAdvice(for: repository) { error.circumstance = .otherForm(advice) }
                throw error
            }
            let note = selection.isEmpty ? Session.nothingMatched(of: selection.tagsListed, tags.isUsed) : nil
            let listing = Listing(repository: "\(repository)", selection, note: note)
            return Session.Answer(text: listing.text, document: listing, note: note)
        }
    }

    private func repositories(_ replicator: Replicator) async throws -> Session.Answer {
        guard case .registry(let registry) = target else { return Session.Answer(text: "", document: "") }
        let listed = try await replicator.repositories(of: registry.registry, connection.source)
        let list = RepositoryDocument(registry: "\(registry)", listed)
        let note = listed.isEmpty ? "the registry has no repositories" : nil
        return Session.Answer(text: list.text, document: list, note: note)
    }

    struct Listing: Encodable, Sendable {
        var version = 1
        var repository: String
        var images: [Image]
        /// Listed names that aren't valid tags; `nil` if there are none.
        var unusableTags: [Unusable]?
        /// The reason why the list is empty.
        var note: String?

        init(repository: String, _ selection: ImageSelection, note: String?) {
            (self.repository, self.note) = (repository, note)
            images = selection.images.map(Image.init)
            unusableTags = selection.unusableTags.isEmpty ? nil : selection.unusableTags.map(Unusable.init)
        }

        struct Unusable: Encodable, Sendable {
            var name: String
            var reason: String

            init(_ tag: ImageSelection.UnusableTag) {
                name = quotable(tag.name)
                reason =
                    switch tag.reason {
                    case .tagUnfit(_, let reason): "not a tag: \(reason)"
                    case .imageMissing: "the registry has no image with this tag"
                    case let other: other.text(at: .source)
                    }
            }
        }

        struct Image: Encodable, Sendable {
            var digest: Digest
            var tags: [Tag]
            var pushedAt: String?
            var size: Int64?
            var mediaType: MediaType?
            var archived: Bool
            /// Other names that a layout gives the image, if any.
            var names: [String]?
            /// Tags that other images of the layout have too.
            var sharedTags: [Tag]?
            /// The subject of an image that a layout lists without a name.
            var subject: Digest?

            init(_ image: ListedImage) {
                (digest, tags, size, mediaType) = (image.digest, image.tags, image.size, image.mediaType)
                archived = image.isArchived
                names = image.names.isEmpty ? nil : image.names
                sharedTags = image.sharedTags.isEmpty ? nil : image.sharedTags
                subject = image.subject
                pushedAt = image.pushedAt.map { Date(timeIntervalSince1970: $0).formatted(.iso8601) }
            }
        }

        var text: String {
            let rows = images.flatMap(\.rows)
            let names = rows.map(\.name) + (unusableTags ?? []).map(\.name)
            let width = names.map(\.count).max() ?? 0
            func padded(_ name: String) -> String { name + String(repeating: " ", count: width - name.count) }
            var text = ""
            for (name, rest) in rows {
                text += ([padded(name)] + rest).joined(separator: "  ") + "\n"
            }
            for tag in unusableTags ?? [] { text += "\(padded(tag.name))  -  \(tag.reason)\n" }
            return text
        }
    }
}

extension ListCommand.Listing.Image {
    /// A row for each tag; for an untagged image, one row with its name.
    var rows: [(name: String, rest: [String])] {
        let shared = sharedTags ?? []
        let otherNames = (names ?? []).map { quotable($0, upTo: 300) }
        let facts = [size.map { "\(ByteCount($0))" }, pushedAt, archived ? "archived" : nil].compactMap { $0 }
        guard tags.isEmpty, shared.isEmpty else {
            return (tags + shared).map { tag in
                (
                    tag.value,
                    ["\(digest)"] + facts + otherNames + (shared.contains(tag) ? ["tag of several images"] : [])
                )
            }
        }
        let refers = subject.map { ["refers to \($0)"] } ?? []
        return [(otherNames.first ?? "untagged", ["\(digest)"] + facts + otherNames.dropFirst() + refers)]
    }
}

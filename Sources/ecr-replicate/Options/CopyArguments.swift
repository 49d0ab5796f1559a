public import ArgumentParser
import Content
public import Replicate

/// The options that decide whether a tag may be set, within one repository or across repositories.
struct TagArguments: ParsableArguments {
    @Flag(help: "Print the plan, refusals included, without changing anything.")
    var dryRun = false

    @Option(help: "What to do if a tag holds another image.")
    var ifExists: CopyOptions.IfExists?

    @Option(
        help: ArgumentHelp(
            "Move a tag only if it currently holds this digest; a missing tag is refused.",
            valueName: "digest"
        ),
        transform: parseDigest
    )
    var ifCurrent: Digest?

    func validate() throws {
        guard ifExists == nil || ifCurrent == nil else {
            throw ValidationError("--if-current and --if-exists can't be used together\n  next: leave out one of them")
        }
    }
}

/// The options that decide how tags and referrers are copied.
struct CopyArguments: ParsableArguments {
    @OptionGroup var tag: TagArguments

    @Option(help: "Whether to copy signatures, SBOMs and attestations.")
    var referrers: CopyOptions.Referrers = .all

    @Option(
        help: "What to do if the destination's repository is missing: create it with defaults, or like the source's."
    )
    var createRepository: CopyOptions.RepositoryCreation = .never

    @OptionGroup var keys: KeyArguments

    @Flag(
        help: ArgumentHelp(
            "Check that the destination has everything that its manifests name, and copy missing content.",
            discussion: """
                Without this flag, a registry that has a manifest is assumed to have all manifests and blobs that it names. \
                Layouts (oci:DIR) are always checked.
                """
        )
    )
    var repair = false

    func validate() throws { try keys.check(createRepository) }

    func options(ifExists defaultAction: CopyOptions.IfExists, platforms: [ImagePlatform] = []) -> CopyOptions {
        CopyOptions(
            ifExists: tag.ifExists ?? defaultAction,
            ifCurrent: tag.ifCurrent,
            referrers: referrers,
            createRepository: createRepository,
            platforms: platforms,
            isDryRun: tag.dryRun,
            repairs: repair
        )
    }
}

/// The options that select tags of a repository.
struct TagPatternArguments: ParsableArguments {
    @Option(
        name: .customLong("match"),
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            Select only tags that match one of the patterns (repeatable): a glob with * ? [a-z] [!a-z] {a,b}, re:EXPRESSION \
            for the whole tag, or semver:RANGE, which reads _ as + as Helm does.
            """,
            valueName: "pattern"
        ),
        transform: parsePattern
    )
    var patterns: [TagFilter.Pattern] = []

    @Option(
        name: .customLong("exclude"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "Leave out tags that match, even if --match selects them (repeatable; patterns as for --match).",
            valueName: "pattern"
        ),
        transform: parsePattern
    )
    var excluded: [TagFilter.Pattern] = []

    @Option(help: ArgumentHelp("Select only the N images that were pushed last.", valueName: "n"))
    var newest: Int?

    var isUsed: Bool { !patterns.isEmpty || !excluded.isEmpty || newest != nil }

    var filter: TagFilter { TagFilter(patterns: patterns, excluded: excluded, newest: newest) }

    func validate() throws {
        if let newest, newest < 1 {
            throw ValidationError("'\(newest)' is not valid for --newest\n  next: write a number from 1")
        }
    }
}

/// The options that select images where a reference names only a repository.
struct SelectionArguments: ParsableArguments {
    @Flag(help: "Copy every tagged image of the repository.")
    var allTags = false

    @OptionGroup var tags: TagPatternArguments

    var isUsed: Bool { allTags || tags.isUsed }

    /// - Throws: A usage error if a reference names an image and the flags select images too.
    func selection(of source: ImageReference) throws -> CopyRequest.Selection {
        if ManifestID(source) != nil {
            guard !isUsed else {
                throw ValidationError(
                    "'\(source)' is one image, and --all-tags, --match, --exclude and --newest select from a repository\n"
                        + "  next: leave out the tag or digest, or these options"
                )
            }
            return .named
        }
        guard isUsed || !source.registry.isLayout else { return .named }
        guard isUsed else {
            throw ValidationError(
                "'\(source)' has no tag or digest\n"
                    + "  next: add :TAG or @DIGEST, or pass --all-tags, --match, --exclude or --newest"
            )
        }
        return .many(tags.filter)
    }
}

extension CopyOptions.IfExists: ExpressibleByArgument {}
extension CopyOptions.Referrers: ExpressibleByArgument {}
extension CopyOptions.RepositoryCreation: ExpressibleByArgument {}

/// Refuses `HOST/` as a destination of an image from a layout, which has no repository name to keep.
///
/// - Throws: A usage error.
func refuseUnnamed(_ destinations: [DestinationReference], from source: ImageReference) throws {
    guard source.registry.isLayout, let unnamed = destinations.first(where: { $0.repository == nil }) else { return }
    throw ValidationError("'\(unnamed)' has no repository name, and neither has the source\n  next: write HOST/REPO")
}

/// The help for an argument that names an image.
let imageHelp: ArgumentHelp =
    "The image: HOST/REPO:TAG, …@DIGEST, REPO:TAG, an ARN, oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:TAG]."

func parseReference(_ text: String) throws -> ImageReference {
    try usage { try ImageReference(parsing: text) }
}

func parseDestination(_ text: String) throws -> DestinationReference {
    try usage { try DestinationReference(parsing: text) }
}

func parseTag(_ text: String) throws -> Tag {
    try usage { try Tag(parsing: text) }
}

/// Refuses tags that the registry can't hold.
///
/// - Throws: A usage error for such a tag.
func refuseUnfit(_ tags: [Tag], at registry: RegistryLocation) throws {
    for tag in tags {
        guard let problem = tag.problem(in: registry.tagGrammar) else { continue }
        throw ValidationError(
            "\(ReferenceError.malformedTag(tag.value, reason: "\(problem) in a registry other than ECR"))"
        )
    }
}

func parseDigest(_ text: String) throws -> Digest {
    try usage { try Digest(parsing: text) }
}

func parsePlatforms(_ text: String) throws -> PlatformArgument {
    try usage { try PlatformArgument(platforms: ImagePlatform.list(parsing: text)) }
}

/// The platforms that one `--platform` selects.
struct PlatformArgument {
    /// The platforms; `nil` for all platforms of the index.
    var platforms: [ImagePlatform]?
}

func parsePattern(_ text: String) throws -> TagFilter.Pattern {
    try usage { try TagFilter.Pattern(parsing: text) }
}

/// Turns the error of `parse` into a usage error with the same text.
func usage<Value>(_ parse: () throws -> Value) throws -> Value {
    do {
        return try parse()
    } catch {
        throw ValidationError("\(error)")
    }
}

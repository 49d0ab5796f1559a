import ArgumentParser
import Content
import Replicate

struct CopyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "copy",
        abstract: "Copy an image to another repository, region or account, byte for byte.",
        discussion: """
            A destination without a tag gets the source's tag, and HOST/ also the source's repository name. For several \
            destinations, the source is read only once. Standard output has a line for each tag that holds the image at the \
            end. Either side may be any OCI registry, which can be written docker://HOST/REPO, or an image layout on this \
            machine, written oci:DIR[:TAG]. The source may also be a tar file: oci-archive:FILE, or docker-archive:FILE for \
            a file from docker save.

            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              US=111122223333.dkr.ecr.us-east-1.amazonaws.com
              ecr-replicate copy $EU/team/app:v1 $US/
              ecr-replicate copy --dry-run $EU/team/app:v1 $US/
              ecr-replicate copy --tag stable --platform linux/arm64 \\
                  $EU/team/app:v1 $US/team/app-arm
              ecr-replicate copy --match 'semver:>=1.2 <2' --newest 10 \\
                  $EU/team/app $US/
              ecr-replicate copy --match 'v[0-9]*' --exclude '*-rc*' \\
                  $EU/team/app $US/
              ecr-replicate copy docker.io/alpine:3 $EU/mirror/alpine
              ecr-replicate copy $EU/team/app:v1 oci:/media/usb/app
              ecr-replicate copy docker-archive:app.tar $EU/team/app:v1
              ecr-replicate copy --repair $EU/team/app:v1 $US/
            """
    )

    @Argument(
        help: imageHelp,
        transform: parseReference
    )
    var source: ImageReference

    @Argument(
        help: "HOST/REPO[:TAG], REPO[:TAG] or oci:DIR[:TAG]; HOST/ keeps the source's repository name.",
        transform: parseDestination
    )
    var destinations: [DestinationReference]

    @Option(
        name: .customLong("tag"),
        parsing: .singleValue,
        help: ArgumentHelp("Another tag to set at the destination (repeatable).", valueName: "tag"),
        transform: parseTag
    )
    var tags: [Tag] = []

    @Option(
        name: .customLong("platform"),
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            The platform to copy: os/architecture[/variant][:os.version]. One platform is copied unchanged; several, \
            with commas or repeated, are copied under a new index; all copies the index as it is.
            """,
            valueName: "platform"
        ),
        transform: parsePlatforms
    )
    var platformArguments: [PlatformArgument] = []

    @OptionGroup(title: "Several images") var selection: SelectionArguments
    @OptionGroup(title: "Safety") var copying: CopyArguments
    @OptionGroup(title: "Large layers") var uploading: UploadArguments
    @OptionGroup(title: "Transfers") var transfers: TransferArguments
    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: ConnectionOptions

    func validate() throws {
        guard !destinations.isEmpty else {
            throw ValidationError("a destination is missing\n  next: name at least one")
        }
        try refuseUnnamed(destinations, from: source)
        guard platformArguments.count <= 1 || platformArguments.allSatisfy({ $0.platforms != nil }) else {
            throw ValidationError("--platform all copies every platform\n  next: leave out the other --platform")
        }
        for destination in destinations {
            let named = [destination.tag].compactMap { $0 } + tags
            try refuseUnfit(named.isEmpty ? [source.tag].compactMap { $0 } : named, at: destination.registry)
        }
        _ = try selection.selection(of: source)
        if selection.isUsed {
            guard tags.isEmpty, destinations.allSatisfy({ $0.tag == nil }) else {
                throw ValidationError(
                    "with several images, each keeps its own tags\n  next: leave out --tag and the destination's tag"
                )
            }
        }
    }

    func run() async throws {
        let session = Session(
            command: "copy",
            output,
            connection,
            transfers,
            uploads: uploading.options,
            namesDestinations: destinations.count > 1
        )
        try await session.run { run in
            try await run.copy(
                CopyRequest(
                    source,
                    from: session.source,
                    selection.selection(of: source),
                    to: destinations.map {
                        CopyDestination($0, session.destination, kmsKeys: copying.keys.keys(at: $0.registry))
                    },
                    tags: tags,
                    copying.options(ifExists: .move, platforms: platformArguments.flatMap { $0.platforms ?? [] })
                )
            )
        }
    }
}

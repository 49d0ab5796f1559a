import ArgumentParser
import Content
import Platform
import Replicate
import Reporting

struct InspectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what an image is: digest, media type, platforms or layers, and its referrers.",
        discussion: """
            EXAMPLES
              EU=111122223333.dkr.ecr.eu-west-1.amazonaws.com
              ecr-replicate inspect $EU/team/app:v1
              ecr-replicate inspect --raw team/app:v1 | sha256sum
            """
    )

    @Argument(
        help: imageHelp,
        transform: parseReference
    )
    var image: ImageReference

    @Flag(help: "Print only the manifest, byte for byte.")
    var raw = false

    @Option(help: "Whether to look for signatures, SBOMs and attestations.")
    var referrers: CopyOptions.Referrers = .all

    @OptionGroup(title: "Output") var output: OutputOptions
    @OptionGroup(title: "Identity and endpoints") var connection: SourceOptions
    @OptionGroup var misplaced: MisplacedOptions

    func validate() throws {
        try connection.refuseWithoutRole()
        guard ManifestID(image) != nil || image.registry.isLayout else {
            throw ValidationError("'\(image)' has no tag or digest\n  next: add :TAG or @DIGEST; ls lists the tags")
        }
        guard !raw || output.output == .text else {
            throw ValidationError("--raw prints the manifest instead of a document\n  next: leave out --output json")
        }
    }

    func run() async throws {
        try await Session(command: "inspect", output, connection).read { replicator in
            let found = try await replicator.inspect(image, connection.source, referrers: raw ? .none : referrers)
            for failure in found.referrerFailures { LineStream.standardError.say("warning: \(failure.explanation)") }
            let document = InspectionDocument(found)
            return Session.Answer(
                text: raw ? found.manifest.text : text(document, found.manifest),
                document: document,
                isVerbatim: raw
            )
        }
    }

    private func text(_ found: InspectionDocument, _ manifest: Manifest) -> String {
        var lines = [
            "\(found.reference)", "digest     \(found.digest)", "mediaType  \(printable(found.mediaType.rawValue))",
        ]
        if let type = found.artifactType, found.children.isEmpty { lines.append("artifact   \(printable(type))") }
        if let subject = found.subject { lines.append("subject    \(subject)") }
        lines.append("manifest   \(ByteCount(Int64(found.manifestSize)))")
        if found.children.isEmpty { lines.append("content    \(ByteCount(found.size))") }
        for child in found.children {
            let kind = child.isAttestation ? "attestation" : child.platform.map { printable($0) } ?? "manifest"
            lines.append("  \(child.digest)  \(kind)")
        }
        for odd in manifest.oddEntries {
            lines.append("  entry \(odd.position + 1) of the index can't be copied: \(odd.reason)")
        }
        if let config = found.config { lines.append("  \(config.digest)  config  \(ByteCount(config.size))") }
        for layer in found.layers { lines.append("  \(layer.digest)  layer   \(ByteCount(layer.size))") }
        for referrer in found.referrers {
            let how = referrer.tag.map { "tag \($0)" } ?? "referrer"
            let kind = printable(referrer.artifactType ?? referrer.mediaType.rawValue)
            lines.append("  \(referrer.digest)  \(how)  \(kind)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

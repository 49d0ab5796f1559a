public import ArgumentParser
import Content
import Platform
public import Replicate

/// The options for uploads of large layers and for the journal of unfinished uploads.
struct UploadArguments: ParsableArguments {
    @Option(
        help: """
            How layers are sent to ECR: auto sends large layers in parts, so that a killed run can resume; registry sends \
            each layer whole; api sends every layer in parts.
            """
    )
    var upload: UploadOptions.Mode = .auto

    @Option(
        help: ArgumentHelp("Smallest layer that auto sends in parts, for example 500MB or 1GiB.", valueName: "size"),
        transform: parseByteCount
    )
    var resumableAbove = ByteCount(UploadOptions.usualResumableAbove)

    @Option(
        help: ArgumentHelp(
            "Directory for the journal of unfinished uploads (default: $XDG_STATE_HOME/ecr-replicate or ~/.local/state/ecr-replicate).",
            valueName: "dir"
        ),
        completion: .directory
    )
    var stateDir: String?

    var options: UploadOptions {
        UploadOptions(
            mode: upload,
            resumableAbove: resumableAbove.bytes,
            stateDirectory: stateDir ?? UploadOptions.usualStateDirectory(.current)
        )
    }
}

extension UploadOptions.Mode: ExpressibleByArgument {}

func parseByteCount(_ text: String) throws -> ByteCount {
    try usage { try ByteCount(parsing: text) }
}

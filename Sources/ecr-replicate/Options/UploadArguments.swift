public import ArgumentParser
import Content
import Platform
public import Replicate

/// The options for uploads of large layers and for the journal of unfinished uploads.
struct UploadArguments: ParsableArguments {
    @Option(
        help: """
            Which way layers go to ECR: auto sends large ones in parts, which survive a killed run; registry none, api \
            all.
            """
    )
    var upload: UploadMode = .auto

    @Option(
        help: ArgumentHelp("From which size auto sends a layer in parts: bytes, 500MB, 1GiB.", valueName: "size"),
        transform: parseByteCount
    )
    var resumableAbove = ByteCount(UploadOptions.usualResumableAbove)

    @Option(
        help: ArgumentHelp(
            "Where unfinished uploads are remembered; else $XDG_STATE_HOME/ecr-replicate or ~/.local/state/ecr-replicate.",
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

extension UploadMode: ExpressibleByArgument {}

func parseByteCount(_ text: String) throws -> ByteCount {
    try usage { try ByteCount(parsing: text) }
}

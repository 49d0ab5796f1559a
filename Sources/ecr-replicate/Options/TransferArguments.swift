import ArgumentParser
import Content

/// The limits on parallel transfers and on their speed.
struct TransferArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Blobs to transfer at once, 1 to 64 (default: 8 large ones, of 4 MiB or more, and up to 32 in all).",
            valueName: "n"
        )
    )
    var jobs: Int?

    @Option(
        help: ArgumentHelp(
            "Maximum bytes per second for all blobs together, for example 50MB (10⁶) or 50MiB (2²⁰).",
            valueName: "rate"
        ),
        transform: parseRate
    )
    var limitRate: ByteCount?

    func validate() throws {
        guard jobs.map({ (1...64).contains($0) }) ?? true else {
            throw ValidationError("'\(jobs ?? 0)' is not valid for --jobs\n  next: write a number from 1 to 64")
        }
    }
}

private func parseRate(_ text: String) throws -> ByteCount {
    let rate = try usage { try ByteCount(parsing: text) }
    guard rate.bytes > 0 else {
        throw ValidationError("a rate of '\(text)' would transfer nothing\n  next: write a rate above 0, such as 50MB")
    }
    return rate
}

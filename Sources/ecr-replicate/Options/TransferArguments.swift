import ArgumentParser
import Content

/// The limits on parallel transfers and on their speed.
struct TransferArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Blobs in flight at once, 1 to 64 (default: 8 of 4 MiB or more, up to 32 with smaller ones).",
            valueName: "n"
        )
    )
    var jobs: Int?

    @Option(
        help: ArgumentHelp(
            "Bytes per second for all blobs together, for example 50MB (10⁶) or 50MiB (2²⁰).",
            valueName: "rate"
        ),
        transform: parseRate
    )
    var limitRate: ByteCount?

    func validate() throws {
        guard jobs.map({ (1...64).contains($0) }) ?? true else {
            throw ValidationError("--jobs takes a number from 1 to 64")
        }
    }
}

private func parseRate(_ text: String) throws -> ByteCount {
    let rate = try usage { try ByteCount(parsing: text) }
    guard rate.bytes > 0 else { throw ValidationError("at --limit-rate \(text) nothing would ever arrive") }
    return rate
}

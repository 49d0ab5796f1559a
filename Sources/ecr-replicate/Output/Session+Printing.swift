import Content
import FoundationEssentials
import Platform
import Promotion
import Replicate
import Reporting

/// Prints results, for people and for programs.
extension Session {
    func printText(_ results: [CopyResult], _ ending: Ending, _ requests: Int, _ seconds: Double, note: String?) {
        // A run has announced its gates before it began; a dry run's are part of its result.
        if results.contains(where: \.isPlanned) {
            admission?.reports.flatMap(\.lines).forEach(LineStream.standardOutput.say)
        }
        for result in results {
            switch result {
            case .done(let receipt): receipt.lines.forEach(LineStream.standardOutput.writeLine)
            case .planned(let plan): plan.lines.forEach(LineStream.standardOutput.say)
            case .failed, .cancelled: break
            }
        }
        printFailures(results, ending)
        let diagnostics = LineStream.standardError
        if let note { diagnostics.writeLine("note: \(note)") }
        let summary = Summary(results: results, requests: requests, seconds: seconds)
        (output.progress == .none ? summary.warnings + summary.previousDigests : summary.lines).forEach(diagnostics.say)
    }

    /// Prints failures on standard error, whatever the format of standard output.
    func printFailures(_ results: [CopyResult], _ ending: Ending) {
        let diagnostics = LineStream.standardError
        // If a hundred images lack one permission, the remedy is printed once.
        var said: Set<String> = []
        func say(_ error: CopyError) {
            let isNew = said.insert(error.remedy).inserted
            diagnostics.say("ecr-replicate: \(isNew ? error.explanation : error.explanationAsBefore)")
        }
        for result in results {
            switch result {
            case .done: break
            case .planned(let plan): plan.refusals.forEach(say)
            case .failed(_, _, let error): say(error)
            case .cancelled(let source, let destination, let left):
                let what = left.map { "left: \($0.words)" } ?? "not started"
                diagnostics.say("ecr-replicate: stopped: \(source) to \(destination); \(what)")
            }
        }
        switch ending {
        case .failed(let failure): diagnostics.say("ecr-replicate: \(failure.explanation)")
        case .interrupted(_, let failure):
            if let failure { diagnostics.say("ecr-replicate: \(failure.explanation)") }
            diagnostics.writeLine(
                !results.isEmpty && results.allSatisfy(\.isComplete)
                    ? "interrupted: nothing is left to do"
                    : "interrupted: blobs that arrived stay at the destination, and the next run resumes from there"
            )
        case .finished: break
        }
    }
}

/// Prints the one document of `--output json`.
///
/// - Returns: Whether the document could be encoded; if not, standard error says why, and the command must not end as a
///   success.
@discardableResult
func printJSON(_ document: some Encodable) -> Bool {
    do {
        LineStream.standardOutput.writeLine(try jsonText(document))
        return true
    } catch {
        LineStream.standardError.writeLine("ecr-replicate: the result could not be encoded as JSON: \(error)")
        return false
    }
}

/// Encodes a document as JSON text.
///
/// - Throws: `EncodingError`, for example for a number that JSON doesn't have.
func jsonText(_ document: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return printableJSON(String(decoding: try encoder.encode(document), as: UTF8.self))
}

extension CopyResult.Remainder {
    /// The counts in words, for people.
    fileprivate var words: String {
        let parts = [
            blobs > 0 ? "\(counted(blobs, "blob")) (\(ByteCount(bytes)))" : nil,
            manifests > 0 ? counted(manifests, "manifest") : nil,
        ]
        let said = parts.compactMap { $0 }
        return said.isEmpty ? "tags" : said.joined(separator: ", ")
    }
}

extension CopyResult {
    fileprivate var isPlanned: Bool { if case .planned = self { true } else { false } }

    fileprivate var isComplete: Bool {
        switch self {
        case .done, .planned: true
        case .failed, .cancelled: false
        }
    }
}

extension [CopyResult] {
    /// Returns the lines of `lines` that no result reports itself.
    func unreported(of lines: [String]) -> [String] {
        let receipts = compactMap { if case .done(let receipt) = $0 { receipt } else { nil } }
        let reported = Set(receipts.flatMap(\.lines))
        return lines.filter { !reported.contains($0) }
    }
}

import Content
import FoundationEssentials
import Platform
import Replicate
import Reporting

/// How results are written down, for people and for programs.
extension Session {
    func printText(_ results: [CopyResult], _ ending: Ending, _ requests: Int, _ seconds: Double, note: String?) {
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
        (output.progress == .none ? summary.warnings + summary.heldBefore : summary.lines).forEach(diagnostics.say)
    }

    /// On standard error, whatever standard output gets.
    func printFailures(_ results: [CopyResult], _ ending: Ending) {
        let diagnostics = LineStream.standardError
        // A hundred images that lack one permission need to be told once what to do.
        var said: Set<String> = []
        func say(_ error: CopyError) {
            let isNews = said.insert(error.remedy).inserted
            diagnostics.say("ecr-replicate: \(isNews ? error.explanation : error.explanationAsBefore)")
        }
        for result in results {
            switch result {
            case .done: break
            case .planned(let plan): plan.refusals.forEach(say)
            case .failed(_, _, let error): say(error)
            case .cancelled(let source, let destination, let left):
                let what = left.map { "left: \($0.words)" } ?? "not begun"
                diagnostics.say("ecr-replicate: stopped: \(source) to \(destination); \(what)")
            }
        }
        switch ending {
        case .failed(let trouble): diagnostics.say("ecr-replicate: \(trouble.explanation)")
        case .interrupted(_, let trouble):
            if let trouble { diagnostics.say("ecr-replicate: \(trouble.explanation)") }
            diagnostics.writeLine(
                !results.isEmpty && results.allSatisfy(\.isComplete)
                    ? "interrupted: nothing is left to do"
                    : "interrupted: what has arrived stays, and the next run goes on from there"
            )
        case .finished: break
        }
    }
}

/// Prints `--output json`'s one document.
///
/// - Returns: Whether it could be encoded; if not, standard error says why, and the command must not end as a success.
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

/// - Throws: `EncodingError`, for example for a number that JSON does not have.
func jsonText(_ document: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return printableJSON(String(decoding: try encoder.encode(document), as: UTF8.self))
}

extension Remainder {
    /// As a person would list it.
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
    fileprivate var isComplete: Bool {
        switch self {
        case .done, .planned: true
        case .failed, .cancelled: false
        }
    }
}

extension [CopyResult] {
    /// Those of `lines` that no result names among its own.
    func unreported(of lines: [String]) -> [String] {
        let receipts = compactMap { if case .done(let receipt) = $0 { receipt } else { nil } }
        let reported = Set(receipts.flatMap(\.lines))
        return lines.filter { !reported.contains($0) }
    }
}

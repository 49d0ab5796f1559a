import Content
import Replicate
import Reporting

/// The last lines on standard error: what moved, what was already there, how long it took, how many requests.
struct Summary {
    var results: [CopyResult]
    var requests: Int
    var seconds: Double

    /// The previous images of moved tags, printed in quiet mode too, since a rollback needs them.
    var previousDigests: [String] { tags(.moved) { "\($0) held \($1) before" } }

    /// Warnings about parts that weren't copied with the image, printed in quiet mode too.
    var warnings: [String] {
        var remedies: Set<String> = []
        return results.flatMap { result -> [String] in
            switch result {
            case .done(let receipt): warnings(receipt.referrerFailures, at: receipt.destination, &remedies)
            case .planned(let plan): warnings(plan.referrerFailures, at: plan.destination, &remedies)
            case .failed, .cancelled: []
            }
        }
    }

    /// Lists the warnings, with each remedy printed once.
    private func warnings(
        _ failures: [ReferrerFailure],
        at place: ImageReference,
        _ remedies: inout Set<String>
    ) -> [String] {
        // Failures of whole lists come first: there may be thousands of others, which any client of the registry can
        // cause.
        let lists = failures.filter { $0.digest == nil && $0.tag == nil }
        let others = failures.filter { $0.digest != nil || $0.tag != nil }
        let shown = lists.prefix(Self.mostWarnings) + others.prefix(Self.mostWarnings)
        let lines = shown.map { failure in
            let next = remedies.insert(failure.remedy).inserted ? "\n  next: \(failure.remedy)" : ""
            return "warning: \(place): \(failure)\(next)"
        }
        guard shown.count < failures.count else { return lines }
        return lines + ["warning: \(place): \(failures.count - shown.count) more like these; --output json names each"]
    }

    /// The most warnings for one image at one destination.
    private static let mostWarnings = 20

    private var receipts: [CopyReceipt] {
        results.compactMap { if case .done(let receipt) = $0 { receipt } else { nil } }
    }

    private func tags(_ outcome: CopyReceipt.TagResult.Outcome, _ line: (String, Digest) -> String) -> [String] {
        receipts.flatMap { receipt in
            receipt.tags.filter { $0.outcome == outcome }.compactMap { tag in
                tag.previous.map { line("\(receipt.destination):\(tag.tag)", $0) }
            }
        }
    }

    var lines: [String] {
        let receipts = receipts
        let failed = results.count { $0.error != nil }
        // A note about all images of a run is printed once.
        var lines =
            receipts.flatMap(\.notes).reduce(into: [String]()) { notes, note in
                if !notes.contains(note) { notes.append(note) }
            }.map { "note: \($0)" } + warnings
        lines += previousDigests
        lines += tags(.skipped) { "\($0) still holds \($1)" }
        var parts: [String] = []
        if !receipts.isEmpty {
            let moved = receipts.reduce(0) { $0 + $1.blobsMoved }
            let bytes = receipts.reduce(0) { $0 + $1.bytesMoved }
            let mounted = receipts.reduce(0) { $0 + $1.blobsMounted }
            let there = receipts.reduce(0) { $0 + $1.blobsThere }
            let tags = receipts.flatMap(\.tags)
            if moved > 0 { parts.append("\(counted(moved, "blob")) moved (\(ByteCount(bytes)))") }
            if mounted > 0 { parts.append("\(mounted) mounted") }
            if there > 0 { parts.append("\(there) already there") }
            let manifests = receipts.reduce(0) { $0 + $1.manifestsPut }
            if manifests > 0 { parts.append("\(counted(manifests, "manifest")) put") }
            let referrers = receipts.reduce(0) { $0 + $1.referrers }
            if referrers > 0 { parts.append("\(counted(referrers, "referrer")) among them") }
            let set = tags.count { $0.outcome == .set || $0.outcome == .moved }
            if set > 0 { parts.append("\(counted(set, "tag")) set") }
            if !receipts.contains(where: \.changedAnything) { parts = ["nothing to do"] }
        }
        let leftOut = results.reduce(0) { $0 + $1.referrerFailures.count }
        if leftOut > 0 { parts.append("\(counted(leftOut, "warning")) about referrers") }
        if failed > 0 { parts.append("\(failed) failed") }
        let stopped = results.count { if case .cancelled = $0 { true } else { false } }
        if stopped > 0 { parts.append("\(stopped) stopped") }
        parts.append(counted(requests, "request"))
        parts.append("\((seconds * 100).rounded() / 100) s")
        lines.append(parts.joined(separator: ", "))
        return lines
    }
}

extension Duration {
    var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }

    /// The duration for people, to the hundredth of a second.
    var shown: String { "\((seconds * 100).rounded() / 100) s" }
}

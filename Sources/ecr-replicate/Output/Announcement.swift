import Content
import Platform
import Replicate

/// Prints the caller and the plan of a promotion before it begins, and the results after it.
final class Announcement: Sendable {
    private let isWanted: Bool

    init(isWanted: Bool) { self.isWanted = isWanted }

    func caller(_ name: String?) {
        guard isWanted else { return }
        LineStream.standardError.writeLine("caller: \(name ?? "unknown (GetCallerIdentity failed)")")
    }

    func note(_ event: CopyEvent) {
        guard isWanted else { return }
        switch event {
        case .planned(let plan):
            LineStream.standardError.writeLine("promoting \(plan.source) = \(plan.root.digest)")
            plan.lines.forEach(LineStream.standardError.writeLine)
        case .finished(let receipt):
            for tag in receipt.tags {
                let place = "\(receipt.destination):\(tag.tag)"
                switch tag.outcome {
                case .set, .moved: LineStream.standardError.writeLine("promoted \(receipt.digest) to \(place)")
                case .unchanged: LineStream.standardError.writeLine("unchanged: \(place) already holds the image")
                case .skipped: LineStream.standardError.writeLine("not promoted: \(place) keeps its image")
                }
            }
        default: break
        }
    }
}

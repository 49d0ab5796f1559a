package import Replicate

/// The exit status of a process, from its results.
///
/// - Source: docs/cli.md, "Exit status"
package enum ExitStatus {
    package static let done: Int32 = 0
    package static let failed: Int32 = 1
    package static let refused: Int32 = 3
    package static let notPermitted: Int32 = 4
    package static let wrongUsage: Int32 = 64

    /// The exit status for several results.
    ///
    /// If all results have the same code, that is the status. If failures are of several kinds, or only some images
    /// failed, the status is 1.
    package static func of(_ results: [CopyResult]) -> Int32 {
        let codes = Set(results.map(of))
        return codes.count == 1 ? codes.first ?? done : codes.isEmpty ? done : failed
    }

    /// The exit status for one result; a cancelled image counts as failed, whatever cancelled it.
    private static func of(_ result: CopyResult) -> Int32 {
        switch result {
        case .done: done
        // A dry run shows what would be refused, and that is what it was asked for. Errors keep their codes.
        case .planned(let plan): plan.refusals.map(of).first { $0 != refused } ?? done
        case .failed(_, _, let error): of(error)
        case .cancelled: failed
        }
    }

    package static func of(_ error: CopyError) -> Int32 {
        switch error.kind {
        case .failed: failed
        case .refused: refused
        case .notPermitted: notPermitted
        }
    }
}

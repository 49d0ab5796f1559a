package import Replicate

/// What a process says about its results when it ends.
///
/// - Source: docs/cli.md, "Exit status"
package enum ExitStatus {
    package static let done: Int32 = 0
    package static let failed: Int32 = 1
    package static let refused: Int32 = 3
    package static let notPermitted: Int32 = 4

    /// One kind of failure gives its code; several kinds, or some images done and some failed, give 1.
    package static func of(_ results: [CopyResult]) -> Int32 {
        let codes = Set(results.map(of))
        return codes.count == 1 ? codes.first ?? done : codes.isEmpty ? done : failed
    }

    /// One that was stopped is not done, whatever stopped it.
    private static func of(_ result: CopyResult) -> Int32 {
        switch result {
        case .done: done
        case .planned(let plan): plan.refusal.map(of) ?? done
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

internal import Content
internal import Replicate
internal import Reporting

extension GateDecision {
    /// The decision of a gate that could not read what it decides by.
    ///
    /// - Parameter what: What failed, as the beginning of a sentence.
    /// - Throws: `CancellationError` and ``Drained``, which are not decisions.
    static func unreadable(_ gate: String, _ error: any Error, _ what: String) throws -> GateDecision {
        if error is CancellationError || error is Drained { throw error }
        guard let error = error as? CopyError else {
            return GateDecision(gate, .unknown, "\(what): \(printable("\(error)"))")
        }
        return GateDecision(gate, .unknown, "\(what): \(error.cause)", remedy: error.remedy)
    }
}

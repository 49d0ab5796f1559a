/// Compares the patterns of resources in policies: `*` stands for any run of characters, `?` for one.
///
/// - Source: IAM User Guide, "IAM JSON policy elements: Resource"
package enum ResourcePattern {
    /// Whether everything that `narrow` matches is matched by `wide` too.
    ///
    /// Errs on the side of `false`: `a?*` and `a*?` match the same texts, and neither covers the other here.
    package static func covers(_ wide: String, _ narrow: String) -> Bool {
        covers(Array(wide.utf8), Array(narrow.utf8))
    }

    fileprivate static func covers(_ wide: [UInt8], _ narrow: [UInt8]) -> Bool {
        let (star, mark) = (UInt8(ascii: "*"), UInt8(ascii: "?"))
        var (index, other) = (0, 0)
        // The places to retry from when what follows the last star doesn't match.
        var retry: (index: Int, other: Int)?
        while other < narrow.count {
            if index < wide.count, wide[index] == star {
                retry = (index, other)
                index += 1
            } else if index < wide.count, wide[index] == narrow[other] || wide[index] == mark, narrow[other] != star {
                (index, other) = (index + 1, other + 1)
            } else if let last = retry {
                retry = (last.index, last.other + 1)
                (index, other) = (last.index + 1, last.other + 1)
            } else {
                return false
            }
        }
        return wide[index...].allSatisfy { $0 == star }
    }

    package static func isPattern(_ text: String) -> Bool {
        text.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
    }
}

extension [PolicyStatement] {
    /// The most patterns that are compared with other resources; with more, only equal resources are left out.
    private static let mostPatterns = 1_000

    /// The statements without resources on which another statement, or another resource, allows the same.
    ///
    /// The statements together allow exactly what they allowed before, in fewer characters.
    var withoutRepetition: [PolicyStatement] {
        let patterns = enumerated().flatMap { index, statement -> [(statement: Int, text: [UInt8])] in
            statement.resources.filter(ResourcePattern.isPattern).map { (index, [UInt8]($0.utf8)) }
        }
        let isFew = patterns.count <= Self.mostPatterns
        let actions = map { Set($0.actions) }
        let resources = map { Set($0.resources) }
        /// Whether a statement allows at least what another one allows.
        func allows(_ other: Int, asMuchAs index: Int) -> Bool {
            self[other].conditions == self[index].conditions && actions[other].isSuperset(of: actions[index])
        }
        return enumerated().compactMap { index, statement in
            let wider = indices.filter { allows($0, asMuchAs: index) }
            // Of two that allow the same, the earlier one stays.
            let equal = wider.filter { $0 != index && (actions[$0] != actions[index] || $0 < index) }
            let candidates = isFew ? patterns.filter { wider.contains($0.statement) } : []
            var less = statement
            less.resources.removeAll { resource in
                if equal.contains(where: { resources[$0].contains(resource) }) { return true }
                guard !candidates.isEmpty else { return false }
                let text = [UInt8](resource.utf8)
                return candidates.contains { $0.text != text && ResourcePattern.covers($0.text, text) }
            }
            return less.resources.isEmpty ? nil : less
        }
    }
}

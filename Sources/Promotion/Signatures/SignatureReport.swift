package import Content

/// What a search for signatures found, and what each of them is worth.
package struct SignatureReport: Sendable, Hashable {
    /// One signature.
    package struct Entry: Sendable, Hashable {
        /// The manifest that it is about.
        package var subject: Digest
        /// The form in words, such as `cosign tag`.
        package var form: String
        /// The manifest that it was read from.
        package var manifest: Digest
        /// What is the same wherever the signature is copied to.
        package var identity: String
        /// For each key that it fits, by place: who signed, in words.
        package var signers: [Int: String] = [:]
        /// Why it fits no key; the most serious reason of those for each key.
        package var problem: SignatureProblem?

        mutating func add(_ place: Int, _ verify: () throws(SignatureProblem) -> String) {
            do throws(SignatureProblem) {
                signers[place] = try verify()
            } catch {
                guard let known = problem else { return problem = error }
                if error.kind.weight > known.kind.weight { problem = error }
            }
        }
    }

    /// The keys, as the user wrote them.
    package var keys: [String]
    /// The keys that are not available, by place, with the reason.
    package var missingKeys: [Int: String] = [:]
    /// The manifests that must be signed.
    package var subjects: [Digest] = []
    package var entries: [Entry] = []
    /// What could not be read.
    package var problems: [SignatureProblem] = []

    /// The repository that trust policies were looked up by.
    package var repository: String

    init(keys: [String], repository: String) { (self.keys, self.repository) = (keys, repository) }

    /// Whether a key signed a manifest.
    func isSigned(_ subject: Digest, by place: Int) -> Bool {
        entries.contains { $0.subject == subject && $0.signers[place] != nil }
    }

    /// The signatures that fit a key.
    package var verified: [Entry] { entries.filter { !$0.signers.isEmpty } }

    /// The gate's decision.
    package var decision: GateDecision {
        var missing: [(key: String, subject: Digest)] = []
        for place in keys.indices where missingKeys[place] == nil {
            missing += subjects.filter { !isSigned($0, by: place) }.map { (keys[place], $0) }
        }
        let result: GateDecision.Result
        let reason: String
        if keys.isEmpty || subjects.isEmpty {
            (result, reason) = (
                .unknown, keys.isEmpty ? "no key is given" : "the index has no image that could be signed"
            )
        } else if let lack = missing.first {
            let isUndecided =
                !problems.isEmpty || entries.contains { $0.signers.isEmpty && $0.problem?.kind == .undecided }
            result = isUndecided ? .unknown : .failed
            let others = missing.count > 1 ? ", and \(missing.count - 1) more are missing" : ""
            let refused = entries.first {
                $0.subject == lack.subject && $0.signers.isEmpty && $0.problem?.kind == .refused
            }
            let why = refused?.problem.map { "; one is refused: \($0.reason)" } ?? ""
            let doubt = isUndecided ? "; not everything could be read" : ""
            reason = "\(lack.subject) is not signed by '\(quotable(lack.key, upTo: 200))'\(others)\(why)\(doubt)"
        } else if let (place, problem) = missingKeys.min(by: { $0.key < $1.key }) {
            (result, reason) = (.unknown, "the key '\(quotable(keys[place], upTo: 200))' is not available: \(problem)")
        } else {
            let count = verified.count
            (result, reason) = (.passed, "\(count == 1 ? "1 signature fits" : "\(count) signatures fit")")
        }
        return GateDecision(
            SignatureGate.name,
            result,
            reason,
            evidence: evidence,
            remedy: result == .passed ? nil : "sign the image, or give the key that signed it"
        )
    }

    /// The most signatures that a decision shows.
    private static let mostShown = 100

    private var evidence: [GateDecision.Evidence] {
        // Those that fit come first, so that a flood of others doesn't hide them.
        let ordered = verified + entries.filter { $0.signers.isEmpty }
        let shown = ordered.prefix(Self.mostShown).map { entry in
            let signers = entry.signers.sorted { $0.key < $1.key }
                .map { "by '\(quotable(keys[$0.key], upTo: 200))' (\($0.value))" }
            let words =
                signers.isEmpty ? entry.problem?.reason ?? "no key to verify it with" : signers.joined(separator: ", ")
            return GateDecision.Evidence("\(entry.form): \(words)", digest: entry.manifest)
        }
        return shown + problems.prefix(Self.mostShown).map { GateDecision.Evidence($0.reason) }
    }
}

extension SignatureProblem.Kind {
    /// The more, the more a user should see it.
    fileprivate var weight: Int {
        switch self {
        case .otherSigner: 0
        case .undecided: 1
        case .refused: 2
        }
    }
}

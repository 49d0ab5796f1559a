package import Content

extension CopyDocument {
    /// What all gates decided about one image.
    package struct GateReport: Encodable, Sendable {
        package var image: String
        package var digest: Digest
        /// Whether every gate passed.
        package var passed: Bool
        package var gates: [Gate]

        package init(image: String, digest: Digest, passed: Bool, gates: [Gate]) {
            (self.image, self.digest, self.passed, self.gates) = (image, digest, passed, gates)
        }
    }

    /// What one gate decided.
    package struct Gate: Encodable, Sendable {
        package var gate: String
        /// `passed`, `failed` or `unknown`.
        package var result: String
        package var reason: String
        package var evidence: [Evidence]
        package var remedy: String?

        package init(gate: String, result: String, reason: String, evidence: [Evidence], remedy: String?) {
            (self.gate, self.result, self.reason) = (gate, result, reason)
            (self.evidence, self.remedy) = (evidence, remedy)
        }
    }

    /// One thing that a decision rests on.
    package struct Evidence: Encodable, Sendable {
        package var text: String
        /// The manifest or blob that it was read from, if it is one.
        package var digest: Digest?

        package init(text: String, digest: Digest?) { (self.text, self.digest) = (text, digest) }
    }
}

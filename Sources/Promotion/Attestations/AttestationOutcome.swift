internal import Content

/// What was found for one requirement.
struct AttestationOutcome {
    enum Part {
        /// It meets the requirement, for these manifests.
        case met(String, Digest, Set<Digest>)
        case unmet(SignatureProblem, Digest)
    }

    /// The most attestations of each kind that a decision shows.
    static let mostShown = 50

    /// The image; `nil` if only its children count.
    private let image: Digest?
    /// The images of an index.
    private let children: Set<Digest>
    private var met: [GateDecision.Evidence] = []
    private var covered: Set<Digest> = []
    private var others: [(problem: SignatureProblem, digest: Digest)] = []
    /// Whether something could not be read.
    private var isIncomplete = false
    /// Why nothing could be checked.
    var problem: String?

    init(image: Digest?, children: Set<Digest>) { (self.image, self.children) = (image, children) }

    mutating func add(_ part: Part?) {
        switch part {
        case .met(let text, let digest, let subjects)?:
            covered.formUnion(subjects)
            if met.count < Self.mostShown { met.append(.init(text, digest: digest)) }
        case .unmet(let problem, let digest)?:
            if problem.kind == .undecided { isIncomplete = true }
            if others.count < Self.mostShown { others.append((problem, digest)) }
        case nil: break
        }
    }

    mutating func complete(_ problems: [SignatureProblem]) {
        if !problems.isEmpty { isIncomplete = true }
    }

    /// What is missing, and whether it is so because something could not be read; `nil` if nothing is.
    var lack: (text: String, isUnknown: Bool)? {
        if let problem { return (problem, true) }
        if let image, covered.contains(image) { return nil }
        if !children.isEmpty, covered.isSuperset(of: children) { return nil }
        let missing = covered.isEmpty ? "there is none" : "some images of the index have none"
        let refused = others.first { $0.problem.kind == .refused } ?? others.first
        let reason = refused.map { "\(missing) that counts: \($0.problem.reason)" } ?? missing
        return (isIncomplete ? "\(reason); not everything could be read" : reason, isIncomplete)
    }

    var evidence: [GateDecision.Evidence] {
        met + others.map { GateDecision.Evidence($0.problem.reason, digest: $0.digest) }
    }
}

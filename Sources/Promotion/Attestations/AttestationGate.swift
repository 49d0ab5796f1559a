internal import Content

/// Requires attestations about an image: bills of materials, provenance, or any other predicate.
///
/// With a key an attestation counts if that key signed it. Without one any attestation counts and is reported as
/// unsigned, BuildKit's in the index among them: that shows that the document is there, not that it is true.
///
/// - Source: docs/facts/signatures.md#statements
package struct AttestationGate: Gate {
    package static let name = "attestation"
    package var name: String { Self.name }

    /// Every one of these must be met.
    package var requirements: [AttestationRequirement]
    /// What a provenance must say.
    ///
    /// It adds the requirement of a provenance if there is none.
    package var provenance: ProvenanceExpectation
    /// Whether each child of an index must have the attestations, instead of the index.
    package var attestsChildren: Bool
    package var loader: (any SignatureKeyLoading)?

    package init(
        requirements: [AttestationRequirement],
        provenance: ProvenanceExpectation = ProvenanceExpectation(),
        attestsChildren: Bool = false,
        loader: (any SignatureKeyLoading)? = nil
    ) {
        self.requirements = requirements
        if !provenance.isEmpty, !requirements.contains(where: { $0.type.isProvenance }) {
            self.requirements.append(AttestationRequirement(type: .provenance, key: nil))
        }
        (self.provenance, self.attestsChildren, self.loader) = (provenance, attestsChildren, loader)
    }

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        let images = Set(candidate.root.children.filter(\.isRunnable).map(\.digest))
        let onChildren = attestsChildren && candidate.root.kind == .index
        var outcomes = requirements.map { _ in
            AttestationOutcome(image: onChildren ? nil : candidate.digest, children: images)
        }
        // A run fetches keys with the identity of its source.
        let loader = loader ?? candidate.source as? any SignatureKeyLoading
        var keys: [[TrustedKey]?] = []
        for (place, requirement) in requirements.enumerated() {
            do {
                guard let key = requirement.key else {
                    keys.append(nil)
                    continue
                }
                keys.append(try await LoadedKey(key, loader).keys)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                keys.append([])
                outcomes[place].problem = "the key is not available: \(printable("\(error)", upTo: 300))"
            }
        }
        let search = AttestationSearch(candidate: candidate)
        let problems = try await search.forEach(
            requirements.map(\.type),
            of: onChildren ? images.sorted() : [candidate.digest]
        ) { attestation in
            for place in requirements.indices {
                outcomes[place].add(check(attestation, requirements[place], keys[place]))
            }
        }
        for place in outcomes.indices { outcomes[place].complete(problems) }
        return decision(outcomes, problems)
    }

    /// Checks whether an attestation meets a requirement.
    ///
    /// - Parameter keys: `nil` if an unsigned one is enough.
    /// - Returns: `nil` if it is of another type.
    private func check(
        _ attestation: FoundAttestation,
        _ requirement: AttestationRequirement,
        _ keys: [TrustedKey]?
    ) -> AttestationOutcome.Part? {
        do throws(SignatureProblem) {
            switch attestation.content {
            case .problem(let problem): throw problem
            case .document(let type):
                guard requirement.type.artifactTypes.contains(type) else { return nil }
                let words = "'\(quotable(type, upTo: 200))', unsigned"
                guard keys == nil else { throw SignatureProblem(.otherSigner, words) }
                return .met(words, attestation.manifest, attestation.subjects)
            case .statement(let bytes):
                let statement = try InTotoStatement(json: bytes)
                guard requirement.type.includes(statement.predicateType) else { return nil }
                guard keys == nil else {
                    throw SignatureProblem(.otherSigner, "\(Self.words(statement.predicateType)), unsigned")
                }
                return try met(attestation, statement, bytes, requirement, "unsigned")
            case .envelope(let envelope, let isKeyless):
                guard let keys else {
                    let statement = try InTotoStatement(of: envelope)
                    guard requirement.type.includes(statement.predicateType) else { return nil }
                    let words = "its signature not verified: no key is given"
                    return try met(attestation, statement, envelope.payload, requirement, words)
                }
                guard let key = keys.first(where: { envelope.isSigned(by: $0.key) }) else {
                    // It can't be believed that it is of another type, but then it is none of the wanted ones either.
                    if let other = try? InTotoStatement(of: envelope), !requirement.type.includes(other.predicateType) {
                        return nil
                    }
                    throw isKeyless ? .keyless : .otherSigner
                }
                let statement = try InTotoStatement(of: envelope)
                guard requirement.type.includes(statement.predicateType) else { return nil }
                let words = "signed by '\(quotable(key.name, upTo: 200))'"
                return try met(attestation, statement, envelope.payload, requirement, words)
            }
        } catch {
            return .unmet(error, attestation.manifest)
        }
    }

    /// Checks what a statement of the right type says.
    private func met(
        _ attestation: FoundAttestation,
        _ statement: InTotoStatement,
        _ bytes: [UInt8],
        _ requirement: AttestationRequirement,
        _ trust: String
    ) throws(SignatureProblem) -> AttestationOutcome.Part {
        let about = attestation.subjects.filter(statement.isAbout)
        guard !about.isEmpty else {
            throw .otherImage(statement.subjects.sorted().first.map { "sha256:\($0)" } ?? "no image")
        }
        var words = "\(Self.words(statement.predicateType)), \(trust)"
        if requirement.type.isProvenance, !provenance.isEmpty { words += ", \(try provenance.check(bytes))" }
        return .met(words, attestation.manifest, about)
    }

    private static func words(_ predicateType: String) -> String { "'\(quotable(predicateType, upTo: 200))'" }

    private func decision(_ outcomes: [AttestationOutcome], _ problems: [SignatureProblem]) -> GateDecision {
        var evidence: [GateDecision.Evidence] = []
        var unmet: (text: String, isUnknown: Bool)?
        for (requirement, outcome) in zip(requirements, outcomes) {
            evidence += outcome.evidence
            guard let lack = outcome.lack else { continue }
            // What certainly fails is said before what could not be decided.
            if unmet == nil || unmet?.isUnknown == true && !lack.isUnknown {
                unmet = ("'\(quotable(requirement.argument, upTo: 300))': \(lack.text)", lack.isUnknown)
            }
        }
        evidence += problems.prefix(AttestationOutcome.mostShown).map { GateDecision.Evidence($0.reason) }
        guard !outcomes.isEmpty else { return GateDecision(name, .unknown, "no attestation is named") }
        guard let unmet else {
            let count = outcomes.count
            let reason = count == 1 ? "the attestation is there" : "\(count) attestations are there"
            return GateDecision(name, .passed, reason, evidence: evidence)
        }
        return GateDecision(
            name,
            unmet.isUnknown ? .unknown : .failed,
            unmet.text,
            evidence: evidence,
            remedy: "attach the attestation to the image, or give the key that signed it"
        )
    }
}

internal import Content
package import FoundationEssentials
internal import Platform

/// Requires that an image is signed, by each of the given keys.
///
/// Signatures are verified here, without asking a service: cosign's under its tag, as its experimental referrer and in
/// Sigstore bundles, and the Notary Project's. A signature by another key is no error where one fits. Keyless
/// signatures are not verified (docs/signatures.md).
///
/// - Source: docs/facts/signatures.md
package struct SignatureGate: Gate {
    package static let name = "signature"
    package var name: String { Self.name }

    /// Every one of these must have signed.
    package var keys: [SignatureKey]
    /// Whether each child of an index must be signed, instead of the index.
    package var signsChildren: Bool
    /// Identities that are trusted beside those of a trust policy: `x509.subject: …`, or ARNs of signing profiles.
    package var identities: [String]
    package var loader: (any SignatureKeyLoading)?
    package var now: @Sendable () -> Date

    package init(
        keys: [SignatureKey],
        signsChildren: Bool = false,
        identities: [String] = [],
        loader: (any SignatureKeyLoading)? = nil,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        (self.keys, self.signsChildren, self.identities) = (keys, signsChildren, identities)
        (self.loader, self.now) = (loader, now)
    }

    package func decide(about candidate: GateCandidate) async throws -> GateDecision {
        try await examine(candidate).decision
    }

    /// Looks at all signatures of an image and says what each of them is.
    ///
    /// - Throws: `CancellationError` only.
    package func examine(_ candidate: GateCandidate) async throws -> SignatureReport {
        try await examine(candidate, as: candidate.image.bare.description)
    }

    /// - Parameter repository: The repository that trust policies are looked up by.
    func examine(_ candidate: GateCandidate, as repository: String) async throws -> SignatureReport {
        var report = SignatureReport(keys: keys.map(\.argument), repository: repository)
        // A run fetches keys with the identity of its source.
        let loader = loader ?? candidate.source as? any SignatureKeyLoading
        var loaded: [LoadedKey?] = []
        for (place, key) in keys.enumerated() {
            do {
                loaded.append(try await LoadedKey(key, loader))
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                loaded.append(nil)
                report.missingKeys[place] = printable("\(error)", upTo: 300)
            }
        }
        let search = SignatureSearch(source: candidate.source)
        for manifest in try await subjects(of: candidate, &report) {
            let found = try await search.find(.signatures, of: manifest.digest)
            report.problems += found.problems
            for signature in found.found {
                try Task.checkCancellation()
                var entry = SignatureReport.Entry(
                    subject: manifest.digest,
                    form: signature.form.rawValue,
                    manifest: signature.manifest,
                    identity: signature.identity
                )
                do {
                    let bytes = try await search.bytes(of: signature)
                    for (place, key) in loaded.enumerated() {
                        guard let key else { continue }
                        entry.add(place) { () throws(SignatureProblem) in
                            try verify(signature, bytes, about: manifest, key, in: repository)
                        }
                    }
                } catch let problem as SignatureProblem {
                    entry.problem = problem
                }
                report.entries.append(entry)
            }
        }
        return report
    }

    /// The manifests that must be signed.
    private func subjects(of candidate: GateCandidate, _ report: inout SignatureReport) async throws -> [Manifest] {
        var digests = [candidate.digest]
        if signsChildren, candidate.root.kind == .index {
            digests = candidate.root.children.filter(\.isRunnable).map(\.digest)
        }
        var subjects: [Manifest] = []
        for digest in digests {
            report.subjects.append(digest)
            if digest == candidate.digest, !candidate.root.isOutline {
                subjects.append(candidate.root)
                continue
            }
            do {
                guard let manifest = try await candidate.source.manifest(digest) else {
                    throw SignatureProblem(.undecided, "it is not there")
                }
                subjects.append(manifest)
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                report.problems.append(.unreadable("the manifest \(digest)", error))
            }
        }
        return subjects
    }

    /// Verifies one signature with one key.
    ///
    /// - Returns: Who signed, in words for people.
    private func verify(
        _ found: SignatureSearch.Found,
        _ bytes: [UInt8],
        about manifest: Manifest,
        _ key: LoadedKey,
        in repository: String
    ) throws(SignatureProblem) -> String {
        switch (found.form, key) {
        case (.tag, .keys(let keys)), (.referrer, .keys(let keys)):
            guard found.layer.mediaType == SimpleSigning.layerType else { throw .refused("the layer is no signature") }
            let key = try SimpleSigning.verify(bytes, of: found.layer, about: manifest.digest, with: keys)
            return "\(key.key.kind)"
        case (.bundle, .keys(let keys)):
            let (key, statement) = try SigstoreBundle(json: bytes).verify(about: manifest, with: keys)
            guard statement.map({ $0.predicateType == InTotoStatement.cosignSignature }) ?? true else {
                throw .otherSigner(statement?.predicateType)
            }
            return "\(key.key.kind)"
        case (.notation, .store(let store)):
            return try store.verify(
                NotationSignature(bytes, type: found.layer.mediaType),
                of: manifest.descriptor,
                in: repository,
                identities: identities,
                now: Int64(now().timeIntervalSince1970)
            ).text
        default: throw .otherSigner
        }
    }
}

extension SignatureSearch.Wanted {
    /// Signatures in every form.
    static let signatures = Self(suffix: "sig", layerTypes: [SimpleSigning.layerType]) { type in
        if type == SimpleSigning.artifactType { return .referrer }
        if type == NotationSignature.artifactType { return .notation }
        return type.hasPrefix(SigstoreBundle.typePrefix) ? .bundle : nil
    }
}

extension SignatureProblem {
    /// A bundle that holds an attestation and no signature.
    fileprivate static func otherSigner(_ predicateType: String?) -> SignatureProblem {
        SignatureProblem(.otherSigner, "an attestation '\(quotable(predicateType ?? "", upTo: 100))' and no signature")
    }
}

internal import Content

/// An attestation that was found, as far as it could be read.
struct FoundAttestation {
    enum Content {
        case envelope(DSSEEnvelope, isKeyless: Bool)
        /// A statement that nothing signs.
        case statement([UInt8])
        /// A referrer that is no statement but a document itself, such as a bill of materials; it is not read.
        case document(artifactType: String)
        case problem(SignatureProblem)
    }

    /// The manifest that it was read from.
    var manifest: Digest
    /// The manifests that it may be about.
    var subjects: Set<Digest>
    var content: Content
}

/// Finds the attestations of an image: under cosign's tag, among the referrers, and BuildKit's in the index.
struct AttestationSearch {
    var candidate: GateCandidate

    private static let envelopeType = MediaType(DSSEEnvelope.mediaType)
    private static let statementType = MediaType(DSSEEnvelope.statementType)

    private static func wanted(_ types: [AttestationType]) -> SignatureSearch.Wanted {
        let documents = types.reduce(into: Set<String>()) { $0.formUnion($1.artifactTypes) }
        return .init(suffix: "att", layerTypes: [envelopeType]) { type in
            if type == DSSEEnvelope.statementType || type == DSSEEnvelope.mediaType { return .statement }
            if documents.contains(type) { return .document }
            return type.hasPrefix(SigstoreBundle.typePrefix) ? .bundle : nil
        }
    }

    /// Hands out the attestations one after the other, because together they may be large.
    ///
    /// - Parameters:
    ///   - types: The types whose documents count without a statement.
    ///   - subjects: The manifests that attestations are looked for.
    /// - Returns: What could not be read.
    /// - Throws: `CancellationError` only.
    func forEach(
        _ types: [AttestationType],
        of subjects: [Digest],
        _ body: (FoundAttestation) -> Void
    ) async throws -> [SignatureProblem] {
        let search = SignatureSearch(source: candidate.source)
        var problems: [SignatureProblem] = []
        for subject in subjects {
            let listed = try await search.find(Self.wanted(types), of: subject)
            problems += listed.problems
            var documents: Set<Digest> = []
            for entry in listed.found {
                try Task.checkCancellation()
                switch entry.form {
                case .document:
                    // Such a referrer is one document, however many files it has.
                    guard documents.insert(entry.manifest).inserted else { continue }
                case .statement:
                    guard [Self.envelopeType, Self.statementType].contains(entry.layer.mediaType) else { continue }
                default: break
                }
                body(try await read(entry, search, about: [subject]))
            }
        }
        problems += try await forEachOfBuildKit(search, body)
        return problems
    }

    private func read(
        _ entry: SignatureSearch.Found,
        _ search: SignatureSearch,
        about subjects: Set<Digest>
    ) async throws -> FoundAttestation {
        let content: FoundAttestation.Content
        do {
            content =
                entry.form == .document
                ? .document(artifactType: entry.artifactType)
                : try Self.content(of: entry, try await search.bytes(of: entry))
        } catch let problem as SignatureProblem {
            content = .problem(problem)
        }
        return FoundAttestation(manifest: entry.manifest, subjects: subjects, content: content)
    }

    private static func content(
        of entry: SignatureSearch.Found,
        _ bytes: [UInt8]
    ) throws(SignatureProblem) -> FoundAttestation.Content {
        if entry.form == .bundle {
            let bundle = try SigstoreBundle(json: bytes)
            guard case .envelope(let envelope) = bundle.content else {
                throw SignatureProblem(.otherSigner, "a signature and no attestation")
            }
            return .envelope(envelope, isKeyless: bundle.isKeyless)
        }
        guard entry.layer.mediaType == envelopeType else { return .statement(bytes) }
        let isKeyless = entry.layer.annotations[SimpleSigning.certificateAnnotation] != nil
        return .envelope(try DSSEEnvelope(json: bytes), isKeyless: isKeyless)
    }

    /// Hands out the statements that BuildKit keeps in the index, in a child beside each image.
    ///
    /// - Source: docs/facts/image-formats.md#attestations-of-buildkit
    private func forEachOfBuildKit(
        _ search: SignatureSearch,
        _ body: (FoundAttestation) -> Void
    ) async throws -> [SignatureProblem] {
        var problems: [SignatureProblem] = []
        var rest = SignatureLimits.imageByteCount
        for child in candidate.root.children.filter(\.isAttestation).prefix(SignatureLimits.manifests) {
            try Task.checkCancellation()
            guard let text = child.annotations["vnd.docker.reference.digest"], let image = try? Digest(parsing: text)
            else {
                continue
            }
            do {
                guard let manifest = try await candidate.source.manifest(child.digest) else { continue }
                let layers = manifest.layers.filter { $0.mediaType == Self.statementType }
                for layer in layers.prefix(SignatureLimits.signatures) {
                    rest -= min(layer.size, Int64(SignatureLimits.blobByteCount))
                    guard rest >= 0 else {
                        throw SignatureProblem(.undecided, "there are too many to read all of them")
                    }
                    let entry = SignatureSearch.Found(
                        form: .statement,
                        artifactType: DSSEEnvelope.statementType,
                        manifest: child.digest,
                        layer: layer
                    )
                    body(try await read(entry, search, about: [image]))
                }
            } catch is CancellationError {
                throw CancellationError()
            } catch {
                problems.append(.unreadable("the attestations \(child.digest)", error))
            }
        }
        return problems
    }
}

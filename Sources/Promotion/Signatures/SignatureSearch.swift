internal import Content

/// Finds the signatures and attestations of an image: under cosign's tags and among its referrers.
///
/// - Source: docs/facts/signatures.md#where-signatures-are
struct SignatureSearch {
    /// A layer of a manifest that may be a signature or an attestation.
    struct Found: Sendable {
        enum Form: String, Sendable {
            case tag = "cosign tag"
            case referrer = "cosign referrer"
            case bundle = "Sigstore bundle"
            case notation = "Notation"
            /// An envelope or a statement that is a referrer by itself.
            case statement = "in-toto referrer"
            case document = "SBOM referrer"
        }

        var form: Form
        /// The artifact type of the manifest; empty under a tag.
        var artifactType = ""
        var manifest: Digest
        var layer: Descriptor

        /// What is the same wherever the signature is copied to.
        var identity: String { "\(layer.digest) \(layer.annotations[SimpleSigning.signatureAnnotation] ?? "")" }
    }

    struct Result: Sendable {
        var found: [Found] = []
        /// What could not be read.
        var problems: [SignatureProblem] = []
        /// How much more may be read, in bytes.
        fileprivate var rest = SignatureLimits.imageByteCount

        /// Adds what is within the limits, and notes what isn't.
        fileprivate mutating func add(_ entries: [Found]) {
            for (place, entry) in entries.enumerated() {
                // A large one is not read and costs nothing.
                let size = entry.layer.size > SignatureLimits.blobByteCount ? 0 : entry.layer.size
                guard found.count < SignatureLimits.signatures, rest >= size else {
                    let left =
                        "\(entry.manifest) has \(entries.count - place) signatures that were not read: there are too many"
                    return problems.append(SignatureProblem(.undecided, left))
                }
                rest -= size
                found.append(entry)
            }
        }
    }

    /// What is looked for.
    struct Wanted: Sendable {
        /// The end of cosign's tag, `sig` or `att`.
        var suffix: String
        /// The media types of a tag's layers.
        var layerTypes: Set<MediaType>
        /// The form of a referrer with this artifact type; `nil` if it is something else.
        var form: @Sendable (_ artifactType: String) -> Found.Form?
    }

    var source: any GateSource

    /// - Throws: `CancellationError` only.
    func find(_ wanted: Wanted, of subject: Digest) async throws -> Result {
        var result = Result()
        await collect("the referrers", &result) { result in
            try await addReferrers(wanted, of: subject, &result)
        }
        try Task.checkCancellation()
        let name = "sha256-\(subject.hex).\(wanted.suffix)"
        await collect("the tag '\(name)'", &result) { result in
            guard let manifest = try await source.manifest(tagged: try Tag(parsing: name)) else { return }
            let layers = manifest.layers.filter { wanted.layerTypes.contains($0.mediaType) }
            add(layers, as: .tag, of: manifest, &result)
        }
        try Task.checkCancellation()
        return result
    }

    /// Runs one part of the search; an error becomes a problem.
    private func collect(
        _ what: String,
        _ result: inout Result,
        _ body: (inout Result) async throws -> Void
    ) async {
        do {
            try await body(&result)
        } catch {
            result.problems.append(.unreadable(what, error))
        }
    }

    private func addReferrers(_ wanted: Wanted, of subject: Digest, _ result: inout Result) async throws {
        var listed = try await source.referrers(of: subject)
        if listed == nil {
            // A registry without the list keeps it under a tag (OCI distribution-spec 1.1, "Referrers tag schema").
            listed = try await source.manifest(tagged: try Tag(parsing: "sha256-\(subject.hex)"))?.entries
        }
        var seen: Set<Digest> = []
        // The type is not always in the list; then the manifest says it.
        let candidates = (listed ?? []).filter { referrer in
            seen.insert(referrer.digest).inserted
                && (referrer.artifactType.map { $0.isEmpty || wanted.form($0) != nil } ?? true)
        }
        if candidates.count > SignatureLimits.manifests {
            let problem =
                "\(candidates.count) referrers may be signatures; \(SignatureLimits.manifests) of them were read"
            result.problems.append(SignatureProblem(.undecided, problem))
        }
        for referrer in candidates.prefix(SignatureLimits.manifests) {
            try Task.checkCancellation()
            await collect("the referrer \(referrer.digest)", &result) { result in
                guard let manifest = try await source.manifest(referrer.digest), manifest.subject?.digest == subject,
                    let form = manifest.artifactType.flatMap(wanted.form)
                else { return }
                if form == .bundle || form == .notation, manifest.layers.count != 1 {
                    throw SignatureProblem.refused("it has \(manifest.layers.count) layers; a signature has one")
                }
                add(manifest.layers, as: form, of: manifest, &result)
            }
        }
    }

    private func add(_ layers: [Descriptor], as form: Found.Form, of manifest: Manifest, _ result: inout Result) {
        let type = form == .tag ? "" : manifest.artifactType ?? ""
        result.add(layers.map { Found(form: form, artifactType: type, manifest: manifest.digest, layer: $0) })
    }

    /// The bytes of a signature or an attestation.
    ///
    /// - Throws: ``SignatureProblem`` or `CancellationError`.
    func bytes(of found: Found) async throws -> [UInt8] {
        if let known = found.layer.knownContent, Digest(of: known) == found.layer.digest { return known }
        let limit = SignatureLimits.blobByteCount
        guard found.layer.size <= limit else {
            throw SignatureProblem(.undecided, "it has \(found.layer.size) bytes; at most \(limit) are read")
        }
        do {
            return try await source.blob(found.layer, upTo: limit)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw SignatureProblem.unreadable("the blob \(found.layer.digest)", error)
        }
    }
}

extension SignatureProblem {
    /// A problem with the registry's answer, or with what it holds.
    static func unreadable(_ what: String, _ error: any Error) -> SignatureProblem {
        if let problem = error as? SignatureProblem {
            return SignatureProblem(problem.kind, "\(what): \(problem.reason)")
        }
        return SignatureProblem(.undecided, "\(what) can't be read: \(printable("\(error)", upTo: 300))")
    }
}

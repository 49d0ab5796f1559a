package import Content
internal import ECRAPI
internal import FoundationEssentials
package import Platform
package import Replicate

/// Admits the images that pass all gates, and keeps what the gates said.
package final class GateAdmission: ImageAdmission {
    let gates: GateSet
    private let announce: @Sendable (GateReport) -> Void
    private let kept = Lock<[GateReport]>([])
    private let noted = Lock<[String]>([])
    private let asked = Lock<RunSource?>(nil)
    private let keepsReports: Bool

    /// - Parameters:
    ///   - keepsReports: Whether ``reports`` has every report; a run over thousands of images keeps none.
    ///   - announce: Called with each report as soon as it is known, on any thread.
    package init(
        _ gates: GateSet,
        keepsReports: Bool = true,
        announce: @escaping @Sendable (GateReport) -> Void = { _ in }
    ) {
        (self.gates, self.keepsReports, self.announce) = (gates, keepsReports, announce)
    }

    /// What the gates said, in the order in which images were decided.
    package var reports: [GateReport] { kept.withLock { $0 } }

    /// What the gates said last about an image.
    package func report(of digest: Digest) -> GateReport? { kept.withLock { $0.last { $0.digest == digest } } }

    /// Fetches keys with the identity of a source, once an image was decided.
    var keyLoader: (any SignatureKeyLoading)? { asked.withLock { $0 } }

    /// What to tell the user about the copies, each text once.
    package var notes: [String] { noted.withLock { $0 } }

    func note(_ texts: [String]) {
        noted.withLock { known in known += texts.filter { !known.contains($0) } }
    }

    package func refusals(of candidate: AdmissionCandidate) async throws -> [CopyError] {
        let source = RunSource(candidate.source)
        asked.withLock { $0 = source }
        let report = try await gates.evaluate(
            GateCandidate(image: candidate.image, tags: candidate.tags, root: candidate.root, source: source)
        )
        // The copy's signatures are compared with those of the source.
        if keepsReports || report.signatures != nil { kept.withLock { $0.append(report) } }
        announce(report)
        return [report.refusal].compactMap { $0 }
    }
}

/// The source repository of a run, as gates read it.
package struct RunSource: GateSource {
    private let access: SourceAccess

    package init(_ access: SourceAccess) { self.access = access }

    package func manifest(_ digest: Digest) async throws -> Manifest? { try await access.manifest(digest) }

    package func manifest(tagged tag: Tag) async throws -> Manifest? { try await access.manifest(tagged: tag) }

    package func referrers(of digest: Digest) async throws -> [Descriptor]? { try await access.referrers(of: digest) }

    package func blob(_ descriptor: Descriptor, upTo limit: Int) async throws -> [UInt8] {
        try await access.blob(descriptor, upTo: limit)
    }

    package var facts: (any GateFacts)? { access.isECR ? RunFacts(access: access) : nil }
}

/// What ECR knows about the images of a run's source.
private struct RunFacts: GateFacts {
    let access: SourceAccess

    func pushTime(of digest: Digest) async throws -> Date? { try await access.pushTime(of: digest) }

    func fixedTags() async throws -> TagImmutability? { try await access.fixedTags() }

    func readScan(
        of digest: Digest,
        pageSize: Int,
        _ page: (DescribeImageScanFindings.Response) throws -> Void
    ) async throws -> Bool {
        try await access.readScan(of: digest, pageSize: pageSize, page)
    }
}

extension RunSource: SignatureKeyLoading {
    /// Fetches a public key from KMS with the source's identity.
    package func publicKey(inKMS name: String) async throws -> PublicKey {
        guard let reference = try KMSKeyReference("\(KMSKeyReference.prefix)/\(name)") else {
            throw SignatureProblem(.undecided, "'\(quotable(name, upTo: 200))' is not the ARN of a key in KMS")
        }
        let answer = try await access.keyService(in: reference.region).send(GetPublicKey(keyID: reference.arn))
        return try PublicKey(spki: answer.publicKey)
    }
}

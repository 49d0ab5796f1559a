internal import Content
internal import Distribution
internal import Replicate
internal import Reporting

/// Checks of API calls that registries other than ECR need not support.
///
/// Each call is made, and the finding says what its answer means for a copy. A copy works without any of them, so a
/// call that the registry refuses is a warning, not a failure.
extension Doctor {
    /// - Parameter manifest: A manifest that the repository holds.
    func askOptionalQuestions(
        about manifest: Manifest,
        _ repository: RepositoryProbe,
        _ client: RegistryClient,
        _ examination: inout Examination
    ) async throws {
        noteLogin(repository, client, &examination)
        if referrers == .all { try await askForReferrers(of: manifest.digest, repository, &examination) }
        try await askWithHead(.digest(manifest.digest), repository, client, &examination)
        try await examine("tags", losing: "--all-tags, --match and ls need them", &examination) {
            try await client.answersTags(of: repository.reference.repository)
            return "can be listed"
        }
    }

    /// Makes the optional calls that a destination can answer even if it doesn't exist yet.
    func askOptionalQuestions(
        _ repository: RepositoryProbe,
        _ client: RegistryClient,
        _ examination: inout Examination
    ) async throws {
        noteLogin(repository, client, &examination)
        if referrers == .all { try await askForReferrers(of: Self.absentDigest, repository, &examination) }
        try await askWithHead(.digest(Self.absentDigest), repository, client, &examination)
    }

    /// Notes which login was sent to the registry, or that a login is stored and was not needed.
    private func noteLogin(_ repository: RepositoryProbe, _ client: RegistryClient, _ examination: inout Examination) {
        if let note = client.loginNote(of: repository.reference.repository) {
            examination.note(.ok, "login", note.text)
        } else if case .plain(let registry) = repository.reference.registry,
            let stored = opener.storedLogin(for: registry)
        {
            examination.note(.ok, "login", "the registry requires no login; the stored one (\(stored)) is not used")
        }
    }

    private func askForReferrers(
        of digest: Digest,
        _ repository: RepositoryProbe,
        _ examination: inout Examination
    ) async throws {
        let lost = "signatures, SBOMs and attestations may be left out"
        try await examine("referrers", losing: lost, &examination) {
            guard let list = try await repository.referrers(of: digest) else {
                return "this registry has no referrers API; referrers are kept under tags that begin with the digest"
            }
            if let interruption = list.interruption { throw interruption }
            let odd = list.oddEntries.isEmpty ? "" : "; \(list.oddEntries.count) of them can't be read"
            return "can be listed\(odd)"
        }
    }

    private func askWithHead(
        _ reference: ManifestReference,
        _ repository: RepositoryProbe,
        _ client: RegistryClient,
        _ examination: inout Examination
    ) async throws {
        try await examine("HEAD", losing: "existing manifests are checked with GET", &examination) {
            let tells = try await client.headTells(reference, of: repository.reference.repository)
            return tells ? "supported" : "not supported: GET is used"
        }
    }

    /// - Parameter lost: What a copy loses if the call doesn't work.
    private func examine(
        _ check: String,
        losing lost: String,
        _ examination: inout Examination,
        _ question: () async throws -> String
    ) async throws {
        examination.ask(check)
        do {
            examination.note(.ok, check, try await question())
        } catch let error where !(error is CancellationError) {
            let explained = CopyError(
                explaining: error,
                side: examination.side,
                subject: examination.subject,
                "asking for \(check)"
            )
            examination.note(.warning, check, "\(explained.cause): \(lost)", remedy: explained.remedy)
        }
    }
}

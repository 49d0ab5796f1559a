internal import Content
internal import Distribution
internal import Replicate
internal import Reporting

/// Questions that registries other than ECR need not answer: each is asked, and what follows from the answer is said.
///
/// None of them keeps a copy from being made, so none is a failure; what the registry refuses is a warning.
extension Doctor {
    /// - Parameter manifest: One that is there.
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

    /// What can be asked of a destination, which need not be there yet.
    func askOptionalQuestions(
        _ repository: RepositoryProbe,
        _ client: RegistryClient,
        _ examination: inout Examination
    ) async throws {
        noteLogin(repository, client, &examination)
        if referrers == .all { try await askForReferrers(of: Self.nobodysDigest, repository, &examination) }
        try await askWithHead(.digest(Self.nobodysDigest), repository, client, &examination)
    }

    /// Says which login the registry was shown, or that one is stored and was not needed.
    private func noteLogin(_ repository: RepositoryProbe, _ client: RegistryClient, _ examination: inout Examination) {
        if let note = client.loginNote(of: repository.reference.repository) {
            examination.note(.ok, "login", note.text)
        } else if case .plain(let registry) = repository.reference.registry,
            let stored = opener.storedLogin(for: registry)
        {
            examination.note(.ok, "login", "the registry asks for none; the stored one (\(stored)) is not used")
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
                return "this registry has no referrers API; they are kept under tags that begin with the digest"
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
        try await examine("HEAD", losing: "what is there is asked for with GET", &examination) {
            let tells = try await client.headTells(reference, of: repository.reference.repository)
            return tells ? "tells what is there" : "does not tell what is there: GET is used"
        }
    }

    /// - Parameter lost: What is lost where the question can't be answered.
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
                image: examination.image,
                "asking for \(check)"
            )
            examination.note(.warning, check, "\(explained.cause): \(lost)", remedy: explained.remedy)
        }
    }
}

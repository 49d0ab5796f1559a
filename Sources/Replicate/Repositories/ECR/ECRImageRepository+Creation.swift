internal import Content
internal import ECRAPI

/// Creates the repository, with ECR's defaults or like the source's repository.
extension ECRImageRepository {
    func create() async throws { _ = try await isCreated(NewRepository()) }

    func newRepository(like source: any ManifestReader, keys: [String: String]) async throws -> NewRepository? {
        guard let settings = try await source.settings() else { return .withoutSettings }
        do throws(UnsuitableKey) {
            return try NewRepository(like: settings, at: host, keys: keys)
        } catch {
            throw CopyError(.unsupported(error.reason), side: side, image: reference, operation: "planning the copy")
        }
    }

    /// Creates the repository with these settings; the policies are set right after it exists.
    ///
    /// A repository that exists already, because another client was faster, is not changed.
    ///
    /// - Returns: Notes about settings that could not be made: the repository exists by then, so the copy goes on.
    func create(_ new: NewRepository) async throws -> [String] {
        if new.words.isEmpty {
            try await create()
            return []
        }
        guard try await isCreated(new) else {
            return [
                "\(reference) was created meanwhile, so its settings stay as they are: check its lifecycle policy and "
                    + "its repository policy"
            ]
        }
        let (account, name) = (host.account, reference.repository)
        async let lifecycle = setting(
            new.lifecyclePolicy.map {
                PutLifecyclePolicy(registryId: account, repositoryName: name, lifecyclePolicyText: $0)
            },
            "lifecycle policy",
            by: "put-lifecycle-policy \(place.awsOptions) --lifecycle-policy-text file://FILE"
        )
        async let policy = setting(
            new.repositoryPolicy.map {
                SetRepositoryPolicy(registryId: account, repositoryName: name, policyText: $0)
            },
            "repository policy",
            by: "set-repository-policy \(place.awsOptions) --policy-text file://FILE"
        )
        return [try await lifecycle, try await policy].compactMap { $0 }
    }

    /// Makes one setting of the repository that was created.
    ///
    /// - Returns: What to do by hand if that fails, because a later run never changes the repository.
    private func setting<Operation: ECROperation>(
        _ operation: Operation?,
        _ name: String,
        by command: String
    ) async throws -> String? {
        guard let operation else { return nil }
        do {
            _ = try await explained(Operation.name) { try await api.send(operation) }
            return nil
        } catch let error as CopyError {
            return "\(reference) was created without its \(name), because \(Operation.name) failed: \(error.cause); "
                + "set it with: aws ecr \(command)"
        }
    }

    /// Sends the request that creates the repository.
    ///
    /// - Returns: Whether this run created it; `false` if another client did.
    private func isCreated(_ new: NewRepository) async throws -> Bool {
        try await explained("CreateRepository") {
            do {
                _ = try await api.send(
                    CreateRepository(
                        registryId: host.account,
                        repositoryName: reference.repository,
                        tags: new.tags.isEmpty ? nil : new.tags,
                        imageTagMutability: new.tagMutability,
                        imageTagMutabilityExclusionFilters: new.exclusionFilters,
                        imageScanningConfiguration: new.scanning,
                        encryptionConfiguration: new.encryption
                    )
                )
                return true
            } catch let error as ECRError where error.code == .repositoryAlreadyExists {
                return try await isUnfinished(new)
            }
        }
    }

    /// Whether a repository that was missing just now has these settings, and no policy that differs from theirs.
    ///
    /// Then this run created it, and the answer was lost (libcurl repeats such a request by itself), or another run did
    /// that creates it alike.
    ///
    /// - Returns: `false` also if the caller may not ask.
    private func isUnfinished(_ new: NewRepository) async throws -> Bool {
        guard !new.words.isEmpty else { return false }
        do {
            guard let found = try await settings() else { return false }
            return TagImmutability(found.tagMutability, found.exclusionFilters)
                == TagImmutability(new.tagMutability, new.exclusionFilters)
                && found.encryption?.encryptionType == new.encryption?.encryptionType
                && Set(found.tags) == Set(new.tags)
                && [nil, new.lifecyclePolicy].contains(found.lifecyclePolicy)
                && [nil, new.repositoryPolicy].contains(found.repositoryPolicy)
        } catch let error as CopyError where error.kind == .notPermitted {
            return false
        }
    }
}

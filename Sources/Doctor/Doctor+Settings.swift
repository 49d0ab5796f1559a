internal import Content
internal import ECRAPI
internal import Replicate

/// Checks what `--create-repository like-source` needs on both sides.
extension Doctor {
    /// Tries the permissions for reading the source's settings, and says with which settings a missing repository is
    /// created.
    func trySettings(
        of ecr: ECRProbe,
        for place: DestinationReference,
        _ examination: inout Examination
    ) async throws {
        let (account, name) = (ecr.host.account, ecr.name)
        let described = try await examination.permission("ecr:DescribeRepositories") {
            try await ecr.api.send(DescribeRepositories(registryId: account, repositoryNames: [name])).repositories
                .first
        }
        let tags = try await examination.permission("ecr:ListTagsForResource") {
            try await ecr.api.send(ListTagsForResource(resourceArn: ECRPlace(host: ecr.host, repository: name).arn))
                .tags
        }
        let lifecycle = try await examination.permission("ecr:GetLifecyclePolicy") {
            try await ecr.text(
                of: GetLifecyclePolicy(registryId: account, repositoryName: name),
                absent: .lifecyclePolicyNotFound,
                \.lifecyclePolicyText
            )
        }
        let policy = try await examination.permission("ecr:GetRepositoryPolicy") {
            try await ecr.text(
                of: GetRepositoryPolicy(registryId: account, repositoryName: name),
                absent: .repositoryPolicyNotFound,
                \.policyText
            )
        }
        guard let found = described, let repository = found, let tags, let lifecycle, let policy,
            case .ecr(let host) = place.registry
        else { return }
        let settings = RepositorySettings(
            of: repository,
            in: ecr.host,
            tags: tags,
            lifecyclePolicy: lifecycle,
            repositoryPolicy: policy
        )
        do throws(UnsuitableKey) {
            let new = try NewRepository(like: settings, at: host, keys: kmsKeys)
            let words = new.words.joined(separator: ", ")
            examination.note(.ok, "settings", "if the destination's repository is missing, it is created with \(words)")
            for note in new.notes { examination.note(.warning, "settings", note) }
        } catch {
            let refusal = CopyError(
                .unsupported(error.reason),
                side: examination.side,
                subject: examination.subject,
                operation: "planning the copy"
            )
            try examination.fail("settings", refusal, refusal.operation)
        }
    }

    /// Tries the permissions for the settings of a repository that is missing, with requests that can't succeed even if
    /// it is created meanwhile.
    func tryChangingSettings(of ecr: ECRProbe, _ examination: inout Examination) async throws {
        let (account, name) = (ecr.host.account, ecr.name)
        // A server may validate parameters before it checks permissions.
        let invalid: Set<ECRError.Code> = [.invalidParameter, .validation, .invalidTagParameter]
        _ = try await examination.permission("ecr:TagResource", silence: invalid) {
            try await ecr.api.send(
                TagResource(
                    resourceArn: ECRPlace(host: ecr.host, repository: name).arn,
                    tags: [.init(key: "aws:ecr-replicate", value: "doctor")]
                )
            )
        }
        _ = try await examination.permission("ecr:PutLifecyclePolicy", silence: invalid) {
            try await ecr.api.send(
                PutLifecyclePolicy(registryId: account, repositoryName: name, lifecyclePolicyText: Self.noPolicy)
            )
        }
        _ = try await examination.permission("ecr:SetRepositoryPolicy", silence: invalid) {
            try await ecr.api.send(
                SetRepositoryPolicy(registryId: account, repositoryName: name, policyText: Self.noPolicy)
            )
        }
    }

    /// A text that has the length of a policy and is none.
    private static let noPolicy = String(repeating: "not a policy ", count: 10)
}

extension ECRProbe {
    /// Returns a text that a repository may have; `nil` if it has none.
    fileprivate func text<Operation: ECROperation>(
        of operation: Operation,
        absent: ECRError.Code,
        _ text: (Operation.Response) -> String
    ) async throws -> String? {
        do {
            return text(try await api.send(operation))
        } catch let error as ECRError where error.code == absent {
            return nil
        }
    }
}

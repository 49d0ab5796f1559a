internal import AWSIdentity
internal import Content
internal import Distribution
internal import ECRAPI
internal import HTTPTypes
internal import IAMPolicies
internal import Replicate
internal import Wire

extension Doctor {
    /// Runs the checks that don't need the repository, and those that tell whether it may be created.
    ///
    /// Nothing is uploaded: a registry that creates repositories on push would create it.
    ///
    /// - Parameter hasToken: Whether a token was issued; `nil` if none was requested yet.
    func examineMissing(
        _ ecr: ECRProbe,
        _ caller: CallerIdentity?,
        movesLayers: Bool,
        hasToken: Bool? = nil,
        isLikeSource: Bool,
        _ examination: inout Examination
    ) async throws {
        if examination.createsRepository {
            let actions = Self.creating + (isLikeSource ? Self.settingUp : [])
            noteCreation(of: ecr, by: caller, actions, &examination)
            if isLikeSource, caller?.account ?? ecr.host.account.value == ecr.host.account.value {
                try await tryChangingSettings(of: ecr, &examination)
            }
            if movesLayers { try await tryAsking(ecr, &examination) }
        }
        if movesLayers, hasToken == nil, try await tryToken(ecr, &examination) {
            try await reachRegistry(ecr, &examination)
        }
        if examination.createsRepository || examination.isCreatedOnPush {
            for action in (movesLayers ? Self.uploading : []) + ["ecr:PutImage"] {
                examination.note(.skipped, action, "can't be tried before the repository exists")
            }
        }
        examination.notePermissionsTried()
    }

    private static let uploading = [
        "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload",
    ]

    private static let creating = ["ecr:CreateRepository"]

    /// The actions for the settings of the source's repository.
    private static let settingUp = ["ecr:TagResource", "ecr:PutLifecyclePolicy", "ecr:SetRepositoryPolicy"]

    /// Whether a registry is in ECR, whether or not its account and region are known.
    static func isECR(_ registry: RegistryLocation) -> Bool {
        switch registry {
        case .ecr, .callersOwn: true
        case .plain, .layout: false
        }
    }

    /// Notes what creating the repository requires, which can't be tried without creating it.
    ///
    /// No request is known that ECR always rejects, but for a different reason when the permission is missing: whether
    /// ECR checks parameters or permissions first isn't documented, and a local emulator may check neither.
    ///
    /// - Parameter actions: All actions for the repository and its settings.
    private func noteCreation(
        of ecr: ECRProbe,
        by caller: CallerIdentity?,
        _ actions: [String],
        _ examination: inout Examination
    ) {
        let action = "ecr:CreateRepository"
        let owner = ecr.host.account.value
        if let caller, caller.account != owner {
            return examination.note(
                .warning,
                action,
                "the repository's account \(owner) is not the caller's (\(caller.account)): a new repository has no "
                    + "policy that allows other accounts, so the registry's policy must",
                remedy: foreignCreation(of: ecr, registry: examination.registry)
            )
        }
        let principal = caller.flatMap { Principal(arn: $0.arn) }
        let who = principal?.words ?? "the identity used for the destination"
        let arn = PolicyPlace(host: ecr.host, pattern: ecr.name.value).arn
        examination.note(
            .skipped,
            action,
            "can't be tried without creating it",
            remedy:
                "check that an identity policy of \(who) has this:\n    \(PolicyStatement(actions, on: [arn]).line)\n"
                + (examination.allPolicies(named: principal).map { "    \($0)" } ?? "")
        )
    }

    /// What a caller from another account has to do about a missing repository.
    ///
    /// - Parameter registry: The registry's name in a rule file.
    func foreignCreation(of ecr: ECRProbe, registry: String?) -> String {
        let owner = ecr.host.account.value
        let role =
            registry.map { "give registry '\(quotable($0, upTo: 200))' a roleArn of account \(owner)" }
            ?? "name a role of account \(owner) with --destination-role-arn"
        return "\(role), or create the repository there: aws ecr create-repository --region \(ecr.host.region) "
            + "--repository-name \(ecr.name)"
    }

    /// Whether the registry's host answers and accepts the token.
    func reachRegistry(_ ecr: ECRProbe, _ examination: inout Examination) async throws {
        examination.ask("registry")
        do {
            let client = try await ecr.registry()
            let status = try await client.ping()
            guard status.kind == .successful else {
                let refused = CopyError(
                    .rejected(code: "HTTP \(status.code)", text: "\(client.base.origin) does not accept the token"),
                    side: examination.side,
                    subject: examination.subject,
                    operation: "asking for the registry"
                )
                let remedy =
                    examination.registry.map { "check the endpoints of registry '\(quotable($0, upTo: 200))'" }
                    ?? "check the endpoint flags of the destination"
                return try examination.fail(
                    "registry",
                    refused,
                    refused.operation,
                    remedy: "\(remedy): the token may be another region's"
                )
            }
            examination.note(.ok, "registry", "\(client.base.origin) answers and accepts the token")
        } catch {
            try examination.fail("registry", error, "reaching the registry")
        }
    }
}

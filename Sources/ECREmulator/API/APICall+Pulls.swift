internal import Content
internal import FoundationEssentials
internal import Platform

/// The operations for principals whose pulls aren't recorded.
///
/// - Source: the service model, `RegisterPullTimeUpdateExclusion` and related operations
extension APICall {
    /// The most principals in one registry.
    private static let mostExclusions = 100

    func registerPullTimeUpdateExclusion() throws -> JSON {
        let principal = try excludedPrincipal()
        let now = aws.now
        try changeRegistry { registry throws(ServiceFault) in
            let exclusions = registry.pullExclusions ?? []
            guard !exclusions.contains(principal) else {
                throw ServiceFault(
                    "ExclusionAlreadyExistsException",
                    "The pull time update exclusion for '\(principal)' already exists in the registry with id "
                        + "'\(registry.key.account)'"
                )
            }
            guard exclusions.count < Self.mostExclusions else {
                throw ServiceFault(
                    "LimitExceededException",
                    "A registry has at most \(Self.mostExclusions) pull time update exclusions"
                )
            }
            registry.pullExclusions = exclusions + [principal]
        }
        return .members(["principalArn": .text(principal), "createdAt": .seconds(now.timeIntervalSince1970)])
    }

    func deregisterPullTimeUpdateExclusion() throws -> JSON {
        let principal = try excludedPrincipal()
        try changeRegistry { registry throws(ServiceFault) in
            guard let index = registry.pullExclusions?.firstIndex(of: principal) else {
                throw ServiceFault(
                    "ExclusionNotFoundException",
                    "The pull time update exclusion for '\(principal)' does not exist in the registry with id "
                        + "'\(registry.key.account)'"
                )
            }
            registry.pullExclusions?.remove(at: index)
        }
        return .members(["principalArn": .text(principal)])
    }

    func listPullTimeUpdateExclusions() throws -> JSON {
        let page = try input.page((registry.pullExclusions ?? []).sorted())
        return .members(["pullTimeUpdateExclusions": .texts(page.items), "nextToken": page.next])
    }

    private func excludedPrincipal() throws(ServiceFault) -> String {
        let principal = try input.required("principalArn", \.principalArn)
        try Constraint.length(principal, 0...200, "principalArn")
        try Constraint.pattern(principal, .principal, "principalArn")
        return principal
    }
}

extension EmulatedAWS {
    /// The shortest interval between two recorded pulls of an image, in seconds (docs/facts/ecr-api.md#describeimages).
    private static let pullInterval = 86_400.0

    /// Records the time when images were pulled, unless the registry excludes this caller.
    func recordPull(of images: [EmulatedImage], _ repository: String, in key: RegistryKey, by caller: Principal) {
        let now = now
        let due = images.filter { image in
            image.pulledAt.map { now.timeIntervalSince($0) >= Self.pullInterval } ?? true
        }
        guard !due.isEmpty else { return }
        let isRecorded = state.withLock { state in
            guard state.cloud.registries[key]?.pullExclusions?.contains(where: caller.isExcluded) != true else {
                return false
            }
            for image in due {
                state.cloud.registries[key]?.repositories[repository]?.images[image.digest]?.pulledAt = now
            }
            return true
        }
        if isRecorded { save() }
    }
}

extension Principal {
    /// Whether an IAM ARN is this caller's, or that of the role whose session the caller is.
    func isExcluded(by text: String) -> Bool {
        if text == arn || text == roleARN { return true }
        // A session's ARN has the role's name without its path: arn:aws:sts::A:assumed-role/NAME/SESSION.
        let session = arn.split(separator: "/")
        let named = text.split(separator: "/")
        guard session.count == 3, session[0].hasSuffix(":assumed-role"), named.count >= 2,
            named[0].hasSuffix(":iam::\(account):role")
        else { return false }
        return session[1] == named[named.count - 1]
    }
}

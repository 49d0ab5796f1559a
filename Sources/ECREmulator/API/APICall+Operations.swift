internal import Content
internal import FoundationEssentials
internal import Platform

extension APICall {
    /// The operations that the emulator answers; docs/emulator.md lists the others.
    static let operations: [String: @Sendable (APICall) throws -> JSON] = [
        "BatchCheckLayerAvailability": { try $0.batchCheckLayerAvailability() },
        "BatchDeleteImage": { try $0.batchDeleteImage() },
        "BatchGetImage": { try $0.batchGetImage() },
        "BatchGetRepositoryScanningConfiguration": { try $0.batchGetRepositoryScanningConfiguration() },
        "CompleteLayerUpload": { try $0.completeLayerUpload() },
        "CreatePullThroughCacheRule": { try $0.createPullThroughCacheRule() },
        "CreateRepository": { try $0.createRepository() },
        "CreateRepositoryCreationTemplate": { try $0.createRepositoryCreationTemplate() },
        "DeleteLifecyclePolicy": { try $0.deleteLifecyclePolicy() },
        "DeletePullThroughCacheRule": { try $0.deletePullThroughCacheRule() },
        "DeleteRegistryPolicy": { try $0.deleteRegistryPolicy() },
        "DeleteRepository": { try $0.deleteRepository() },
        "DeleteRepositoryCreationTemplate": { try $0.deleteRepositoryCreationTemplate() },
        "DeleteRepositoryPolicy": { try $0.deleteRepositoryPolicy() },
        "DeleteSigningConfiguration": { try $0.deleteSigningConfiguration() },
        "DeregisterPullTimeUpdateExclusion": { try $0.deregisterPullTimeUpdateExclusion() },
        "DescribeImageReplicationStatus": { try $0.describeImageReplicationStatus() },
        "DescribeImageScanFindings": { try $0.describeImageScanFindings() },
        "DescribeImageSigningStatus": { try $0.describeImageSigningStatus() },
        "DescribeImages": { try $0.describeImages() },
        "DescribePullThroughCacheRules": { try $0.describePullThroughCacheRules() },
        "DescribeRegistry": { $0.describeRegistry() },
        "DescribeRepositories": { try $0.describeRepositories() },
        "DescribeRepositoryCreationTemplates": { try $0.describeRepositoryCreationTemplates() },
        "GetAccountSetting": { try $0.getAccountSetting() },
        "GetAuthorizationToken": { try $0.getAuthorizationToken() },
        "GetDownloadUrlForLayer": { try $0.getDownloadUrlForLayer() },
        "GetLifecyclePolicy": { try $0.getLifecyclePolicy() },
        "GetLifecyclePolicyPreview": { try $0.getLifecyclePolicyPreview() },
        "GetRegistryPolicy": { try $0.getRegistryPolicy() },
        "GetRegistryScanningConfiguration": { $0.getRegistryScanningConfiguration() },
        "GetRepositoryPolicy": { try $0.getRepositoryPolicy() },
        "GetSigningConfiguration": { try $0.getSigningConfiguration() },
        "InitiateLayerUpload": { try $0.initiateLayerUpload() },
        "ListImageReferrers": { try $0.listImageReferrers() },
        "ListImages": { try $0.listImages() },
        "ListPullTimeUpdateExclusions": { try $0.listPullTimeUpdateExclusions() },
        "ListTagsForResource": { try $0.listTagsForResource() },
        "PutAccountSetting": { try $0.putAccountSetting() },
        "PutImage": { try $0.putImage() },
        "PutImageScanningConfiguration": { try $0.putImageScanningConfiguration() },
        "PutImageTagMutability": { try $0.putImageTagMutability() },
        "PutLifecyclePolicy": { try $0.putLifecyclePolicy() },
        "PutRegistryPolicy": { try $0.putRegistryPolicy() },
        "PutRegistryScanningConfiguration": { try $0.putRegistryScanningConfiguration() },
        "PutReplicationConfiguration": { try $0.putReplicationConfiguration() },
        "PutSigningConfiguration": { try $0.putSigningConfiguration() },
        "RegisterPullTimeUpdateExclusion": { try $0.registerPullTimeUpdateExclusion() },
        "SetRepositoryPolicy": { try $0.setRepositoryPolicy() },
        "StartLifecyclePolicyPreview": { try $0.startLifecyclePolicyPreview() },
        "TagResource": { try $0.tagResource() },
        "UntagResource": { try $0.untagResource() },
        "UpdateImageStorageClass": { try $0.updateImageStorageClass() },
        "UpdatePullThroughCacheRule": { try $0.updatePullThroughCacheRule() },
        "UpdateRepositoryCreationTemplate": { try $0.updateRepositoryCreationTemplate() },
        "UploadLayerPart": { try $0.uploadLayerPart() },
        "ValidatePullThroughCacheRule": { try $0.validatePullThroughCacheRule() },
    ]

    /// - Throws: ``ServiceFault``
    func perform() throws -> JSON {
        guard let operation = Self.operations[operation] else {
            throw ServiceFault(
                "UnknownOperationException",
                "The emulator doesn't know the operation '\(self.operation)'"
            )
        }
        return try operation(self)
    }

    /// Answers one token for every registry of the region (docs/facts/ecr-api.md#authorization-token).
    private func getAuthorizationToken() throws -> JSON {
        let now = aws.now
        let expires = now.addingTimeInterval(aws.configuration.tokenLifetime)
        // Real tokens have a few KB, and a client must not assume that they are shorter.
        let password = RandomText.mixed(1_860)
        let port = aws.state.withLock { state in
            let token = RegistryToken(principal: caller, region: region, expires: expires)
            state.tokens.insert(token, for: password, at: now)
            return state.ports.main
        }
        let accounts = input.registryIds ?? [caller.account]
        guard (1...10).contains(accounts.count) else {
            throw ServiceFault.invalidParameter("registryIds", "Member must have length between 1 and 10")
        }
        return .members([
            "authorizationData": .list(
                accounts.map { account in
                    .members([
                        "authorizationToken": .text(Data("AWS:\(password)".utf8).base64EncodedString()),
                        "expiresAt": .seconds(expires.timeIntervalSince1970),
                        "proxyEndpoint": .text("http://\(account).dkr.ecr.\(region).localhost:\(port)"),
                    ])
                }
            )
        ])
    }
}

internal import Content
internal import FoundationEssentials
internal import Platform

extension APICall {
    /// - Throws: ``ServiceFault``
    func perform() throws -> JSON {
        switch operation {
        case "GetAuthorizationToken": try getAuthorizationToken()
        case "BatchGetImage": try batchGetImage()
        case "BatchCheckLayerAvailability": try batchCheckLayerAvailability()
        case "GetDownloadUrlForLayer": try getDownloadUrlForLayer()
        case "InitiateLayerUpload": try initiateLayerUpload()
        case "UploadLayerPart": try uploadLayerPart()
        case "CompleteLayerUpload": try completeLayerUpload()
        case "PutImage": try putImage()
        case "DescribeImages": try describeImages()
        case "ListImages": try listImages()
        case "ListImageReferrers": try listImageReferrers()
        case "BatchDeleteImage": try batchDeleteImage()
        case "UpdateImageStorageClass": try updateImageStorageClass()
        case "DescribeRepositories": try describeRepositories()
        case "CreateRepository": try createRepository()
        case "DeleteRepository": try deleteRepository()
        case "PutImageTagMutability": try putImageTagMutability()
        case "SetRepositoryPolicy": try setRepositoryPolicy()
        case "GetRepositoryPolicy": try getRepositoryPolicy()
        case "DeleteRepositoryPolicy": try deleteRepositoryPolicy()
        case "PutLifecyclePolicy": try putLifecyclePolicy()
        case "GetLifecyclePolicy": try getLifecyclePolicy()
        case "TagResource": try tagResource()
        case "UntagResource": try untagResource()
        case "ListTagsForResource": try listTagsForResource()
        case "DescribeRegistry": describeRegistry()
        case "PutReplicationConfiguration": try putReplicationConfiguration()
        case "PutRegistryPolicy": try putRegistryPolicy()
        case "GetRegistryPolicy": try getRegistryPolicy()
        case "DeleteRegistryPolicy": try deleteRegistryPolicy()
        case "CreatePullThroughCacheRule": try createPullThroughCacheRule()
        case "DescribePullThroughCacheRules": try describePullThroughCacheRules()
        case "GetAccountSetting": try getAccountSetting()
        case "PutAccountSetting": try putAccountSetting()
        case "DescribeImageScanFindings": try describeImageScanFindings()
        default: throw ServiceFault("UnknownOperationException", "The operation '\(operation)' is not known here")
        }
    }

    /// One token for every registry of the region (facts/ecr.md A.4).
    private func getAuthorizationToken() throws -> JSON {
        let now = aws.now
        let expires = now.addingTimeInterval(aws.configuration.tokenLifetime)
        // Real tokens have a few KB; clients must not assume less.
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

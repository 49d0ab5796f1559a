internal import Content
internal import FoundationEssentials
internal import Platform

extension APICall {
    func describeRepositories() throws -> JSON {
        let registry = aws.state.withLock { $0.cloud.registry(key) }
        if let names = input.repositoryNames {
            try input.checkUnpaged("repositoryNames", names.count)
            let found = try names.map { name in
                guard let repository = registry.repositories[name] else {
                    throw ServiceFault.repositoryNotFound(name, key.account)
                }
                return json(of: repository)
            }
            return .members(["repositories": .list(found)])
        }
        let page = try input.page(registry.repositories.values.sorted { $0.name < $1.name })
        return .members(["repositories": .list(page.items.map(json)), "nextToken": page.next])
    }

    func createRepository() throws -> JSON {
        let name = try input.required("repositoryName", \.repositoryName)
        let mutability = try input.imageTagMutability.map {
            try TagMutability(mode: $0, filters: input.imageTagMutabilityExclusionFilters)
        }
        let encryption = try input.encryption(in: key.region)
        try checkTags(input.tags ?? [])
        let now = aws.now
        let repository = try aws.state.withLock { state in
            try state.cloud.createRepository(name, in: key, at: now) { repository in
                repository.mutability = mutability ?? TagMutability()
                repository.encryption = encryption ?? .init()
                repository.scansOnPush = input.imageScanningConfiguration?.scanOnPush ?? false
                for tag in input.tags ?? [] { repository.resourceTags[tag.Key] = tag.Value }
            }
        }
        aws.save()
        return .members(["repository": json(of: repository)])
    }

    func deleteRepository() throws -> JSON {
        let name = try input.required("repositoryName", \.repositoryName)
        let repository = try aws.state.withLock {
            try $0.cloud.deleteRepository(name, in: key, force: input.force ?? false)
        }
        aws.save()
        return .members(["repository": json(of: repository)])
    }

    func putImageTagMutability() throws -> JSON {
        let mutability = try TagMutability(
            mode: try input.required("imageTagMutability", \.imageTagMutability),
            filters: input.imageTagMutabilityExclusionFilters
        )
        try change { $0.mutability = mutability }
        aws.save()
        return .members([
            "registryId": .text(key.account), "repositoryName": input.repositoryName.map(JSON.text),
            "imageTagMutability": .text(mutability.mode.rawValue),
            "imageTagMutabilityExclusionFilters": mutability.filters,
        ])
    }

    func tagResource() throws -> JSON {
        let tags = try input.required("tags", \.tags)
        try changeResource { repository in
            try checkTags(tags, having: repository.resourceTags)
            for tag in tags { repository.resourceTags[tag.Key] = tag.Value }
        }
        return .object([])
    }

    func untagResource() throws -> JSON {
        let keys = try input.required("tagKeys", \.tagKeys)
        try changeResource { repository in
            for key in keys { repository.resourceTags[key] = nil }
        }
        return .object([])
    }

    func listTagsForResource() throws -> JSON {
        let tags = try changeResource { $0.resourceTags }
        return .members(["tags": .resourceTags(tags)])
    }

    /// Finds the repository with an ARN and changes it.
    @discardableResult
    private func changeResource<Result>(_ body: (inout EmulatedRepository) throws -> Result) throws -> Result {
        let (key, name) = try Self.repository(named: try input.required("resourceArn", \.resourceArn))
        let result = try aws.state.withLock { try $0.cloud.change(name, in: key, body) }
        aws.save()
        return result
    }

    /// - Throws: `InvalidParameterException`
    static func repository(named arn: String) throws(ServiceFault) -> (RegistryKey, String) {
        let parts = arn.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[1] == AWSPartition(ofRegion: parts[3]).rawValue, parts[2] == "ecr",
            parts[5].hasPrefix("repository/")
        else {
            throw ServiceFault("InvalidParameterException", "Invalid parameter at 'resourceArn'")
        }
        return (
            RegistryKey(account: parts[4], region: parts[3]), String(parts[5].dropFirst("repository/".count))
        )
    }

    /// - Parameter known: The tags that the repository has already; a new value for one of their keys adds none.
    func checkTags(_ tags: [Parameters.ResourceTag], having known: [String: String] = [:]) throws {
        guard Set(tags.map(\.Key)).union(known.keys).count <= 50 else {
            throw ServiceFault("TooManyTagsException", "A repository can have at most 50 tags")
        }
        guard tags.allSatisfy({ (1...128).contains($0.Key.count) && $0.Value.count <= 256 }) else {
            throw ServiceFault(
                "InvalidTagParameterException",
                "A tag has a key of 1 to 128 and a value of 0 to 256 characters"
            )
        }
        guard tags.allSatisfy({ !$0.Key.lowercased().hasPrefix("aws:") }) else {
            throw ServiceFault(
                "InvalidTagParameterException",
                "A tag's key can't begin with aws:, which is reserved for AWS"
            )
        }
    }

    private func json(of repository: EmulatedRepository) -> JSON {
        let host =
            "\(repository.account).dkr.ecr.\(repository.region).localhost:\(aws.state.withLock { $0.ports.main })"
        return .members([
            "repositoryArn": .text(repository.arn), "registryId": .text(repository.account),
            "repositoryName": .text(repository.name), "repositoryUri": .text("\(host)/\(repository.name)"),
            "createdAt": .seconds(repository.createdAt.timeIntervalSince1970),
            "imageTagMutability": .text(repository.mutability.mode.rawValue),
            "imageTagMutabilityExclusionFilters": repository.mutability.filters,
            "imageScanningConfiguration": .members(["scanOnPush": .boolean(repository.scansOnPush)]),
            "encryptionConfiguration": repository.encryption.json,
        ])
    }
}

extension JSON {
    /// The JSON of resource tags, in order.
    static func resourceTags(_ tags: [String: String]) -> JSON {
        .list(tags.sorted { $0.key < $1.key }.map { .members(["Key": .text($0.key), "Value": .text($0.value)]) })
    }
}

extension TagMutability {
    /// The filters as ECR answers them; `nil` for none.
    var filters: JSON? {
        guard !exclusions.isEmpty else { return nil }
        return .list(exclusions.map { .members(["filterType": "WILDCARD", "filter": .text($0)]) })
    }
}

extension EmulatedRepository.Encryption {
    var json: JSON { .members(["encryptionType": .text(type), "kmsKey": key.map(JSON.text)]) }
}

extension Parameters {
    /// Returns the encryption in the request; `nil` if the request has none.
    ///
    /// - Parameters:
    ///   - keyPattern: The pattern of the key's name, where it must be an ARN.
    ///   - region: The region of the repository, in which the key must be too.
    /// - Throws: `InvalidParameterException`; `KmsException` for a key of another region.
    /// - Source: docs/facts/ecr-api.md#repositories
    func encryption(
        keyPattern: Grammar? = nil,
        in region: String? = nil
    ) throws(ServiceFault) -> EmulatedRepository.Encryption? {
        guard let encryption = encryptionConfiguration else { return nil }
        try Constraint.choice(
            encryption.encryptionType,
            ["AES256", "KMS", "KMS_DSSE"],
            "encryptionConfiguration.encryptionType"
        )
        if let key = encryption.kmsKey, let keyPattern {
            try Constraint.pattern(key, keyPattern, "encryptionConfiguration.kmsKey")
        }
        let fields = (encryption.kmsKey ?? "").split(separator: ":", omittingEmptySubsequences: false)
        if let region, fields.count == 6, fields[0] == "arn", fields[3] != region {
            throw .otherRegion(ofKey: encryption.kmsKey ?? "", region)
        }
        let key = encryption.kmsKey.flatMap { $0.isEmpty ? nil : $0 }
        return EmulatedRepository.Encryption(type: encryption.encryptionType, key: key)
    }
}

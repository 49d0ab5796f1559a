internal import Content
internal import FoundationEssentials
internal import Platform

/// The operations for repository policies.
extension APICall {
    func setRepositoryPolicy() throws -> JSON {
        let text = try input.required("policyText", \.policyText)
        let policy = StoredPolicy(text: text, document: try PolicyDocument(ofRepository: text))
        let repository = try repository()
        let locksOut = aws.state.withLock { [caller, key] in
            $0.locksOut(caller, policy.document, of: repository.name, in: key)
        }
        guard input.force == true || !locksOut else {
            throw ServiceFault.invalidParameter(
                "PolicyText",
                "The policy would prevent the caller from setting the policy again, and force is not set"
            )
        }
        try change { $0.policy = policy }
        aws.save()
        return self.policy(text)
    }

    func getRepositoryPolicy() throws -> JSON { policy(try storedPolicy(of: try repository())) }

    func deleteRepositoryPolicy() throws -> JSON {
        let text = try storedPolicy(of: try repository())
        try change { $0.policy = nil }
        aws.save()
        return policy(text)
    }

    private func storedPolicy(of repository: EmulatedRepository) throws -> String {
        guard let policy = repository.policy else {
            throw ServiceFault(
                "RepositoryPolicyNotFoundException",
                "Repository policy does not exist for the repository with name '\(repository.name)' in the registry with "
                    + "id '\(repository.account)'"
            )
        }
        return policy.text
    }

    private func policy(_ text: String) -> JSON {
        .members([
            "registryId": .text(key.account), "repositoryName": input.repositoryName.map(JSON.text),
            "policyText": .text(text),
        ])
    }
}

extension PolicyDocument {
    /// The longest policy of a repository or a registry, in bytes.
    private static let largestText = 10_240

    /// Parses the policy of a repository or a registry, whose statements name principals.
    ///
    /// - Throws: `InvalidParameterException`
    init(ofRepository text: String, kind: String = "repository") throws(ServiceFault) {
        guard text.utf8.count <= Self.largestText else {
            throw .invalidParameter("policyText", "Member must have length less than or equal to 10240")
        }
        let document: PolicyDocument
        do {
            document = try PolicyDocument(parsing: text, as: .resource)
        } catch {
            throw .invalidParameter(
                "PolicyText",
                error == .notJSON ? "Invalid JSON syntax" : "Invalid \(kind) policy provided"
            )
        }
        // A repository's policy applies to that repository and names none (awsdocs/amazon-ecr-user-guide#20).
        guard document.statements.allSatisfy({ ($0.resources == nil) == (kind == "repository") }) else {
            throw .invalidParameter("PolicyText", "Invalid \(kind) policy provided")
        }
        self = document
    }
}

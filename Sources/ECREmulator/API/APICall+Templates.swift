internal import Content
internal import FoundationEssentials
internal import Platform

/// The operations for repository creation templates of the caller's own registry.
///
/// - Source: the service model, `CreateRepositoryCreationTemplate` and its siblings
extension APICall {
    func createRepositoryCreationTemplate() throws -> JSON {
        let prefix = try templatePrefix()
        var template = CreationTemplate(
            prefix: prefix,
            appliedFor: try occasions(input.required("appliedFor", \.appliedFor)),
            createdAt: aws.now,
            updatedAt: aws.now
        )
        try change(&template)
        let made = template
        try changeRegistry { registry throws(ServiceFault) in
            guard !(registry.templates ?? []).contains(where: { $0.namespace == made.namespace }) else {
                throw ServiceFault(
                    "TemplateAlreadyExistsException",
                    "The repository creation template with prefix '\(prefix)' already exists in the registry with id "
                        + "'\(registry.key.account)'"
                )
            }
            registry.templates = (registry.templates ?? []) + [made]
        }
        return answer(made)
    }

    /// Changes the members that the request gives, and keeps the others.
    func updateRepositoryCreationTemplate() throws -> JSON {
        let prefix = try templatePrefix()
        let now = aws.now
        var changed = try template(prefix, in: registry)
        try change(&changed)
        if let occasions = input.appliedFor { changed.appliedFor = try self.occasions(occasions) }
        changed.updatedAt = now
        let template = changed
        try changeRegistry { registry throws(ServiceFault) in
            _ = try self.template(prefix, in: registry)
            registry.templates = registry.templates?.map { $0.namespace == template.namespace ? template : $0 }
        }
        return answer(template)
    }

    func deleteRepositoryCreationTemplate() throws -> JSON {
        let prefix = try templatePrefix()
        let deleted = try changeRegistry { registry throws(ServiceFault) in
            let template = try template(prefix, in: registry)
            registry.templates?.removeAll { $0.namespace == template.namespace }
            return template
        }
        return answer(deleted)
    }

    /// Lists templates, and omits prefixes that no template has.
    func describeRepositoryCreationTemplates() throws -> JSON {
        var templates = registry.templates ?? []
        if let prefixes = input.prefixes {
            let wanted = Set(prefixes.map(RepositoryNamespace.init))
            templates = templates.filter { wanted.contains($0.namespace) }
        }
        let page = try input.page(templates.sorted { $0.prefix < $1.prefix })
        return .members([
            "registryId": .text(own.account), "repositoryCreationTemplates": .list(page.items.map(json)),
            "nextToken": page.next,
        ])
    }

    private func templatePrefix() throws(ServiceFault) -> String {
        let prefix = try input.required("prefix", \.prefix)
        try Constraint.length(prefix, 1...256, "prefix")
        try Constraint.pattern(prefix, .repositoryPrefix, "prefix")
        return prefix
    }

    private func occasions(_ texts: [String]) throws(ServiceFault) -> [CreationTemplate.Occasion] {
        var occasions: [CreationTemplate.Occasion] = []
        for text in texts {
            try Constraint.choice(text, CreationTemplate.Occasion.allCases.map(\.rawValue), "appliedFor")
            if let occasion = CreationTemplate.Occasion(rawValue: text) { occasions.append(occasion) }
        }
        return occasions
    }

    private func template(_ prefix: String, in registry: EmulatedRegistry) throws(ServiceFault) -> CreationTemplate {
        let namespace = RepositoryNamespace(prefix)
        guard let template = registry.templates?.first(where: { $0.namespace == namespace }) else {
            throw ServiceFault(
                "TemplateNotFoundException",
                "The repository creation template with prefix '\(prefix)' does not exist in the registry with id "
                    + "'\(registry.key.account)'"
            )
        }
        return template
    }

    /// Sets the members that the request gives.
    private func change(_ template: inout CreationTemplate) throws {
        if let description = input.description {
            try Constraint.length(description, 0...256, "description")
            template.description = description
        }
        if let encryption = try input.encryption(keyPattern: .kmsKey) { template.encryption = encryption }
        if let tags = input.resourceTags {
            try checkTags(tags, having: 0)
            template.resourceTags = Dictionary(tags.map { ($0.Key, $0.Value) }) { $1 }
        }
        if input.imageTagMutability != nil || input.imageTagMutabilityExclusionFilters != nil {
            template.mutability = try TagMutability(
                mode: input.imageTagMutability ?? template.mutability?.mode.rawValue ?? "MUTABLE",
                filters: input.imageTagMutabilityExclusionFilters
            )
        }
        if let text = input.repositoryPolicy {
            if !text.isEmpty { _ = try PolicyDocument(ofRepository: text) }
            template.repositoryPolicy = text.isEmpty ? nil : text
        }
        if let text = input.lifecyclePolicy {
            if !text.isEmpty { _ = try LifecyclePolicy(putting: text) }
            template.lifecyclePolicy = text.isEmpty ? nil : text
        }
        if let role = input.customRoleArn {
            try Constraint.length(role, 0...2_048, "customRoleArn")
            template.customRole = role.isEmpty ? nil : role
        }
        let needsRole = template.encryption?.type ?? "AES256" != "AES256" || template.resourceTags?.isEmpty == false
        guard !needsRole || template.customRole != nil else {
            throw ServiceFault(
                "ValidationException",
                "A customRoleArn is required for a repository creation template with a KMS key or resource tags"
            )
        }
    }

    private func answer(_ template: CreationTemplate) -> JSON {
        .members(["registryId": .text(own.account), "repositoryCreationTemplate": json(of: template)])
    }

    private func json(of template: CreationTemplate) -> JSON {
        let mutability = template.mutability ?? TagMutability()
        return .members([
            "prefix": .text(template.prefix), "description": template.description.map(JSON.text),
            "encryptionConfiguration": (template.encryption ?? .init()).json,
            "resourceTags": template.resourceTags.map(JSON.resourceTags),
            "imageTagMutability": .text(mutability.mode.rawValue),
            "imageTagMutabilityExclusionFilters": mutability.filters,
            "repositoryPolicy": template.repositoryPolicy.map(JSON.text),
            "lifecyclePolicy": template.lifecyclePolicy.map(JSON.text),
            "appliedFor": .texts(template.appliedFor.map(\.rawValue)),
            "customRoleArn": template.customRole.map(JSON.text),
            "createdAt": .seconds(template.createdAt.timeIntervalSince1970),
            "updatedAt": .seconds(template.updatedAt.timeIntervalSince1970),
        ])
    }
}

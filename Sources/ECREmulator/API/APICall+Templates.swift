internal import Content
internal import FoundationEssentials
internal import Platform

/// The operations for repository creation templates of the caller's own registry.
///
/// - Source: the service model, `CreateRepositoryCreationTemplate` and related operations
extension APICall {
    func createRepositoryCreationTemplate() throws -> JSON {
        let prefix = try templatePrefix()
        var template = CreationTemplate(
            prefix: prefix,
            appliedFor: try events(input.required("appliedFor", \.appliedFor)),
            createdAt: aws.now,
            updatedAt: aws.now
        )
        try change(&template)
        let created = template
        try changeRegistry { registry throws(ServiceFault) in try registry.add(created, to: \.templates) }
        return answer(created)
    }

    /// Changes the members that the request gives, and keeps the others.
    func updateRepositoryCreationTemplate() throws -> JSON {
        let prefix = try templatePrefix()
        let now = aws.now
        var changed = try registry.setting(prefix, in: \.templates)
        try change(&changed)
        if let events = input.appliedFor { changed.appliedFor = try self.events(events) }
        changed.updatedAt = now
        let template = changed
        try changeRegistry { registry throws(ServiceFault) in
            try registry.replace(prefix, in: \.templates, with: template)
        }
        return answer(template)
    }

    func deleteRepositoryCreationTemplate() throws -> JSON {
        let prefix = try templatePrefix()
        let deleted = try changeRegistry { registry throws(ServiceFault) in
            try registry.remove(prefix, from: \.templates)
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

    private func events(_ texts: [String]) throws(ServiceFault) -> [CreationTemplate.Event] {
        var events: [CreationTemplate.Event] = []
        for text in texts {
            try Constraint.choice(text, CreationTemplate.Event.allCases.map(\.rawValue), "appliedFor")
            if let event = CreationTemplate.Event(rawValue: text) { events.append(event) }
        }
        return events
    }

    /// Sets the members that the request gives.
    private func change(_ template: inout CreationTemplate) throws {
        if let description = input.description {
            try Constraint.length(description, 0...256, "description")
            template.description = description
        }
        if let encryption = try input.encryption(keyPattern: .kmsKey) { template.encryption = encryption }
        if let tags = input.resourceTags {
            try checkTags(tags)
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

internal import Content
internal import FoundationEssentials
internal import Platform

/// The operations for pull-through cache rules.
///
/// - Source: the service model, `CreatePullThroughCacheRule` and related operations
extension APICall {
    func createPullThroughCacheRule() throws -> JSON {
        let prefix = try rulePrefix()
        let url = try input.required("upstreamRegistryUrl", \.upstreamRegistryUrl)
        guard let upstream = PullThroughRule.upstream(of: url) else {
            throw ServiceFault(
                "UnsupportedUpstreamRegistryException",
                "The upstream registry '\(url)' is not supported by pull through cache rules"
            )
        }
        if let stated = input.upstreamRegistry {
            try Constraint.choice(stated, PullThroughRule.upstreams, "upstreamRegistry")
            guard stated == upstream else {
                throw ServiceFault.invalidParameter("upstreamRegistry", "Member must be that of upstreamRegistryUrl")
            }
        }
        if let prefix = input.upstreamRepositoryPrefix {
            try Constraint.length(prefix, 2...30, "upstreamRepositoryPrefix")
            try Constraint.pattern(prefix, .repositoryPrefix, "upstreamRepositoryPrefix")
        }
        var rule = PullThroughRule(
            prefix: prefix,
            upstreamURL: url,
            upstream: upstream,
            createdAt: aws.now,
            upstreamPrefix: input.upstreamRepositoryPrefix
        )
        try change(&rule)
        let created = rule
        try changeRegistry(key) { registry throws(ServiceFault) in try registry.add(created, to: \.pullThroughRules) }
        return json(of: created)
    }

    func updatePullThroughCacheRule() throws -> JSON {
        let prefix = try rulePrefix()
        let now = aws.now
        var changed = try registry(key).setting(prefix, in: \.pullThroughRules)
        try change(&changed)
        changed.updatedAt = now
        let rule = changed
        try changeRegistry(key) { registry throws(ServiceFault) in
            try registry.replace(prefix, in: \.pullThroughRules, with: rule)
        }
        return .members([
            "ecrRepositoryPrefix": .text(rule.prefix), "registryId": .text(key.account),
            "updatedAt": .seconds(now.timeIntervalSince1970), "credentialArn": rule.credential.map(JSON.text),
            "customRoleArn": rule.customRole.map(JSON.text),
            "upstreamRepositoryPrefix": rule.upstreamPrefix.map(JSON.text),
        ])
    }

    func deletePullThroughCacheRule() throws -> JSON {
        let prefix = try rulePrefix()
        let deleted = try changeRegistry(key) { registry throws(ServiceFault) in
            try registry.remove(prefix, from: \.pullThroughRules)
        }
        return .members([
            "ecrRepositoryPrefix": .text(deleted.prefix), "upstreamRegistryUrl": .text(deleted.upstreamURL),
            "createdAt": .seconds(deleted.createdAt.timeIntervalSince1970), "registryId": .text(key.account),
            "credentialArn": deleted.credential.map(JSON.text), "customRoleArn": deleted.customRole.map(JSON.text),
            "upstreamRepositoryPrefix": deleted.upstreamPrefix.map(JSON.text),
        ])
    }

    /// Answers that the rule is invalid, because the emulator can't reach an upstream.
    func validatePullThroughCacheRule() throws -> JSON {
        let rule = try registry(key).setting(rulePrefix(), in: \.pullThroughRules)
        return .members([
            "ecrRepositoryPrefix": .text(rule.prefix), "registryId": .text(key.account),
            "upstreamRegistryUrl": .text(rule.upstreamURL), "credentialArn": rule.credential.map(JSON.text),
            "customRoleArn": rule.customRole.map(JSON.text),
            "upstreamRepositoryPrefix": rule.upstreamPrefix.map(JSON.text), "isValid": false,
            "failure": .text("The upstream registry '\(rule.upstreamURL)' can't be reached from this emulator"),
        ])
    }

    func describePullThroughCacheRules() throws -> JSON {
        let registry = registry(key)
        var rules = registry.pullThroughRules ?? []
        if let prefixes = input.ecrRepositoryPrefixes {
            try Parameters.checkBatch("ecrRepositoryPrefixes", prefixes.count)
            rules = try prefixes.map { try registry.setting($0, in: \.pullThroughRules) }
        }
        let page = try input.page(rules.sorted { $0.prefix < $1.prefix })
        return .members(["pullThroughCacheRules": .list(page.items.map(json)), "nextToken": page.next])
    }

    private func rulePrefix() throws(ServiceFault) -> String {
        let prefix = try input.required("ecrRepositoryPrefix", \.ecrRepositoryPrefix)
        try Constraint.length(prefix, 2...30, "ecrRepositoryPrefix")
        try Constraint.pattern(prefix, .repositoryPrefix, "ecrRepositoryPrefix")
        return prefix
    }

    /// Sets the members that the request gives.
    ///
    /// The emulator has no Secrets Manager, so it can't check that the secret exists.
    private func change(_ rule: inout PullThroughRule) throws {
        if let secret = input.credentialArn {
            try Constraint.length(secret, 50...612, "credentialArn")
            try Constraint.pattern(secret, .pullThroughSecret, "credentialArn")
            rule.credential = secret
        }
        if let role = input.customRoleArn {
            try Constraint.length(role, 0...2_048, "customRoleArn")
            rule.customRole = role
        }
    }

    private func json(of rule: PullThroughRule) -> JSON {
        .members([
            "ecrRepositoryPrefix": .text(rule.prefix), "upstreamRegistryUrl": .text(rule.upstreamURL),
            "createdAt": .seconds(rule.createdAt.timeIntervalSince1970), "registryId": .text(key.account),
            "upstreamRegistry": rule.upstream.map(JSON.text), "credentialArn": rule.credential.map(JSON.text),
            "customRoleArn": rule.customRole.map(JSON.text),
            "upstreamRepositoryPrefix": rule.upstreamPrefix.map(JSON.text),
            "updatedAt": operation == "CreatePullThroughCacheRule"
                ? nil : rule.updatedAt.map { .seconds($0.timeIntervalSince1970) },
        ])
    }
}

internal import FoundationEssentials
internal import Platform

extension Emulator {
    /// Revokes the key of an account, a user or a session, which the emulator then answers as an unknown key.
    public func revoke(accessKeyID: String) {
        aws.state.withLock { _ = $0.identities.revoked.insert(accessKeyID) }
    }

    /// Ends the sessions of a role, as the console's "Revoke active sessions" does.
    ///
    /// Their keys stay valid, and a policy refuses every request with them; sessions that begin later aren't affected.
    public func endSessions(ofRole arn: String) {
        let now = aws.now
        aws.state.withLock { $0.rules.sessionsEnded[arn] = now }
    }

    /// Sets the identity policies of a user or a role, as JSON; `nil` allows everything.
    ///
    /// From then on policies decide, as if the emulator had been started with these.
    /// - Throws: ``EmulatorStartError`` for a policy that can't be parsed; then nothing changes.
    public func setPolicies(_ texts: [String]?, of arn: String) throws {
        var policies: [PolicyDocument]?
        if let texts {
            policies = try texts.map { text throws(EmulatorStartError) in
                do throws(PolicySyntaxError) { return try PolicyDocument(parsing: text, as: .identity) } catch {
                    throw EmulatorStartError("a policy of \(arn) is not valid: \(error)")
                }
            }
        }
        let enforces = aws.configuration.enforcesPolicies ?? true
        aws.state.withLock { state in
            state.rules.identity[arn] = policies
            if policies != nil { state.rules.isEnforced = enforces }
        }
    }

    /// Sets the trust policy of a role, as JSON; `nil` restores the accounts and principals of its configuration.
    ///
    /// From then on policies decide, as if the emulator had been started with this one.
    /// - Throws: ``EmulatorStartError`` for a policy that can't be parsed; then nothing changes.
    public func setTrustPolicy(_ text: String?, of arn: String) throws {
        let policy = try text.map { text throws(EmulatorStartError) in
            do throws(PolicySyntaxError) { return try PolicyDocument(parsing: text, as: .resource) } catch {
                throw EmulatorStartError("the trust policy of \(arn) is not valid: \(error)")
            }
        }
        let enforces = aws.configuration.enforcesPolicies ?? true
        aws.state.withLock { state in
            state.rules.trust[arn] = policy
            if policy != nil { state.rules.isEnforced = enforces }
        }
    }

    /// Sets the policy of a repository, as JSON; `nil` removes it.
    ///
    /// - Throws: An error when the repository doesn't exist, or the policy can't be parsed.
    public func setRepositoryPolicy(_ text: String?, account: String, region: String, repository: String) throws {
        let policy = try text.map { StoredPolicy(text: $0, document: try PolicyDocument(ofRepository: $0)) }
        try aws.state.withLock { state in
            try state.cloud.change(repository, in: RegistryKey(account: account, region: region)) { $0.policy = policy }
        }
        aws.save()
    }
}

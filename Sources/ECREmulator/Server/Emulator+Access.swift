internal import FoundationEssentials
internal import Platform

extension Emulator {
    /// Takes a key back, of an account, a user or a session: from now on nobody knows it.
    public func revoke(accessKeyID: String) {
        aws.state.withLock { _ = $0.identities.revoked.insert(accessKeyID) }
    }

    /// Ends what a role's sessions may do, as "Revoke active sessions" of the console.
    ///
    /// Their keys are still good, and every request with them is refused by a policy; sessions that begin later aren't
    /// touched.
    public func endSessions(ofRole arn: String) {
        let now = aws.now
        aws.state.withLock { $0.rules.sessionsEnded[arn] = now }
    }

    /// Gives a user or a role other identity policies, as JSON; `nil` for one that allows everything.
    ///
    /// Policies decide from then on, as if it had been started with this one.
    /// - Throws: ``EmulatorStartError`` for a policy that can't be read; nothing has changed then.
    public func setPolicies(_ texts: [String]?, of arn: String) throws {
        var policies: [PolicyDocument]?
        if let texts {
            policies = try texts.map { text throws(EmulatorStartError) in
                do throws(PolicySyntaxError) { return try PolicyDocument(parsing: text, as: .identity) } catch {
                    throw EmulatorStartError("a policy of \(arn) can't be read: \(error)")
                }
            }
        }
        let enforces = aws.configuration.enforcesPolicies ?? true
        aws.state.withLock { state in
            state.rules.identity[arn] = policies
            if policies != nil { state.rules.isEnforced = enforces }
        }
    }

    /// Gives a role another trust policy, as JSON; `nil` for the accounts and principals of its configuration.
    ///
    /// Policies decide from then on, as if it had been started with this one.
    /// - Throws: ``EmulatorStartError`` for a policy that can't be read; nothing has changed then.
    public func setTrustPolicy(_ text: String?, of arn: String) throws {
        let policy = try text.map { text throws(EmulatorStartError) in
            do throws(PolicySyntaxError) { return try PolicyDocument(parsing: text, as: .resource) } catch {
                throw EmulatorStartError("the trust policy of \(arn) can't be read: \(error)")
            }
        }
        let enforces = aws.configuration.enforcesPolicies ?? true
        aws.state.withLock { state in
            state.rules.trust[arn] = policy
            if policy != nil { state.rules.isEnforced = enforces }
        }
    }

    /// Gives a repository a policy, as JSON; `nil` for none.
    ///
    /// - Throws: When the repository isn't there, or the policy can't be read.
    public func setRepositoryPolicy(_ text: String?, account: String, region: String, repository: String) throws {
        let policy = try text.map { KeptPolicy(text: $0, document: try PolicyDocument(ofRepository: $0)) }
        try aws.state.withLock { state in
            try state.cloud.change(repository, in: RegistryKey(account: account, region: region)) { $0.policy = policy }
        }
        aws.save()
    }
}

internal import Content

/// Roles of IAM Identity Center.
extension CredentialsChain {
    /// Returns the provider of a role that the profile takes with a sign-in to IAM Identity Center.
    ///
    /// - Returns: `nil` if the profile has no settings for that.
    func fromIdentityCenter(_ profile: SharedConfig.Profile) throws -> (any CredentialsProviding)? {
        guard profile["sso_account_id"] != nil || profile["sso_role_name"] != nil else { return nil }
        let settings = try signInSettings(of: profile)
        let missing = ["sso_account_id", "sso_role_name", "sso_start_url", "sso_region"].filter { settings[$0] == nil }
        try refuseMisspelledSession(profile, settings, missing)
        guard let account = settings["sso_account_id"], let role = settings["sso_role_name"],
            let startURL = settings["sso_start_url"], let region = settings["sso_region"]
        else {
            throw IdentityError(
                "profile '\(profile.name)' signs in with IAM Identity Center but has no \(missing.joined(separator: ", "))",
                tried: [profile.place(of: profile["sso_account_id"] == nil ? "sso_role_name" : "sso_account_id")],
                remedy: "complete it with `aws configure sso --profile \(profile.name)`"
            )
        }
        try check(region: region, account: account, of: profile, session: settings["sso_session"])
        let session = try resolver.signIn(
            .init(startURL: startURL, region: region, session: settings["sso_session"], profile: profile.name),
            options: options
        )
        return shared(.signIn, profile: profile.name) {
            refreshing(by: session.clock) { try await session.credentials(account: account, role: role) }
        }
    }

    /// Returns the settings of a profile, with those of the sso-session that it names.
    private func signInSettings(of profile: SharedConfig.Profile) throws -> [String: String] {
        var settings = profile.values.filter { !$0.value.isEmpty }
        guard let name = settings["sso_session"] else { return settings }
        guard let session = try resolver.config().sessions[name] else {
            throw IdentityError(
                "profile '\(profile.name)' names the sso-session '\(quotable(name))', which does not exist",
                tried: [profile.place(of: "sso_session")],
                remedy: try resolver.config().sessionAdvice(for: name)
                    ?? "add [sso-session \(name)] with sso_start_url and sso_region: `aws configure sso-session`"
            )
        }
        for (key, value) in session {
            guard settings[key] ?? value == value else {
                throw IdentityError(
                    "profile '\(profile.name)' and [sso-session \(name)] have different values of \(key)",
                    tried: [profile.place(of: key)],
                    remedy: "remove the key from the profile"
                )
            }
            settings[key] = value
        }
        return settings
    }

    /// Refuses a profile whose settings are incomplete because it has another spelling of `sso_session`.
    private func refuseMisspelledSession(
        _ profile: SharedConfig.Profile,
        _ settings: [String: String],
        _ missing: [String]
    ) throws {
        guard !missing.isEmpty,
            let key = ["sso-session", "sso_sessions", "ssosession"].first(where: { settings[$0] != nil })
        else { return }
        throw IdentityError(
            "profile '\(profile.name)' has the key \(key), which is spelled sso_session",
            tried: [profile.place(of: key)],
            remedy: "write sso_session = \(quotable(settings[key] ?? "", upTo: 60)) there"
        )
    }

    private func check(
        region: String,
        account: String,
        of profile: SharedConfig.Profile,
        session: String?
    ) throws {
        func places(_ key: String) -> [String] {
            [profile.places[key] ?? session.map { "[sso-session \(quotable($0))]" }].compactMap { $0 }
        }
        if let fault = RegionText.fault(in: region) {
            throw IdentityError(
                "sso_region of profile '\(profile.name)' is '\(quotable(region, upTo: 60))', which \(fault.problem)",
                tried: places("sso_region"),
                remedy: fault.remedy
            )
        }
        guard (try? AccountID(parsing: account)) != nil else {
            throw IdentityError(
                "sso_account_id of profile '\(profile.name)' is '\(quotable(account, upTo: 60))', which is not an account",
                tried: places("sso_account_id"),
                remedy: AccountID.advice(for: account)
            )
        }
    }
}

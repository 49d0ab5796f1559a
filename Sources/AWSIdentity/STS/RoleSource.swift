extension SharedConfig {
    /// Whose credentials assume the role of a profile.
    enum RoleSource {
        case profile(Profile)
        /// What `credential_source` says.
        case machine(String)
    }

    /// - Parameter visited: The profiles whose `source_profile` led here, first to last; this one is the last.
    /// - Throws: ``IdentityError``, also for profiles that lead back to where they began.
    func source(of profile: Profile, visited: [String]) throws -> RoleSource {
        switch (profile["source_profile"], profile["credential_source"]) {
        case (let name?, nil):
            let place = profile.place(of: "source_profile")
            let source = try self.profile(name, namedBy: place)
            let namesItself = name == profile.name && source.hasStaticKeys
            guard namesItself || !visited.contains(name) else {
                throw IdentityError(
                    "the profiles \((visited + [name]).joined(separator: " → ")) lead back to where they began",
                    tried: [place],
                    remedy: "let the last of them name a profile with keys"
                )
            }
            return .profile(source)
        case (nil, let source?): return .machine(source)
        case (nil, nil), (_?, _?):
            throw IdentityError(
                "profile '\(profile.name)' has role_arn and needs exactly one of source_profile and credential_source",
                tried: [profile.place(of: "role_arn")],
                remedy: "name the profile whose keys assume the role, as source_profile"
            )
        }
    }
}

extension SharedConfig.Profile {
    /// Whether it gives a role that other credentials assume.
    ///
    /// - Parameter isSource: Whether another profile starts from it; then it gives its own keys, if it has some.
    func assumesRole(isSource: Bool) -> Bool {
        self["role_arn"] != nil && self["web_identity_token_file"] == nil && !(isSource && hasStaticKeys)
    }
}

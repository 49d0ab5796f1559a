internal import Content

/// The user's profiles, merged from the config file and the credentials file.
///
/// A profile may have parts in both files; for a key that is in both, the credentials file wins.
struct SharedConfig {
    struct Profile {
        var name: String
        var values: [String: String] = [:]
        /// The place of each key, as `path:line`.
        var places: [String: String] = [:]
        /// The keys that come from the credentials file.
        var keysOfCredentialsFile: Set<String> = []

        subscript(key: String) -> String? { values[key].flatMap { $0.isEmpty ? nil : $0 } }
        var hasStaticKeys: Bool { self["aws_access_key_id"] != nil || self["aws_secret_access_key"] != nil }

        /// Where a key is written, for errors.
        func place(of key: String) -> String { places[key] ?? "profile \(name)" }
    }

    private(set) var profiles: [String: Profile] = [:]
    /// The `[sso-session NAME]` sections: key, then value.
    private(set) var sessions: [String: [String: String]] = [:]
    /// The `[services NAME]` sections: service, then key, then value.
    private(set) var services: [String: [String: [String: String]]] = [:]
    let configPath: String
    let credentialsPath: String
    /// Headings that have no meaning in their file.
    private var strayHeadings: [StrayHeading] = []
    /// Files that exist and were skipped, each with the reason, for errors.
    private(set) var skippedFiles: [String] = []

    init(_ environment: AWSEnvironment) throws {
        configPath = environment.configPath
        credentialsPath = environment.credentialsPath
        let (config, credentials) = (
            try environment.sharedFile(configPath), try environment.sharedFile(credentialsPath)
        )
        skippedFiles = [config.skipped, credentials.skipped].compactMap { $0 }
        if let text = config.text { readConfig(try IniFile(parsing: text, path: configPath)) }
        if let text = credentials.text {
            for (name, section) in try IniFile(parsing: text, path: credentialsPath).sections {
                merge(section, into: name, path: credentialsPath, overriding: true)
                strayHeadings.append(StrayHeading(name, credentialsPath, line: section.line, isCredentials: true))
            }
        }
        strayHeadings.sort { ($0.path, $0.line) < ($1.path, $1.line) }
    }

    /// The advice to correct the heading that was most likely meant for this profile; `nil` if there is none.
    func headingAdvice(for profile: String) -> String? {
        strayHeadings.lazy.compactMap { $0.advice(for: profile) }.first
    }

    /// The advice to correct the heading that was most likely meant for this sso-session; `nil` if there is none.
    func sessionAdvice(for session: String) -> String? {
        strayHeadings.lazy.compactMap { $0.sessionAdvice(for: session) }.first
    }

    /// Returns the profile to use; `nil` if none is named and there is no `default`.
    ///
    /// - Throws: ``IdentityError`` when a named profile doesn't exist.
    func activeProfile(_ environment: AWSEnvironment, _ options: IdentityOptions) throws -> Profile? {
        if let name = options.profile { return try profile(name, namedBy: "the profile flag") }
        guard let (name, variable) = environment.namedProfile else { return profiles["default"] }
        // The environment's keys win, but a user who sets both may not know that: botocore and the AWS CLI refuse too.
        let hasKeys = environment["AWS_ACCESS_KEY_ID"] != nil
        let alternative = hasKeys ? ", or unset \(variable): the environment's keys are used, not a profile's" : ""
        return try profile(name, namedBy: variable, otherwise: alternative)
    }

    /// The most profiles that an error lists.
    private static let mostNamed = 20

    /// Returns a profile by its name.
    ///
    /// - Parameter alternative: Another remedy, appended to the error's own.
    /// - Throws: ``IdentityError``, which lists the profiles that exist.
    func profile(_ name: String, namedBy reason: String, otherwise alternative: String = "") throws -> Profile {
        if let profile = profiles[name] { return profile }
        let names = profiles.keys.sorted()
        let more = names.count > Self.mostNamed ? ", and \(names.count - Self.mostNamed) more" : ""
        let others = names.prefix(Self.mostNamed).map { quotable($0) }.joined(separator: ", ") + more
        let usual =
            others.isEmpty
            ? "create one with `aws configure --profile \(quotable(name))`" : "use one of \(others)"
        // A leading or trailing blank or line break is invisible between the quotes; a name may contain blanks inside.
        let isPadded =
            name.unicodeScalars.first?.isAroundPastes == true || name.unicodeScalars.last?.isAroundPastes == true
        let fault = isPadded ? PastedText.fault(in: name).map { ", and that name \($0)" } ?? "" : ""
        throw IdentityError(
            "there is no profile '\(quotable(name))' (named by \(reason))\(fault)",
            tried: [configPath, credentialsPath].map { path in
                skippedFiles.first { $0.hasPrefix("\(path) (") } ?? path
            },
            remedy: (headingAdvice(for: name) ?? usual) + alternative
        )
    }

    private mutating func readConfig(_ file: IniFile) {
        for (heading, section) in file.sections {
            // A name that contains a blank needs quotes.
            guard let words = shellWords(heading) ?? Self.wordsWithApostrophe(heading), words.count == 2,
                ["profile", "sso-session", "services"].contains(words[0])
            else {
                strayHeadings.append(StrayHeading(heading, configPath, line: section.line, isCredentials: false))
                continue
            }
            switch words[0] {
            case "profile": merge(section, into: words[1], path: configPath, overriding: false)
            case "sso-session": sessions[words[1]] = section.values.mapValues(\.text)
            case "services": services[words[1]] = section.values.mapValues(\.nested)
            default: break
            }
        }
        // `[profile default]` wins over `[default]`, whichever comes first.
        if profiles["default"] == nil, let section = file.sections["default"] {
            merge(section, into: "default", path: configPath, overriding: false)
        }
    }

    /// Splits `profile O'Brien`, whose quote is never closed, into the first word and the rest, as the AWS SDKs for Go
    /// and Java do.
    ///
    /// - Source: github.com/boto/botocore/issues/3408
    private static func wordsWithApostrophe(_ heading: String) -> [String]? {
        let words = heading.split(maxSplits: 1, whereSeparator: \.isWhitespace).map { String(trimmed($0)) }
        return words.count == 2 && !words[1].contains(where: \.isWhitespace) ? words : nil
    }

    private mutating func merge(
        _ section: IniFile.Section,
        into name: String,
        path: String,
        overriding: Bool
    ) {
        var profile = profiles[name] ?? Profile(name: name)
        for (key, value) in section.values where overriding || profile.values[key] == nil {
            profile.values[key] = value.text
            profile.places[key] = "\(path):\(value.line)"
            if overriding { profile.keysOfCredentialsFile.insert(key) }
        }
        profiles[name] = profile
    }
}

extension SharedConfig {
    /// The source of the credentials that assume a profile's role.
    enum RoleSource {
        case profile(Profile)
        /// The value of `credential_source`.
        case machine(String)
    }

    /// Returns the source of the credentials that assume a profile's role.
    ///
    /// - Parameter visited: The profiles whose `source_profile` led here, first to last; `profile` is the last.
    /// - Throws: ``IdentityError``, also for profiles that form a cycle.
    func source(of profile: Profile, visited: [String]) throws -> RoleSource {
        switch (profile["source_profile"], profile["credential_source"]) {
        case (let name?, nil):
            let place = profile.place(of: "source_profile")
            let source = try self.profile(name, namedBy: place)
            let namesItself = name == profile.name && source.hasStaticKeys
            guard namesItself || !visited.contains(name) else {
                throw IdentityError(
                    "the source profiles form a cycle: \((visited + [name]).joined(separator: " → "))",
                    tried: [place],
                    remedy: "set source_profile of '\(profile.name)' to a profile with keys"
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
    /// Whether the profile names a role that other credentials assume.
    ///
    /// - Parameter isSource: Whether another profile uses this one as its source; a source that has keys provides
    ///   those.
    func assumesRole(isSource: Bool) -> Bool {
        self["role_arn"] != nil && self["web_identity_token_file"] == nil && !(isSource && hasStaticKeys)
    }
}

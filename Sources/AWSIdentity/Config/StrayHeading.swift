internal import Content

/// A heading of a shared file that has no meaning there, or another meaning than the user intended.
///
/// A profile is `[profile NAME]` in the config file and `[NAME]` in the credentials file; only `[default]` is the same
/// in both. Users mix the two up, or write `[Profile NAME]`, `[profile: NAME]`, `[sso_session NAME]`.
///
/// - Source: docs/facts/identity.md#config-files; botocore 1.43, `configloader.build_profile_map`
struct StrayHeading {
    let text: String
    let path: String
    let line: Int
    let isCredentials: Bool

    init(_ text: String, _ path: String, line: Int, isCredentials: Bool) {
        (self.text, self.path, self.line, self.isCredentials) = (text, path, line, isCredentials)
    }

    /// Returns how to correct the heading if it was meant for `profile`.
    func advice(for profile: String) -> String? {
        let names =
            isCredentials
            ? [name(after: ["profiles", "profile"])].compactMap { $0 }
            : [name(after: ["profiles", "profile"]), Self.unquoted(text[...])].compactMap { $0 }
        // Both files read `[default]`.
        guard text != profile || !(isCredentials || profile == "default") else { return nil }
        if names.contains(profile) { return write(isCredentials ? profile : "profile \(quoted(profile))") }
        guard profile == "default", text.lowercased() == profile else { return nil }
        return "in \(place) write [default] instead of [\(quotable(text))]: headings are case-sensitive"
    }

    /// Returns how to correct the heading if it was meant for the sso-session `session`.
    func sessionAdvice(for session: String) -> String? {
        let kinds = [
            "profile sso-session", "sso-sessions", "sso-session", "sso_session", "sso session", "ssosession", "sso",
            "session",
        ]
        guard !isCredentials else {
            return name(after: kinds) == session
                ? "move [\(quotable(text))] from \(place) to the config file, which is where sessions are read" : nil
        }
        return name(after: kinds) == session || Self.unquoted(text[...]) == session
            ? write("sso-session \(quoted(session))") : nil
    }

    private var place: String { "\(path):\(line)" }

    private func write(_ heading: String) -> String {
        "in \(place) write [\(quotable(heading))] instead of [\(quotable(text))]: "
            + (isCredentials
                ? "in the credentials file a heading is the profile's name alone"
                : "the config file accepts only this form")
    }

    /// Puts quotes around a name that contains a blank, as the config file requires.
    private func quoted(_ name: String) -> String { name.contains(where: \.isWhitespace) ? "\"\(name)\"" : name }

    /// Returns the name that follows one of the words, which may be in upper or lower case; punctuation between them is
    /// skipped.
    private func name(after words: [String]) -> String? {
        let lowered = text.lowercased()
        guard let word = words.first(where: lowered.hasPrefix) else { return nil }
        let rest = text.dropFirst(word.count).drop {
            $0.isWhitespace || $0 == ":" || $0 == "=" || $0 == "-" || $0 == "_"
        }
        return rest.isEmpty ? nil : Self.unquoted(rest)
    }

    private static func unquoted(_ text: Substring) -> String {
        let name = trimmed(text)
        guard name.count > 2, let first = name.unicodeScalars.first, let last = name.unicodeScalars.last, first.isQuote,
            last.isQuote
        else { return String(name) }
        return String(name.dropFirst().dropLast())
    }
}

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

    /// How to write the heading if it was meant for `profile`.
    func advice(for profile: String) -> String? {
        let names =
            isCredentials
            ? [name(after: ["profiles", "profile"])].compactMap { $0 }
            : [name(after: ["profiles", "profile"]), Self.unquoted(text[...])].compactMap { $0 }
        // Both files read `[default]`.
        guard text != profile || !(isCredentials || profile == "default") else { return nil }
        if names.contains(profile) { return write(isCredentials ? profile : "profile \(quoted(profile))") }
        guard profile == "default", text.lowercased() == profile else { return nil }
        return "in \(place) write [default] for [\(quotable(text))]: capitals and small letters are different there"
    }

    /// How to write the heading if it was meant for the sso-session `session`.
    func sessionAdvice(for session: String) -> String? {
        let kinds = [
            "profile sso-session", "sso-sessions", "sso-session", "sso_session", "sso session", "ssosession", "sso",
            "session",
        ]
        guard !isCredentials else {
            return name(after: kinds) == session
                ? "move [\(quotable(text))] from \(place) to the config file, where it is read" : nil
        }
        return name(after: kinds) == session || Self.unquoted(text[...]) == session
            ? write("sso-session \(quoted(session))") : nil
    }

    private var place: String { "\(path):\(line)" }

    private func write(_ heading: String) -> String {
        "in \(place) write [\(quotable(heading))] for [\(quotable(text))]: "
            + (isCredentials
                ? "the credentials file names a profile without the word profile"
                : "the config file reads no other heading as that")
    }

    /// Puts quotes around a name that contains a blank, as the config file needs them.
    private func quoted(_ name: String) -> String { name.contains(where: \.isWhitespace) ? "\"\(name)\"" : name }

    /// Returns what follows one of the words, in upper or lower case, without the punctuation between.
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

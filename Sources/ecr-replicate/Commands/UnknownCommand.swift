import Content

/// An unknown command, with the command that the user may have meant.
struct UnknownCommand {
    let word: String
    let known: [String]

    /// The commands of other tools, with this program's command and the flag that makes it equivalent.
    private static let otherNames: [String: String] = [
        "cp": "copy", "clone": "copy", "mirror": "copy --all-tags", "push": "copy",
        "pull": "copy",
        "replicate": "copy", "transfer": "copy", "mv": "copy", "move": "copy", "export": "copy", "import": "copy",
        "save": "copy", "load": "copy",
        "tag": "retag", "re-tag": "retag", "tags": "ls", "rename": "retag", "alias": "retag",
        "release": "promote", "deploy": "promote", "publish": "promote",
        "list": "ls", "images": "ls", "dir": "ls", "catalog": "ls", "repos": "ls", "repositories": "ls",
        "list-tags": "ls",
        "show": "inspect", "manifest": "inspect", "describe": "inspect", "digest": "inspect", "info": "inspect",
        "check": "doctor", "diagnose": "doctor", "login": "doctor", "auth": "doctor", "whoami": "doctor",
        "iam": "iam-policy", "policy": "iam-policy", "permissions": "iam-policy",
        "server": "emulator", "serve": "emulator", "emulate": "emulator", "tutorial": "demo", "example": "demo",
        "usage": "help", "man": "help",
    ]

    /// The command that the user may have meant; `nil` if none is similar.
    var suggestion: String? {
        let word = word.lowercased()
        if known.contains(word) { return word }
        if let other = Self.otherNames[word], known.contains(String(other.prefix { $0 != " " })) { return other }
        let longer = known.filter { $0.hasPrefix(word) }
        if word.count >= 2, longer.count == 1 { return longer[0] }
        let near = known.map { (name: $0, distance: letterDistance($0, word)) }
            .filter { $0.distance <= min(2, max(1, word.count / 2)) }
        return near.min { $0.distance < $1.distance }?.name
    }

    /// The whole error message.
    var complaint: String {
        let said = "unknown command '\(quotable(word))'"
        guard let suggestion else { return "\(said)\n  next: use one of \(known.joined(separator: ", "))" }
        let advice = "\(said). Did you mean '\(suggestion)'?"
        guard ["login", "auth"].contains(word.lowercased()) else { return advice }
        return
            "\(advice)\n  next: log in with the AWS CLI, or with docker login for other registries; 'doctor' shows which "
            + "credentials are used"
    }
}

internal import Content

/// Checks of a value that was pasted into a variable or a file.
///
/// With a line break or a quote in a key, AWS calls the request incomplete or the signature wrong, and neither answer
/// points at the paste. Valid AWS values never contain white space, quotes or non-ASCII characters.
///
/// - Source: github.com/aws-actions/configure-aws-credentials/issues/50, github.com/Noovolari/leapp/issues/88
enum PastedText {
    /// Finds the fault of a value.
    ///
    /// - Returns: The fault, as a predicate for the value's name, which never quotes the value; `nil` for a valid
    ///   value.
    static func fault(in text: String) -> String? {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, let last = scalars.last else { return nil }
        if last.isLineBreak { return "ends with a line break\(text.hasSuffix("\r\n") ? " (CR LF)" : "")" }
        if let name = ownName(text) { return "begins with \(name): set it to the part after the =" }
        if first.isQuote || last.isQuote { return "has quotes around it" }
        if scalars.contains(where: \.isLineBreak) { return "has a line break in it" }
        if let scalar = scalars.first(where: \.isInvisible) {
            let code = String(scalar.value, radix: 16, uppercase: true)
            return
                "has an invisible character in it (U+\(String(repeating: "0", count: max(0, 4 - code.count)))\(code))"
        }
        if text.contains(" #") || text.contains(" ;") || text.contains("\t#") { return "has a comment after it" }
        if last.properties.isWhitespace { return "ends with a blank" }
        if first.properties.isWhitespace { return "begins with a blank" }
        if scalars.contains(where: \.properties.isWhitespace) { return "has a blank in it" }
        if ["${", "$(", "{{"].contains(where: text.contains) { return "has a variable in it that was not replaced" }
        if let scalar = scalars.first(where: { !$0.isASCII }) {
            return "has a character in it that no key has (\(quotable(String(scalar))))"
        }
        return nil
    }

    /// Returns what a value begins with, if that is a command such as `export ` or a variable's name.
    private static func ownName(_ text: String) -> String? {
        var rest = text[...]
        while let first = rest.unicodeScalars.first, first.isAroundPastes {
            rest.unicodeScalars.removeFirst()
        }
        let lowered = rest.lowercased()
        for command in ["export ", "set ", "setx ", "$env:"] where lowered.hasPrefix(command) {
            return "'\(command.hasSuffix(" ") ? String(command.dropLast()) : command)'"
        }
        guard lowered.hasPrefix("aws_"), let delimiter = lowered.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
            return nil
        }
        let name = trimmed(lowered[..<delimiter])
        guard name.utf8.allSatisfy({ $0 == 95 || (97...122).contains($0) }) else { return nil }
        return "a variable's name"
    }
}

/// Keys as read from a variable or a file, before they are checked.
struct PastedKeys {
    /// A value and the name of its place: `AWS_ACCESS_KEY_ID`, `aws_access_key_id of profile 'ci'`.
    struct Value {
        var name: String
        var text: String
    }

    var id: Value
    var secret: Value
    var token: Value?
    /// The name of the place where a missing token belongs.
    var tokenName: String
    /// The place of the keys as `path:line`, if their names don't tell.
    var place: String?

    /// Refuses malformed keys before anything is signed with them.
    ///
    /// - Throws: ``IdentityError``, which quotes none of the keys.
    func check() throws {
        try checkMixUps()
        for value in [id, secret] + (token.map { [$0] } ?? []) {
            if let fault = PastedText.fault(in: value.text) {
                throw wrong(
                    "\(value.name) \(fault)",
                    "set it to the value alone, without quotes, blanks or line breaks"
                )
            }
        }
        if token == nil, Self.isTemporary(id.text) {
            throw wrong(
                "\(id.name) is a temporary key (ASIA…), and its session token is missing: \(tokenName) is not set",
                "set all three values of one answer: `aws configure export-credentials --format env` prints them"
            )
        }
    }

    /// Refuses a value that was pasted into another value's place.
    private func checkMixUps() throws {
        let core = trimmed(id.text)
        if Self.isKeyID(trimmed(secret.text)) {
            throw Self.isKeyID(core)
                ? wrong(
                    "\(secret.name) is the id of an access key, not its secret",
                    "set it to the secret access key"
                )
                : wrong("\(id.name) and \(secret.name) are swapped", "exchange the two values")
        }
        if let colon = core.firstIndex(of: ":"), Self.isKeyID(core[..<colon]) {
            throw wrong("\(id.name) has more than the key id in it", "set it to the part before the colon")
        }
        if core.utf8.count == 21, ["AIDA", "AROA", "AGPA", "ANPA"].contains(where: core.hasPrefix) {
            throw wrong(
                "\(id.name) is the id of a user or a role, not of an access key",
                "set it to the id of an access key, which begins with AKIA or ASIA"
            )
        }
    }

    private func wrong(_ problem: String, _ remedy: String) -> IdentityError {
        IdentityError(problem, tried: place.map { [$0] } ?? [], remedy: remedy)
    }

    /// Whether a text has the form of an access key id.
    ///
    /// - Source: IAM User Guide, "IAM identifiers", unique ID prefixes; STS API Reference, `AccessKeyId` (16 to 128)
    static func isKeyID(_ text: some StringProtocol) -> Bool {
        ["AKIA", "ASIA"].contains { text.hasPrefix($0) } && (16...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { (48...57).contains($0) || (65...90).contains($0) }
    }

    private static func isTemporary(_ text: String) -> Bool { text.hasPrefix("ASIA") && isKeyID(text) }
}

extension AWSCredentials {
    /// The advice for keys that AWS refuses and whose form shows that the session token belongs to other keys.
    package var pairingAdvice: String? {
        guard sessionToken != nil, accessKeyID.hasPrefix("AKIA"), PastedKeys.isKeyID(accessKeyID) else { return nil }
        let place = source == "environment" ? "unset AWS_SESSION_TOKEN" : "remove the session token (\(source))"
        return "\(place): a key that begins with AKIA is permanent and has no session token; the token that was sent "
            + "belongs to another key"
    }
}

import ArgumentParser
import Content
import FoundationEssentials

/// The options of each subcommand, by their long names.
struct KnownOptions {
    /// The names by subcommand, including hidden ones.
    private let names: [String: [String]]

    init(of root: any ParsableCommand.Type) {
        let description = root._dumpHelp()
        let dump = try? JSONDecoder().decode(Dump.self, from: Data(description.utf8))
        let pairs = dump?.command.subcommands?.map { ($0.commandName, $0.options) } ?? []
        names = Dictionary(pairs) { first, _ in first }
    }

    /// Returns the options of a subcommand; an empty list for an unknown one.
    subscript(command: String) -> [String] { names[command] ?? [] }

    /// Returns an error message for the first unknown option, with the option that the user may have meant.
    ///
    /// - Parameter arguments: The subcommand's name and the words after it.
    /// - Returns: `nil` if all options are known, or if the subcommand isn't.
    func complaint(about arguments: [String]) -> String? {
        guard let command = arguments.first, let known = names[command] else { return nil }
        let words = arguments.dropFirst().prefix { $0 != "--" }
            .filter { $0.hasPrefix("--") }
            .map { String($0.prefix { $0 != "=" }) }
        guard let unknown = words.first(where: { !(known + Self.common).contains($0) }) else { return nil }
        if let advice = Self.otherTools[String(unknown.prefix { $0 != "=" })] {
            return "Unknown option '\(unknown)'.\n  next: \(advice)"
        }
        let likely = known.map { (name: $0, distance: letterDistance($0, unknown)) }
            .filter { $0.distance <= Self.greatestDistance }
            .min { $0.distance < $1.distance }
        return "Unknown option '\(unknown)'." + (likely.map { " Did you mean '\($0.name)'?" } ?? "")
    }

    /// Options of crane, skopeo, regctl and oras, with their counterparts here.
    private static let otherTools: [String: String] = {
        let tls =
            "pass a private CA with --ca-bundle FILE, or write http://HOST/… for plain http; certificates are always "
            + "verified"
        let logins = "log in with docker login or podman login: their stored logins are used"
        let platforms = "leave it out: all platforms are copied unless --platform selects some"
        let json = "write --output json"
        return [
            "--all": platforms, "--multi-arch": platforms, "--all-platforms": platforms, "--src-tls-verify": tls,
            "--dest-tls-verify": tls, "--tls-verify": tls, "--insecure": tls, "--plain-http": tls,
            "--from-plain-http": tls, "--to-plain-http": tls, "--src-creds": logins, "--dest-creds": logins,
            "--creds": logins, "--username": logins, "--password": logins, "--authfile": logins,
            "--format": json, "--json": json,
            "--recursive": "leave it out: referrers are copied unless --referrers none is given",
        ]
    }()

    /// Returns a word with one leading hyphen that is too long for a short option; `-h` is the only short option.
    static func longShortOption(in arguments: [String]) -> String? {
        arguments.dropFirst().prefix { $0 != "--" }.first { word in
            word.hasPrefix("-") && !word.hasPrefix("--") && word.count > 2
        }
    }

    /// Returns what to write instead of another tool's option, or instead of a value that begins with a hyphen and was
    /// read as an option.
    func advice(on arguments: [String]) -> String? {
        guard let command = arguments.first, let known = names[command] else { return nil }
        let words = Array(arguments.dropFirst().prefix { $0 != "--" })
        for word in words where !known.contains(word) {
            if let advice = Self.otherTools[String(word.prefix { $0 != "=" })] { return advice }
        }
        for (word, next) in zip(words, words.dropFirst())
        where ["--tag", "--match", "--exclude"].contains(word) && known.contains(word) && next.hasPrefix("-") {
            return "write a value that begins with a hyphen as \(word)=\(next)"
        }
        guard command == "retag", let tag = words.first(where: { $0.hasPrefix("-") && !$0.hasPrefix("--") }) else {
            return nil
        }
        return "write a tag that begins with a hyphen after --: retag SOURCE -- \(tag)"
    }

    private static let common = ["--help", "--help-hidden", "--version", "--generate-completion-script"]

    /// The greatest edit distance of a suggestion, in letters, as in the parser's own suggestions.
    ///
    /// - Source: swift-argument-parser, UsageGenerator
    private static let greatestDistance = 3

    // MARK: The parser's dump of its options

    private struct Dump: Decodable {
        var command: Command
    }

    private struct Command: Decodable {
        var commandName: String
        var subcommands: [Command]?
        var arguments: [Argument]?

        var options: [String] {
            (arguments ?? []).flatMap { $0.names ?? [] }.filter { $0.kind == "long" }.map { "--\($0.name)" }
                + (subcommands ?? []).flatMap(\.options)
        }
    }

    private struct Argument: Decodable {
        var names: [Name]?
    }

    private struct Name: Decodable {
        var kind: String
        var name: String
    }
}

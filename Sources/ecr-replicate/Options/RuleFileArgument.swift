import ArgumentParser
import Content
import Platform
import Reporting
import Rules

/// The option of commands that take either references or a rule file.
struct RuleFileArgument: ParsableArguments {
    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp(
            "A rule file in YAML instead of references; - for standard input. The arguments are then names of rules.",
            valueName: "file"
        ),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var file: String?

    /// Refuses an option that only a copy of references has.
    ///
    /// - Parameter why: What decides instead.
    func refuse(_ option: String, _ isGiven: Bool, _ why: String) throws {
        guard file != nil, isGiven else { return }
        throw ValidationError("\(option) and -f can't be used together: \(why)\n  next: leave out one of them")
    }

    /// Returns the rules with these names; all rules for no names.
    ///
    /// - Throws: A usage error for a name that no rule has, which may be a reference.
    static func rules(of file: RuleFile, named names: [String]) throws -> [Rule] {
        let known = Set(file.rules.map(\.name))
        // No name of a rule has one of these.
        if let reference = names.first(where: { name in !known.contains(name) && name.contains { "/:@".contains($0) } })
        {
            throw ValidationError(
                "'\(quotable(reference, upTo: 200))' is a reference, and -f takes names of rules\n"
                    + "  next: leave out -f, or name rules of the file"
            )
        }
        return try usage { try file.rules(named: names) }
    }
}

/// Calls `body` with a rule file's bytes, and ends with exit status 64 if the file has mistakes.
func readRuleFile<Value>(
    _ file: String,
    for command: String,
    printsJSON: Bool,
    _ body: ([UInt8]) throws -> Value
) throws -> Value {
    do {
        return try body(try usage { try RuleFileBytes.read(file) })
    } catch let error as RuleFileError {
        LineStream.standardError.say("\(error)")
        if printsJSON { printJSON(RuleProblemDocument(command: command, error)) }
        throw ExitCode(ExitStatus.wrongUsage)
    }
}

/// Reads an argument that is a name of a rule with -f, and a reference without it.
func readArgument<Value>(
    _ text: String,
    as argument: String,
    _ parse: (String) throws(ReferenceError) -> Value
) throws -> Value {
    do {
        return try parse(text)
    } catch {
        throw ValidationError("The value '\(text)' is invalid for '\(argument)': \(error)")
    }
}

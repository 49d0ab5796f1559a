internal import Content
internal import Platform

/// Replaces `${NAME}`, `${NAME:-default}`, `${NAME:?message}` and `$$` in one value of a rule file.
///
/// It works on values that are already parsed, so a variable can't add keys or items.
struct Substitution {
    /// The value.
    var text = ""
    /// Whether a variable or its default is part of the value.
    var isSubstituted = false

    /// A variable that is not set, or that is written wrongly.
    struct Fault: Error, Equatable {
        var message: String
        var suggestion: String?
    }

    init(of written: String, with variables: EnvironmentVariables) throws(Fault) {
        var rest = Substring(written)
        while let dollar = rest.firstIndex(of: "$") {
            text += rest[..<dollar]
            rest = rest[dollar...].dropFirst()
            switch rest.first {
            case "$":
                text += "$"
                rest = rest.dropFirst()
            case "{":
                guard let end = rest.firstIndex(of: "}") else {
                    throw Fault(message: "there is a ${ without its }", suggestion: "write ${NAME}, or $$ for a dollar")
                }
                let inside = rest[..<end].dropFirst()
                text += try Self.value(of: inside, variables)
                isSubstituted = true
                rest = rest[end...].dropFirst()
            case let next? where next.isASCII && next.isLetter || next == "_":
                let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" }
                throw Fault(
                    message: "$\(name) is not replaced: a variable is written in braces",
                    suggestion: "write ${\(name)}, or $$ for a dollar"
                )
            default: text += "$"
            }
        }
        text += rest
    }

    private static func value(of inside: Substring, _ variables: EnvironmentVariables) throws(Fault) -> String {
        let name = inside.prefix { $0.isASCII && ($0.isLetter || $0.isNumber) || $0 == "_" }
        guard let first = name.first, !first.isNumber else {
            throw Fault(
                message: "'\(quotable(inside, upTo: 100))' is not the name of a variable",
                suggestion: "write ${NAME}, or $$ for a dollar"
            )
        }
        let value = variables.all[String(name)]
        let rest = inside[name.endIndex...]
        guard !rest.contains("${") else {
            throw Fault(message: "a default can't contain a variable", suggestion: "set \(name) instead")
        }
        if rest.isEmpty {
            if let value { return value }
            throw Fault(
                message: "the variable \(name) is not set",
                suggestion: "set it, or write ${\(name):-DEFAULT}"
            )
        }
        let set = value.flatMap { $0.isEmpty ? nil : $0 }
        if rest.hasPrefix(":-") { return set ?? String(rest.dropFirst(2)) }
        if rest.hasPrefix(":?") {
            if let set { return set }
            let message = rest.dropFirst(2)
            throw Fault(
                message: "the variable \(name) is not set" + (message.isEmpty ? "" : ": \(printable(message))"),
                suggestion: "set it"
            )
        }
        throw Fault(
            message: "'${\(quotable(inside, upTo: 100))}' is not a form of a variable",
            suggestion: "write ${\(name)}, ${\(name):-DEFAULT} or ${\(name):?MESSAGE}"
        )
    }
}

internal import Content
internal import Replicate

/// Turns regular expressions of Go's programs into patterns of rule files, which match a whole name.
///
/// - Source: docs/facts/rule-files-of-others.md#expressions
enum ForeignExpression {
    /// What the other program puts around an expression before it searches for it in a name.
    enum Search {
        /// `^` and `$`, as regsync does; of several alternatives, the first begins and the last ends the name.
        case betweenEnds
        /// Nothing, as skopeo does: a match anywhere in the name is enough.
        case anywhere
    }

    /// The pattern that selects what the other program selects, as a rule file has it.
    static func pattern(_ expression: String, _ search: Search) throws(NotTranslatable) -> String {
        do throws(TextExpression.Problem) {
            _ = try TextExpression.parse(expression)
        } catch {
            let reason = "\(shown(expression)) is an expression that a rule file can't have: \(error.reason)"
            throw NotTranslatable(reason: reason, remedy: error.remedy.map(inRuleFileWords))
        }
        return written(wholeMatch(of: expression, search))
    }

    private static func wholeMatch(of expression: String, _ search: Search) -> String {
        let hasAlternatives = hasAlternatives(expression)
        switch search {
        case .betweenEnds where !hasAlternatives: return literal(expression) ?? "re:\(expression)"
        case .betweenEnds: return "re:.*(?:^\(expression)$).*"
        case .anywhere: break
        }
        guard !hasAlternatives else { return "re:.*(?:\(expression)).*" }
        var core = expression[...]
        let begins = core.hasPrefix("^")
        if begins { core.removeFirst() }
        let ends = endsWithAnchor(core)
        if ends { core.removeLast() }
        if begins, ends, let literal = literal(String(core)) { return literal }
        if core.isEmpty { return begins && ends ? "re:\(expression)" : "re:.*" }
        let whole = (begins ? "" : ".*") + core + (ends ? "" : ".*")
        // What followed the ^ may have repeated it.
        return (try? TextExpression.parse(whole)) == nil ? "re:.*(?:\(expression)).*" : "re:\(whole)"
    }

    /// Whether the last character is a `$` that is not escaped.
    private static func endsWithAnchor(_ expression: Substring) -> Bool {
        guard expression.hasSuffix("$") else { return false }
        let backslashes = expression.dropLast().reversed().prefix { $0 == "\\" }
        return backslashes.count.isMultiple(of: 2)
    }

    /// The only name that an expression matches as a whole, if it is obvious: letters, digits and escaped dots.
    private static func literal(_ expression: String) -> String? {
        var name = ""
        var rest = expression[...]
        while let character = rest.popFirst() {
            switch character {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-", "/": name.append(character)
            case "\\" where rest.first == "." || rest.first == "-": name.append(rest.removeFirst())
            default: return nil
            }
        }
        return name.isEmpty ? nil : name
    }

    /// Whether there is a `|` outside of all groups and classes.
    static func hasAlternatives(_ expression: String) -> Bool {
        var depth = 0
        var rest = expression.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\": _ = rest.popFirst()
            case "[": skipClass(&rest)
            case "(": depth += 1
            case ")": depth -= 1
            case "|" where depth == 0: return true
            default: continue
            }
        }
        return false
    }

    private static func skipClass(_ rest: inout Substring.UnicodeScalarView) {
        if rest.first == "^" { rest.removeFirst() }
        // The first ] stands for itself.
        if rest.first == "]" { rest.removeFirst() }
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\\": _ = rest.popFirst()
            case "[" where rest.first == ":":
                while let inner = rest.popFirst(), inner != "]" {}
            case "]": return
            default: continue
            }
        }
    }
}

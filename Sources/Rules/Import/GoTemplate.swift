internal import Content

/// Evaluates the Go templates in regsync's values, as far as the file alone decides them.
///
/// The value of an environment variable is not looked up: `{{env "NAME"}}` becomes `${NAME}`. What depends on anything
/// else, as `{{file "…"}}`, is not translatable.
///
/// - Source: docs/facts/rule-files-of-others.md#templates
struct GoTemplate {
    private enum Token: Equatable {
        case text(String), number(Int), word(String), field(String)
        case open, close, pipe
    }

    private enum Value {
        case text(ForeignText)
        case number(Int)
        case list([ForeignText])
    }

    private var tokens: [Token]
    private var depth = 0
    private let fields: [String: ForeignText]

    /// The deepest nesting of parentheses.
    private static let deepest = 20

    /// - Parameter fields: The values that begin with a dot, as `.Sync.Source`.
    static func text(of template: String, _ fields: [String: ForeignText]) throws(NotTranslatable) -> ForeignText {
        var made = ForeignText("")
        var rest = template[...]
        while let start = rest.firstRange(of: "{{") {
            var before = rest[..<start.lowerBound]
            guard let end = Self.end(of: rest[start.upperBound...]) else {
                throw NotTranslatable(reason: "the template \(shown(template)) has a {{ without its }}")
            }
            var action = rest[start.upperBound..<end]
            rest = rest[end...].dropFirst(2)
            // `{{-` and `-}}` remove the blanks beside them.
            if action.first == "-", action.dropFirst().first?.isWhitespace == true {
                action = action.dropFirst()
                while before.last?.isWhitespace == true { before.removeLast() }
            }
            if action.last == "-", action.dropLast().last?.isWhitespace == true {
                action = action.dropLast()
                rest = rest.drop { $0.isWhitespace }
            }
            try made.append(try literal(before))
            if action.hasPrefix("/*") { continue }
            try made.append(try value(of: action, fields))
        }
        try made.append(try literal(rest))
        return made
    }

    private static func literal(_ text: Substring) throws(NotTranslatable) -> ForeignText {
        guard !ForeignText.hasVariable(text) else {
            throw NotTranslatable(reason: "private use characters have no meaning in a name")
        }
        return ForeignText(String(text))
    }

    /// The position of the `}}` that ends an action; braces in its texts don't.
    private static func end(of action: Substring) -> String.Index? {
        var quote: Character?
        var index = action.startIndex
        while index < action.endIndex {
            let character = action[index]
            if let open = quote {
                if character == "\\", open == "\"" {
                    index = action.index(after: index)
                    guard index < action.endIndex else { return nil }
                } else if character == open {
                    quote = nil
                }
            } else if character == "\"" || character == "`" {
                quote = character
            } else if action[index...].hasPrefix("}}") {
                return index
            }
            index = action.index(after: index)
        }
        return nil
    }

    private static func value(
        of action: Substring,
        _ fields: [String: ForeignText]
    ) throws(NotTranslatable) -> ForeignText {
        var template = GoTemplate(tokens: try tokens(of: action).reversed(), fields: fields)
        let value = try template.pipeline()
        guard template.tokens.isEmpty else { throw NotTranslatable(reason: "the template has a ) without its (") }
        switch value {
        case .text(let text): return text
        case .number(let number): return ForeignText(String(number))
        case .list: throw NotTranslatable(reason: "the template gives a list in place of a text")
        }
    }

    private init(tokens: [Token], fields: [String: ForeignText]) { (self.tokens, self.fields) = (tokens, fields) }

    // MARK: Reading

    private static func tokens(of action: Substring) throws(NotTranslatable) -> [Token] {
        var tokens: [Token] = []
        var rest = action
        while let first = rest.first {
            switch first {
            case _ where first.isWhitespace: rest.removeFirst()
            case "(": tokens.append(.open); rest.removeFirst()
            case ")": tokens.append(.close); rest.removeFirst()
            case "|": tokens.append(.pipe); rest.removeFirst()
            case "\"", "`": tokens.append(.text(try string(&rest)))
            case ".":
                let field = rest.prefix { $0 == "." || isOfName($0) }
                tokens.append(.field(String(field)))
                rest = rest.dropFirst(field.count)
            case "0"..."9":
                let digits = rest.prefix { ("0"..."9").contains($0) }
                guard digits.count <= 9, let number = Int(digits) else {
                    throw NotTranslatable(reason: "the template has a number that is too large")
                }
                tokens.append(.number(number))
                rest = rest.dropFirst(digits.count)
            case _ where isOfName(first):
                let word = rest.prefix(while: isOfName)
                tokens.append(.word(String(word)))
                rest = rest.dropFirst(word.count)
            default:
                throw NotTranslatable(reason: "'\(quotable(String(first)))' in a template has no equivalent")
            }
        }
        return tokens
    }

    private static func isOfName(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber) || character == "_"
    }

    private static func string(_ rest: inout Substring) throws(NotTranslatable) -> String {
        let quote = rest.removeFirst()
        var text = ""
        while let character = rest.popFirst() {
            if character == quote {
                guard !ForeignText.hasVariable(text) else {
                    throw NotTranslatable(reason: "private use characters have no meaning in a name")
                }
                return text
            }
            guard character == "\\", quote == "\"" else {
                text.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": text.append("\n")
            case "t": text.append("\t")
            case let escaped? where "\\\"'".contains(escaped): text.append(escaped)
            default: throw NotTranslatable(reason: "the template has an escape that is not supported")
            }
        }
        throw NotTranslatable(reason: "the template has a quote without its end")
    }

    // MARK: Evaluating

    private mutating func pipeline() throws(NotTranslatable) -> Value {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw NotTranslatable(reason: "the template is nested too deeply") }
        var value = try command(after: nil)
        while tokens.last == .pipe {
            tokens.removeLast()
            value = try command(after: value)
        }
        return value
    }

    /// - Parameter piped: The value before the `|`, which is the last argument.
    private mutating func command(after piped: Value?) throws(NotTranslatable) -> Value {
        guard let first = tokens.popLast() else { throw NotTranslatable(reason: "the template has an empty action") }
        if case .word(let function) = first {
            guard Self.functions.contains(function) else { throw Self.noEquivalent(function) }
            var arguments: [Value] = []
            while let next = tokens.last, next != .pipe, next != .close {
                tokens.removeLast()
                arguments.append(try operand(next))
            }
            if let piped { arguments.append(piped) }
            return try call(function, arguments)
        }
        let value = try operand(first)
        guard piped == nil, tokens.last == nil || tokens.last == .pipe || tokens.last == .close else {
            throw NotTranslatable(reason: "the template applies something that is not a function")
        }
        return value
    }

    private mutating func operand(_ token: Token) throws(NotTranslatable) -> Value {
        switch token {
        case .text(let text): return .text(ForeignText(text))
        case .number(let number): return .number(number)
        case .field(let name):
            guard let value = fields[name] else {
                throw NotTranslatable(reason: "the template's value \(shown(name)) is not known from the file")
            }
            return .text(value)
        case .open:
            let value = try pipeline()
            guard tokens.popLast() == .close else {
                throw NotTranslatable(reason: "the template has a ( without its )")
            }
            return value
        case .word(let name): throw Self.noEquivalent(name)
        case .close, .pipe: throw NotTranslatable(reason: "the template has an empty action")
        }
    }

    private static let functions: Set = ["env", "default", "lower", "upper", "split", "join", "index"]

    private static func noEquivalent(_ function: String) -> NotTranslatable {
        NotTranslatable(
            reason: "the template function '\(quotable(function, upTo: 100))' has no equivalent",
            remedy: function == "file" ? "put the value into an environment variable, and write ${NAME}" : nil
        )
    }

    private func call(_ function: String, _ arguments: [Value]) throws(NotTranslatable) -> Value {
        switch (function, arguments.count) {
        case ("env", 1):
            guard case .text(let name) = arguments[0], let variable = Self.variable(name.marked) else { break }
            return .text(ForeignText(standing: variable))
        case ("default", 2):
            guard case .text(let fallback) = arguments[0], case .text(let text) = arguments[1] else { break }
            return .text(try Self.text(text, or: fallback))
        case ("lower", 1), ("upper", 1):
            guard case .text(let text) = arguments[0], text.stands.isEmpty else { break }
            return .text(ForeignText(function == "lower" ? text.marked.lowercased() : text.marked.uppercased()))
        case ("split", 2):
            guard case .text(let text) = arguments[0], case .text(let separator) = arguments[1],
                separator.stands.isEmpty, !separator.marked.isEmpty
            else { break }
            let parts = text.marked.split(separator: separator.marked, omittingEmptySubsequences: false)
            return .list(parts.map { text.part($0) })
        case ("join", 2):
            guard case .list(let texts) = arguments[0], case .text(let separator) = arguments[1] else { break }
            var joined = ForeignText("")
            for (index, text) in texts.enumerated() {
                if index > 0 { try joined.append(separator) }
                try joined.append(text)
            }
            return .text(joined)
        case ("index", 2):
            guard case .list(let texts) = arguments[0], case .number(let index) = arguments[1] else { break }
            guard texts.indices.contains(index) else {
                throw NotTranslatable(reason: "the template asks for part \(index) of a text that has \(texts.count)")
            }
            return .text(texts[index])
        default: break
        }
        throw Self.noEquivalent(function)
    }

    /// `${NAME}`, if this is the name of a variable.
    private static func variable(_ name: String) -> String? {
        guard let first = name.first, !first.isNumber, name.allSatisfy(isOfName) else { return nil }
        return "${\(name)}"
    }

    private static func text(_ text: ForeignText, or fallback: ForeignText) throws(NotTranslatable) -> ForeignText {
        if text.stands.isEmpty { return text.marked.isEmpty ? fallback : text }
        guard text.stands.count == 1, text.marked == ForeignText(standing: text.stands[0]).marked,
            text.stands[0].hasPrefix("${"), text.stands[0].hasSuffix("}"), !text.stands[0].contains(":"),
            fallback.stands.isEmpty, !fallback.marked.contains(where: { "${}".contains($0) })
        else { throw noEquivalent("default") }
        return ForeignText(standing: "\(text.stands[0].dropLast()):-\(fallback.marked)}")
    }
}

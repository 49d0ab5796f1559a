internal import Content
internal import Platform

/// Reads single values, and collects what is wrong with them.
struct ValueReader {
    let variables: EnvironmentVariables
    var problems: ProblemList

    mutating func complain<Value>(_ about: Located<Value>, _ message: String, _ suggestion: String? = nil) {
        problems.add(.init(at: about.position, about.path, message, suggestion))
    }

    // MARK: Mappings and lists

    /// The values of a mapping by key, without those that the shape does not know.
    ///
    /// - Returns: `nil` if it is not a mapping.
    mutating func keys(of node: Unread, _ shape: Shape) -> [String: Unread]? {
        guard let entries = mapping(node) else { return nil }
        var values: [String: Unread] = [:]
        for entry in entries {
            let value = Located(entry.node, at: entry.node.position, pathed(node.path, entry.key))
            if shape[entry.key] != nil {
                values[entry.key] = value
            } else {
                let key = Located(entry.key, at: entry.keyPosition, value.path)
                complain(key, "unknown key '\(quotable(entry.key, upTo: 100))'", advice(on: entry.key, shape))
            }
        }
        for key in shape.keys where key.isRequired && values[key.name] == nil {
            let wasMistyped = entries.contains { shape[$0.key] == nil && shape.meant(by: $0.key) == key.name }
            if !wasMistyped {
                complain(node, "'\(key.name)' is missing", "add \(key.name): \(key.summary.asPhrase)")
            }
        }
        return values
    }

    /// The entries of a mapping whose keys the user chooses.
    mutating func named(_ node: Unread) -> [(key: Located<String>, value: Unread)] {
        (mapping(node) ?? []).map { entry in
            let path = pathed(node.path, entry.key)
            return (
                Located(entry.key, at: entry.keyPosition, path), Located(entry.node, at: entry.node.position, path)
            )
        }
    }

    private mutating func mapping(_ node: Unread) -> [RuleNode.Entry]? {
        if let entries = node.value.entries { return entries }
        guard !node.value.isFaulty else { return nil }
        complain(node, "this must be a mapping, and is \(node.value.kind)", "write KEY: VALUE, one to a line")
        return nil
    }

    private func advice(on key: String, _ shape: Shape) -> String {
        if let meant = shape.meant(by: key) { return "did you mean '\(meant)'?" }
        return "the keys here are \(shape.keys.map(\.name).joined(separator: ", ")); a key of your own begins with x-"
    }

    /// The items of a list.
    ///
    /// - Returns: `nil` if it is not a list.
    mutating func list(_ node: Unread) -> [Unread]? {
        guard !node.value.isFaulty else { return nil }
        guard case .list(let items) = node.value.value else {
            complain(node, "this must be a list, and is \(node.value.kind)", "begin each item with a hyphen")
            return nil
        }
        return items.enumerated().map { Located($1, at: $1.position, "\(node.path)[\($0)]") }
    }

    /// The items of a list, or the only item that is written without one.
    func items(_ node: Unread) -> [Unread] {
        guard case .list(let items) = node.value.value else { return [node] }
        return items.enumerated().map { Located($1, at: $1.position, "\(node.path)[\($0)]") }
    }

    // MARK: Single values

    mutating func text(_ node: Unread) -> Located<RuleText>? {
        guard !node.value.isFaulty else { return nil }
        guard case .scalar(let scalar) = node.value.value, !scalar.isNull else {
            complain(node, "this must be a text, and is \(node.value.kind)", "write one value after the colon")
            return nil
        }
        do {
            let substitution = try Substitution(of: scalar.written, with: variables)
            guard !substitution.text.isEmpty else {
                complain(node, "this must not be empty", "write a value, or remove the key")
                return nil
            }
            return node.with(RuleText(text: substitution.text, written: scalar.written, isPlain: scalar.isPlain))
        } catch {
            complain(node, error.message, error.suggestion)
            return nil
        }
    }

    mutating func texts(_ node: Unread) -> [Located<RuleText>] {
        var texts: [Located<RuleText>] = []
        for item in items(node) { if let text = text(item) { texts.append(text) } }
        return texts
    }

    mutating func flag(_ node: Unread) -> Located<Bool>? {
        guard let text = text(node) else { return nil }
        switch text.value.text {
        case "true": return text.with(true)
        case "false": return text.with(false)
        default:
            let isYes = ["yes", "on", "y", "1"].contains(text.value.text.lowercased())
            let isNo = ["no", "off", "n", "0"].contains(text.value.text.lowercased())
            let likely = isYes || text.value.text.lowercased() == "true" ? "true" : isNo ? "false" : "true or false"
            complain(text, "\(text.value.shown) is neither true nor false", "write \(likely)")
            return nil
        }
    }

    /// A whole number from 1.
    mutating func count(_ node: Unread) -> Located<Int>? {
        guard let text = text(node) else { return nil }
        let digits = text.value.text
        guard digits.utf8.count <= 9, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits),
            number > 0
        else {
            complain(
                text,
                "\(text.value.shown) is not a whole number from 1",
                "write a number from 1, or remove the key"
            )
            return nil
        }
        return text.with(number)
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ node: Unread,
        of: Choice.Type
    ) -> Located<Choice>? {
        guard let text = text(node) else { return nil }
        if let choice = Choice(rawValue: text.value.text) { return text.with(choice) }
        let words = Choice.allCases.map(\.rawValue)
        let lowered = text.value.text.lowercased()
        let meant = words.first { $0.lowercased() == lowered } ?? nearest(to: text.value.text, among: words)
        complain(
            text,
            "\(text.value.shown) is not one of \(words.joined(separator: ", "))",
            meant.map { "did you mean '\($0)'?" } ?? "write one of them"
        )
        return nil
    }

    mutating func duration(_ node: Unread) -> Located<Duration>? {
        guard let text = text(node) else { return nil }
        if let duration = Duration(ruleText: text.value.text) { return text.with(duration) }
        let isNumber = text.value.text.allSatisfy(\.isNumber)
        complain(
            text,
            "\(text.value.shown) is not a length of time",
            isNumber ? "add the unit: 30m, 1h or 7d" : "write a number with s, m, h, d or w, as 30m, 1h or 7d"
        )
        return nil
    }

    /// Reads a text by a parser of its own, whose error becomes the problem.
    ///
    /// - Parameter problem: The message and the suggestion for an error.
    mutating func parsed<Value, Failure>(
        _ text: Located<RuleText>,
        _ parse: (String) throws(Failure) -> Value,
        _ problem: (Failure) -> (String, String?)
    ) -> Located<Value>? {
        do {
            return text.with(try parse(text.value.text))
        } catch {
            let (message, suggestion) = problem(error)
            complain(text, hidden(message, text.value), suggestion.map { hidden($0, text.value) })
            return nil
        }
    }

    /// A message that quotes a value, with the text of the file in place of the value.
    private func hidden(_ message: String, _ text: RuleText) -> String {
        text.text == text.written
            ? message : message.replacing("'\(quotable(text.text, upTo: 200))'", with: text.shown)
    }
}

extension Duration {
    /// Reads numbers with units: `90s`, `30m`, `1h30m`, `7d`, `2w`.
    ///
    /// - Returns: `nil` for anything else, for zero, and for more than ten years.
    package init?(ruleText text: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800]
        var seconds = 0
        var rest = text[...]
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest[digits.endIndex...]
            guard (1...9).contains(digits.count), let number = Int(digits), let unit = rest.popFirst(),
                let factor = units[unit]
            else { return nil }
            seconds += number * factor
        }
        guard (1...315_360_000).contains(seconds) else { return nil }
        self = .seconds(seconds)
    }
}

extension String {
    /// A sentence as a part of another: without its capital and its full stop.
    fileprivate var asPhrase: String {
        let words = hasSuffix(".") ? dropLast() : self[...]
        return words.prefix(1).lowercased() + words.dropFirst()
    }
}

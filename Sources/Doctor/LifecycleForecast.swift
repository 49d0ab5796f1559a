internal import Content
internal import FoundationEssentials

/// What a repository's lifecycle policy will do with an image that arrives.
///
/// - Source: Amazon ECR User Guide, "Lifecycle policy properties"
struct LifecycleForecast {
    private struct Policy: Decodable {
        var rules: [Rule]
    }

    private struct Rule: Decodable {
        struct Selection: Decodable {
            var tagStatus: String
            var tagPrefixList: [String]?
            var tagPatternList: [String]?
            var countType: String
            var countUnit: String?
            var countNumber: Int
        }
        struct Action: Decodable { var type: String }
        var rulePriority: Int
        var description: String?
        var selection: Selection
        var action: Action
    }

    private let rules: [Rule]

    /// - Returns: `nil` if the text is not a policy of a known form.
    init?(_ text: String) {
        guard let policy = try? JSONDecoder().decode(Policy.self, from: Data(text.utf8)) else { return nil }
        rules = policy.rules.sorted { $0.rulePriority < $1.rulePriority }
    }

    /// The first rule, in words, that will eventually expire an image.
    ///
    /// - Parameter tag: The image's tag; `nil` for an image that has only a digest.
    func expiry(of tag: Tag?) -> String? {
        if let rule = rules.first(where: { Self.selects($0.selection, tag) == .surely }) { return Self.words(rule) }
        // A rule that lists several tags selects only images that have all of them, and another copy may bring the
        // others.
        return rules.first { Self.selects($0.selection, tag) == .perhaps }
            .map { Self.words($0) + ", if they have a tag for each of these" }
    }

    private enum Choice { case surely, perhaps, no }

    private static func selects(_ selection: Rule.Selection, _ tag: Tag?) -> Choice {
        switch (selection.tagStatus, tag) {
        case ("any", _), ("untagged", nil): return .surely
        case ("tagged", let tag?):
            let matches =
                (selection.tagPrefixList ?? []).map { tag.value.hasPrefix($0) }
                + (selection.tagPatternList ?? []).map { matchesWildcard(tag.value, $0) }
            guard matches.contains(true) else { return .no }
            return matches.contains(false) ? .perhaps : .surely
        default: return .no
        }
    }

    private static func words(_ rule: Rule) -> String {
        let count = rule.selection.countNumber
        let verb = rule.action.type == "expire" ? "deletes" : "archives"
        let what =
            switch rule.selection.tagStatus {
            case "untagged": "untagged images"
            case "tagged":
                "images tagged "
                    + ((rule.selection.tagPrefixList ?? []).map { $0 + "…" } + (rule.selection.tagPatternList ?? []))
                    .joined(separator: ", ")
            default: "images"
            }
        let when =
            switch rule.selection.countType {
            case "imageCountMoreThan": "when there are more than \(count) of them"
            case "sinceImagePulled": "\(count) days after they were last pulled"
            case "sinceImageTransitioned": "\(count) days after they were archived"
            default: "\(count) days after they were pushed"
            }
        let name = rule.description.map { " (\($0))" } ?? ""
        return "rule \(rule.rulePriority)\(name) \(verb) \(what) \(when)"
    }
}

internal import Content

/// What needs attention: each failure and refusal, grouped by what to do about it.
final class PageProblems {
    private var groups: [Key: Group] = [:]
    /// In the order in which they came.
    private var order: [Key] = []
    private var named = 0
    /// Problems that are only counted, because ``mostNamed`` were named.
    private(set) var unnamed = 0

    /// The most groups; what comes later is a group without a common remedy.
    static let mostGroups = 40
    /// The problems of a group that are shown at once.
    static let mostShown = 10
    /// The most problems that a page names.
    static let mostNamed = 5_000

    private struct Key: Hashable {
        var severity: Severity
        var reason: String
        var remedy: String?
    }

    fileprivate enum Severity: Int { case failed, notPermitted, refused, warning }

    private final class Group {
        var count = 0
        let shown = PagePart()
        let folded = PagePart()
    }

    func add(_ outcome: RepositoryOutcome, list: Int?) throws {
        for problem in outcome.allProblems { try add(problem, Severity(problem.kind), outcome, list) }
        for image in outcome.images {
            switch image.state {
            case .failed(let problem): try add(problem, Severity(problem.kind), outcome, list)
            case .refused(let problems): for problem in problems { try add(problem, .refused, outcome, list) }
            case .planned, .done, .stopped: break
            }
            for left in image.leftOut { try add(left, .warning, outcome, list) }
        }
    }

    private func add(
        _ problem: OutcomeProblem,
        _ severity: Severity,
        _ outcome: RepositoryOutcome,
        _ list: Int?
    ) throws {
        var key = Key(severity: severity, reason: problem.reason, remedy: problem.remedy)
        var ownRemedy: String?
        if groups[key] == nil, order.count >= Self.mostGroups {
            key = Key(severity: severity, reason: "other", remedy: nil)
            ownRemedy = problem.remedy
        }
        let group = groups[key] ?? Group()
        if groups[key] == nil {
            groups[key] = group
            order.append(key)
        }
        group.count += 1
        guard named < Self.mostNamed else {
            unnamed += 1
            return
        }
        named += 1
        let place = outcome.destination.map { " → \(RegistryLabel($0).words)" } ?? ""
        let words = "\(outcome.rule): \(outcome.source.repository)\(place)"
        let link: HTML = list.map { "<a href=\"#c\($0)\">\(words)</a>" } ?? "\(words)"
        let remedy = ownRemedy.map { "<p class=\"next\"><b>next:</b> \($0)</p>" as HTML } ?? ""
        let request = problem.requestID.map { " · request \($0)" as HTML } ?? ""
        let item: HTML =
            "<li data-s=\"\(severity.state)\" data-r=\"\(outcome.ruleIndex)\">\(problem.text)\(remedy)<small>\(link)\(request)</small></li>\n"
        try (group.count > Self.mostShown ? group.folded : group.shown).add(item)
    }

    /// Writes the groups, failures first.
    func finish(into page: ([UInt8]) throws -> Void) throws {
        let sorted = order.enumerated().sorted {
            ($0.element.severity.rawValue, $0.offset) < ($1.element.severity.rawValue, $1.offset)
        }
        for (_, key) in sorted {
            guard let group = groups[key] else { continue }
            let severity = key.severity
            let remedy = key.remedy.map { "<p class=\"next\"><b>next:</b> \($0)</p>\n" as HTML } ?? ""
            let head: HTML = """
                <section class="problem \(severity.state)"><h3><span class="c \(severity.state)"><b aria-hidden="true">\(severity.mark)</b> \(HTML(grouped: group.count)) <i>\(severity.words)</i></span> <code>\(key.reason)</code></h3>
                \(group.count > 1 ? remedy : "")<ul>

                """
            try page(Array(head.bytes))
            try group.shown.read(page)
            // One problem reads as a sentence with its remedy; many share the one at the top.
            try page(Array(("</ul>\n" + (group.count > 1 ? "" : remedy)).bytes))
            if !group.folded.isEmpty {
                let more: HTML =
                    "<details class=\"more\"><summary>\(HTML(grouped: group.count - Self.mostShown)) more</summary><ul>\n"
                try page(Array(more.bytes))
                try group.folded.read(page)
                try page(Array("</ul></details>\n".utf8))
            }
            try page(Array("</section>\n".utf8))
        }
        if unnamed > 0 {
            let note: HTML =
                "<p class=\"note\">\(HTML(grouped: unnamed)) further problems are only counted; --output json names all of them</p>\n"
            try page(Array(note.bytes))
        }
    }

    var isEmpty: Bool { order.isEmpty }
}

extension PageProblems.Severity {
    fileprivate init(_ kind: OutcomeProblem.Kind) {
        self =
            switch kind {
            case .failed: .failed
            case .notPermitted: .notPermitted
            case .refused: .refused
            }
    }

    /// The class of the page's style.
    fileprivate var state: HTML {
        switch self {
        case .failed, .notPermitted: "failed"
        case .refused: "refused"
        case .warning: "skip"
        }
    }

    fileprivate var mark: String {
        switch self {
        case .failed, .notPermitted: PageState.failed.mark
        case .refused: PageState.refused.mark
        case .warning: PageState.skip.mark
        }
    }

    fileprivate var words: String {
        switch self {
        case .failed: "failed"
        case .notPermitted: "not permitted"
        case .refused: "refused"
        case .warning: "left out"
        }
    }
}

internal import Content
internal import Replicate

/// The lists of what changes, one for each source and destination repository.
final class PageChanges {
    private let command: ReportedCommand
    private let part = PagePart()
    /// The rule of the open section.
    private var rule: Int?
    private var rows = 0
    /// The number of the last list.
    private(set) var lists = 0
    /// Tags that are only counted, because ``mostRows`` were named.
    private(set) var unnamed = 0

    /// Lists stand open until this many rows are shown.
    static let mostOpenRows = 200
    /// The rows of one list that are shown at once.
    static let mostRowsOfList = 50
    /// The most tags that a page names, about 6 MB.
    static let mostRows = 10_000

    init(_ command: ReportedCommand) { self.command = command }

    /// Adds a list, if there is anything to say.
    ///
    /// - Returns: The number of the list.
    func add(_ outcome: RepositoryOutcome, _ counts: PageCounts) throws -> Int? {
        let named = outcome.images.filter { image in
            image.hasRemarks || image.tagStates.contains { $0 != .keep }
        }
        guard !named.isEmpty || !outcome.allProblems.isEmpty || !outcome.notes.isEmpty || outcome.creates else {
            return nil
        }
        lists += 1
        try openSection(of: outcome)
        let isOpen = rows < Self.mostOpenRows
        try part.add(head(of: outcome, counts, isOpen: isOpen))
        var shown = 0
        var isTable = false
        for image in named {
            for row in image.pageRows {
                guard rows < Self.mostRows else {
                    unnamed += 1
                    continue
                }
                if !isTable { try part.add(tableHead) }
                isTable = true
                if shown == Self.mostRowsOfList {
                    try part.add("</tbody></table>\n<details class=\"more\"><summary>the other tags</summary>")
                    try part.add(tableHead)
                }
                try part.add(html(of: row))
                (shown, rows) = (shown + 1, rows + 1)
            }
        }
        if isTable { try part.add("</tbody></table>") }
        if shown > Self.mostRowsOfList { try part.add("</details>") }
        try part.add("</details>\n")
        return lists
    }

    private func openSection(of outcome: RepositoryOutcome) throws {
        guard rule != outcome.ruleIndex else { return }
        if rule != nil { try part.add("</section>\n") }
        rule = outcome.ruleIndex
        try part.add("<section class=\"rule\" data-r=\"\(outcome.ruleIndex)\">\n<h3>\(outcome.rule)</h3>\n")
    }

    private func head(of outcome: RepositoryOutcome, _ counts: PageCounts, isOpen: Bool) -> HTML {
        let place = outcome.destination.map { destination -> HTML in
            " <span class=\"to\">→ \(RegistryLabel(destination).words) · \(destination.pageName)</span>"
        }
        let route = outcome.destination.map { " → <code>\("\($0)")</code>" as HTML }
        var html: HTML = """
            <details class="g" id="c\(lists)"\(isOpen ? " open" as HTML : "")><summary><h4 id="h\(lists)">\(outcome.source.pageName)\(place ?? "" as HTML)</h4> \(counts.chips(command))</summary>
            <p class="route"><code>\("\(outcome.source)")</code>\(route ?? "" as HTML)</p>

            """
        if let template = outcome.template {
            html += "<p class=\"note\">created by the creation template \(template)</p>\n"
        }
        for problem in outcome.allProblems {
            let state = PageState(problem.kind)
            html += """
                <p class="note \(HTML(stringLiteral: state.rawValue))" data-s="\(HTML(stringLiteral: state.rawValue))"><b aria-hidden="true">\(state.mark)</b> \(problem.text)</p>

                """
        }
        for note in outcome.notes { html += "<p class=\"note\">note: \(note)</p>\n" }
        return html
    }

    private var isCheck: Bool { command == .verify }

    private var tableHead: HTML {
        """
        <table class="changes" aria-labelledby="h\(lists)"><thead><tr><th scope="col">Tag</th><th scope="col">State</th><th scope="col">\(isCheck ? "Destination" : "Before")</th><th scope="col">\(isCheck ? "Source" : "After")</th><th scope="col" class="n">\(command == .plan ? "Size" : "Moved")</th></tr></thead><tbody>

        """
    }

    private func html(of row: ImageOutcome.PageRow) -> HTML {
        let state = HTML(stringLiteral: row.state.rawValue)
        let notes = row.notes.map { "<small>\($0)</small>" as HTML }.joined()
        let tag = row.tag.map { "\($0.value)" as HTML } ?? "<i>no tag</i>"
        return """
            <tr data-s="\(state)"><th scope="row">\(tag)\(notes)</th><td>\(HTML(chip: row.state, "", row.state.words(of: command)))</td><td>\(row.before.map { HTML($0) } ?? "")</td><td>\(row.after.map { HTML($0) } ?? "")</td><td class="n">\(row.size ?? "")</td></tr>

            """
    }

    /// Writes the sections.
    func finish(into page: (([UInt8]) throws -> Void)) throws {
        if rule != nil { try part.add("</section>\n") }
        rule = nil
        if unnamed > 0 {
            try part.add(
                "<p class=\"note\">\(HTML(grouped: unnamed)) further tags are only counted; --output json names all of them</p>\n"
            )
        }
        try part.read(page)
    }
}

extension ImageOutcome {
    /// A line of a list of changes.
    struct PageRow: Sendable {
        var state: PageState
        var tag: Tag?
        var before: Digest?
        /// What the tag holds afterwards, or would hold.
        var after: Digest?
        var size: String?
        var notes: [String]
    }

    /// Whether there is more to say than the states of its tags.
    var hasRemarks: Bool { !notes.isEmpty || !leftOut.isEmpty || !differences.isEmpty }

    /// A line for each tag that is not in sync, or for the image if it has notes.
    var pageRows: [PageRow] {
        let states = tagStates
        var rows: [PageRow] = []
        for (index, state) in states.enumerated() {
            let tag = index < tags.count ? tags[index] : nil
            guard state != .keep else { continue }
            let before = state == .failed || state == .stopped ? nil : tag?.before
            rows.append(
                PageRow(
                    state: state,
                    tag: tag?.tag ?? source.tag,
                    before: before,
                    after: state == .delete ? nil : digest,
                    notes: [tag?.reason].compactMap { $0 }
                )
            )
        }
        if rows.isEmpty, hasRemarks {
            rows = [PageRow(state: .keep, tag: tags.first?.tag, before: tags.first?.before, after: digest, notes: [])]
        }
        guard !rows.isEmpty else { return [] }
        if let problem = stateProblem, !rows.contains(where: { $0.notes.contains(problem.text) }) {
            rows[0].notes.append(problem.text)
        }
        rows[0].size = pageSize
        // A tag's own difference shows in its state and digests.
        let below = differences.filter { $0.isRepaired || $0.kind != .tagMissing && $0.kind != .tagDiffers }
        rows[0].notes += below.map { "\($0.isRepaired ? "repaired: " : "")\($0.text)" }
        rows[0].notes += notes + leftOut.map { "left out: \($0.text)" }
        return rows
    }

    private var stateProblem: OutcomeProblem? {
        switch state {
        case .failed(let problem): problem
        case .refused(let problems): problems.first
        case .planned, .done, .stopped: nil
        }
    }

    private var pageSize: String? {
        let parts = [
            work.bytes > 0 ? "\(ByteCount(work.bytes))" : nil,
            work.bytesMountable > 0 ? "\(ByteCount(work.bytesMountable)) to mount" : nil,
            work.referrers > 0 ? counted(work.referrers, "referrer") : nil,
            seconds.map { "\(($0 * 10).rounded() / 10) s" },
        ].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}

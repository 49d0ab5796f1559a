internal import Content
internal import Replicate

/// The table of one rule: source repositories by destinations.
///
/// Only the row under way is held in memory. Rows in sync stand folded below those in which something differs.
final class PageMatrix {
    /// The place of the rule in the run.
    let rule: Int
    private let name: String
    private let command: ReportedCommand
    private var source: RegistryLabel?
    private var columns: [Column] = []
    private var row: Row?
    private let changed = PagePart()
    private let further = PagePart()
    private let inSync = PagePart()
    private var rowCounts = (changed: 0, inSync: 0)

    /// The most rows that differ and are shown at once.
    static let mostRows = 100

    /// A destination of the rule, with the counts of all repositories.
    private struct Column {
        var label: RegistryLabel?
        var counts = PageCounts()
    }

    private struct Row {
        var source: ImageReference
        var selected: (chosen: Int, all: Int)?
        var cells: [[Cell]] = []
    }

    private struct Cell {
        /// The name of the destination's repository, if it differs from the source's.
        var repository: HTML?
        var counts: PageCounts
        /// The number of the list of changes.
        var changes: Int?
        var isUnselected: Bool
    }

    /// The number of source repositories, once the section is finished.
    var repositories: Int { rowCounts.changed + rowCounts.inSync }

    init(_ outcome: RepositoryOutcome, _ command: ReportedCommand) {
        (rule, name, self.command) = (outcome.ruleIndex, outcome.rule, command)
    }

    /// - Parameter changes: The number of the outcome's list of changes; `nil` if it has none.
    func add(_ outcome: RepositoryOutcome, _ counts: PageCounts, changes: Int?) throws {
        if row?.source != outcome.source { try finishRow() }
        source = source ?? RegistryLabel(outcome.source)
        let index = outcome.destinationIndex
        while columns.count <= index { columns.append(Column()) }
        if columns[index].label == nil { columns[index].label = outcome.destination.map(RegistryLabel.init) }
        columns[index].counts += counts

        var current = row ?? Row(source: outcome.source)
        current.selected = current.selected ?? outcome.selection?.countOfTags
        while current.cells.count <= index { current.cells.append([]) }
        let isSameName = outcome.destination.map { !$0.isLayout && $0.repository == outcome.source.repository } ?? true
        current.cells[index].append(
            Cell(
                repository: isSameName ? nil : outcome.destination?.pageName,
                counts: counts,
                changes: changes,
                isUnselected: outcome.selection.map { $0.wanted == nil && $0.chosen.isEmpty } ?? false
                    && counts.total == 0
            )
        )
        row = current
    }

    private func finishRow() throws {
        guard let row else { return }
        self.row = nil
        let cells = row.cells.joined()
        let isInSync = cells.allSatisfy { $0.counts.areInSync && $0.changes == nil && !$0.isUnselected }
        let html = html(of: row)
        if isInSync {
            rowCounts.inSync += 1
            return try inSync.add(html)
        }
        rowCounts.changed += 1
        try (rowCounts.changed > Self.mostRows ? further : changed).add(html)
    }

    private func html(of row: Row) -> HTML {
        var states = Set(row.cells.joined().flatMap(\.counts.states))
        if row.cells.joined().contains(where: { $0.counts.repositoriesToCreate > 0 }) { states.insert(.add) }
        let names = PageState.allCases.filter(states.contains).map { HTML(stringLiteral: $0.rawValue) }
        let selected = row.selected.map { selected -> HTML in
            "<small>\(HTML(grouped: selected.chosen)) of \(HTML(grouped: selected.all)) tags</small>"
        }
        var html: HTML = """
            <tr data-s="\(names.joined(separator: " "))"><th scope="row">\(row.source.pageName)\(selected ?? "" as HTML)</th>
            """
        for (index, cells) in row.cells.enumerated() {
            let label = columns[index].label.map { label -> HTML in "<span class=\"w\">\(label.words)</span>" }
            html += "<td>\(label ?? "" as HTML)\(cells.map(self.html).joined())</td>"
        }
        return html + "</tr>\n"
    }

    private func html(of cell: Cell) -> HTML {
        var chips = cell.counts.chips(command)
        if cell.isUnselected { chips += "<span class=\"c skip\">no tag is selected</span>" }
        if chips.isEmpty { chips = "<span class=\"c skip\">see the note</span>" }
        if let changes = cell.changes { chips = "<a href=\"#c\(changes)\">\(chips)</a>" }
        let repository = cell.repository.map { name -> HTML in "→ \(name)" }
        let bytes: HTML? = cell.counts.bytes > 0 ? "\("\(ByteCount(cell.counts.bytes))")" : nil
        let details = [repository, bytes].compactMap { $0 }.joined(separator: " · ")
        return "<div>\(chips)\(details.isEmpty ? "" : "<small>\(details)</small>" as HTML)</div>"
    }

    /// Writes the section of the rule.
    ///
    /// - Parameter number: The number of the section on the page.
    func finish(into part: PagePart, number: Int) throws {
        try finishRow()
        let all = repositories
        let noun = all == 1 ? "repository" : "repositories"
        try part.add(
            """
            <section class="rule" data-r="\(rule)" aria-labelledby="r\(number)">
            <h3 id="r\(number)">\(name) <small>\(HTML(grouped: all)) \(noun)\(source.map { " from \($0.words)" as HTML } ?? "")</small></h3>

            """
        )
        if rowCounts.changed > 0 {
            try part.add(opening(label: "Repositories of the rule that differ", withTotals: all > 1))
            try part.add(changed)
            try part.add("</tbody></table></div>\n")
        } else if all > 1 {
            try part.add(opening(label: "All repositories of the rule", withTotals: true))
            try part.add("</tbody></table></div>\n")
        }
        let more = rowCounts.changed - Self.mostRows
        if more > 0 {
            try part.add(
                "<details class=\"more\"><summary>\(HTML(grouped: more)) more with differences</summary>\n\(opening(label: "Further repositories that differ"))"
            )
            try part.add(further)
            try part.add("</tbody></table></div></details>\n")
        }
        if rowCounts.inSync > 0 {
            let noun = rowCounts.inSync == 1 ? "repository" : "repositories"
            try part.add(
                "<details class=\"more\"><summary><span class=\"c keep\"><b aria-hidden=\"true\">=</b> \(HTML(grouped: rowCounts.inSync)) \(noun) in sync</span></summary>\n\(opening(label: "Repositories in sync"))"
            )
            try part.add(inSync)
            try part.add("</tbody></table></div></details>\n")
        }
        try part.add("</section>\n")
    }

    private func opening(label: String, withTotals: Bool = false) -> HTML {
        let heads = columns.enumerated().map { index, column -> HTML in
            let label = column.label.map { label -> HTML in
                "\(label.title)\(label.detail.map { "<small>\($0)</small>" as HTML } ?? "")"
            }
            return "<th scope=\"col\">\(label ?? "destination \(index + 1)")</th>"
        }
        let totals = columns.map { column -> HTML in
            let label = column.label.map { label -> HTML in "<span class=\"w\">\(label.words)</span>" }
            let bytes: HTML = column.counts.bytes > 0 ? "<small>\("\(ByteCount(column.counts.bytes))")</small>" : ""
            return "<td>\(label ?? "" as HTML)<div>\(column.counts.chips(command))\(bytes)</div></td>"
        }
        let width: HTML = columns.count > Self.mostColumns ? " wide" : ""
        return """
            <div class="scroll" tabindex="0" role="group" aria-label="\(label)"><table class="matrix\(width)"><thead><tr><th scope="col">Repository</th>\(heads.joined())</tr></thead>
            \(withTotals ? "<tbody class=\"total\"><tr><th scope=\"row\">All repositories</th>\(totals.joined())</tr></tbody>\n" as HTML : "")<tbody>

            """
    }

    /// The most destinations that fit the width of a screen.
    private static let mostColumns = 6
}

/// How a report names a registry.
struct RegistryLabel: Sendable, Hashable {
    var title: String
    var detail: String?

    /// One line of text.
    var words: String { detail.map { "\(title) · \($0)" } ?? title }

    init(_ reference: ImageReference) {
        switch reference.registry {
        case .ecr(let host): (title, detail) = (host.region, "\(host.account)")
        case .callersOwn: title = "own account"
        case .plain(let registry): title = "\(registry)"
        // Each layout is a repository of its own, which the page names beside this.
        case .layout: title = "image layout"
        }
    }
}

extension ImageReference {
    /// How a report names the repository beside its registry.
    var pageName: HTML { HTML(breaking: isLayout ? "\(bare)" : repository.value) }

    fileprivate var isLayout: Bool { registry.isLayout }
}

extension TagSelection {
    /// The number of tags that are selected, and of all tags; `nil` if there are no stages that leave out any.
    fileprivate var countOfTags: (chosen: Int, all: Int)? {
        stages.first.map { (chosen.count, $0.countIn) }
    }
}

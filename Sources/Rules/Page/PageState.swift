internal import Content

/// The command that a report is about.
package enum ReportedCommand: String, Sendable { case plan, sync, verify }

/// The state of a tag in a report; the first matters most.
enum PageState: String, Sendable, CaseIterable {
    case failed, refused, stopped, delete, move, add, skip, keep

    /// The mark that stands before a count.
    var mark: String {
        switch self {
        case .failed: "×"
        case .stopped: "…"
        case .refused: PlannedAction.refuse.mark
        case .delete: "−"
        case .move: PlannedAction.move.mark
        case .add: PlannedAction.add.mark
        case .skip: "·"
        case .keep: PlannedAction.keep.mark
        }
    }

    /// What a command says about tags in this state.
    func words(of command: ReportedCommand) -> String {
        switch (self, command) {
        case (.failed, _): "failed"
        case (.refused, _): "refused"
        case (.stopped, _): "not finished"
        case (.skip, _): "skipped"
        case (.keep, _): "in sync"
        case (.add, .plan): "to add"
        case (.add, .sync): "added"
        case (.add, .verify): "missing"
        case (.move, .plan): "to move"
        case (.move, .sync): "moved"
        case (.move, .verify): "drifted"
        case (.delete, .plan): "to delete"
        case (.delete, .sync): "deleted"
        case (.delete, .verify): "to delete"
        }
    }

    init(_ action: PlannedAction) {
        self =
            switch action {
            case .add: .add
            case .move: .move
            case .keep: .keep
            case .skip: .skip
            case .refuse: .refused
            case .delete: .delete
            }
    }

    init(_ kind: OutcomeProblem.Kind) { self = kind == .refused ? .refused : .failed }
}

/// How many tags are in each state, and their bytes.
struct PageCounts: Sendable, Equatable {
    private var counts = Array(repeating: 0, count: PageState.allCases.count)
    var bytes: Int64 = 0
    var repositoriesToCreate = 0

    private static let places = Dictionary(
        uniqueKeysWithValues: PageState.allCases.enumerated().map { ($0.element, $0.offset) }
    )

    subscript(state: PageState) -> Int {
        get { counts[Self.places[state] ?? 0] }
        set { counts[Self.places[state] ?? 0] = newValue }
    }

    /// The states that occur, the one that matters most first.
    var states: [PageState] { PageState.allCases.filter { self[$0] > 0 } }

    var total: Int { counts.reduce(0, +) }

    /// Whether nothing is to be done or said about these tags.
    var areInSync: Bool { total == self[.keep] && repositoriesToCreate == 0 }

    static func += (left: inout Self, right: Self) {
        for place in left.counts.indices { left.counts[place] += right.counts[place] }
        left.bytes += right.bytes
        left.repositoriesToCreate += right.repositoriesToCreate
    }

    init() {}

    init(_ outcome: RepositoryOutcome) {
        for problem in outcome.allProblems { self[PageState(problem.kind)] += 1 }
        if outcome.creates { repositoriesToCreate = 1 }
        for image in outcome.images {
            bytes += image.work.bytes
            for state in image.tagStates { self[state] += 1 }
        }
    }

    /// The counts with mark and words, all of those that are not zero.
    func chips(_ command: ReportedCommand) -> HTML {
        var chips = states.map { HTML(chip: $0, HTML(grouped: self[$0]), $0.words(of: command)) }
        if repositoriesToCreate > 0 {
            let noun = repositoriesToCreate == 1 ? "repository" : "repositories"
            let number: HTML = repositoriesToCreate == 1 ? "" : HTML(grouped: repositoriesToCreate)
            chips.append(HTML(chip: .add, number, command == .sync ? "\(noun) created" : "\(noun) to create"))
        }
        return chips.joined(separator: " ")
    }
}

extension HTML {
    /// A count with its mark and its words; the color is a further sign.
    init(chip state: PageState, _ number: HTML, _ words: String) {
        self =
            "<span class=\"c \(state.rawValue)\"><b aria-hidden=\"true\">\(state.mark)</b> \(number)\(number.isEmpty ? "" : " ")<i>\(words)</i></span>"
    }
}

extension RepositoryOutcome {
    /// The problems of the repository as a whole.
    var allProblems: [OutcomeProblem] { problems + (hasTooFewTags ? [.tooFewTags(at: source)] : []) }
}

extension ImageOutcome {
    /// The state of each tag; an image without a tag counts as one.
    var tagStates: [PageState] {
        let count = max(1, tags.count)
        switch state {
        case .failed: return Array(repeating: .failed, count: count)
        case .stopped: return Array(repeating: .stopped, count: count)
        case .refused: return Array(repeating: .refused, count: count)
        case .planned, .done:
            guard !tags.isEmpty else { return [PageState(action)] }
            // An image whose tags stay may lack its signatures.
            return tags.map { $0.action == .keep && action == .add ? .add : PageState($0.action) }
        }
    }
}

internal import Content
internal import Replicate

/// What an image of a saved plan asks for, and what is reported about it.
extension PlanDocument.Image {
    /// Whether there is something to carry out.
    var isToDo: Bool { action == .add || action == .move }

    /// The tags that hold the image afterwards.
    var wantedTags: [Tag] { tags.filter(\.isWanted).map(\.tag) }

    /// The tags of the source that these are made from.
    var sourceTags: [Tag] { tags.filter(\.isWanted).compactMap(\.source).unique() }

    var digestAtSource: Digest? { sourceDigest ?? digest }

    /// What is reported about the image.
    ///
    /// - Parameter state: `nil` for what the plan says.
    func outcome(from source: ImageReference, _ state: ImageOutcome.State? = nil) -> ImageOutcome {
        let problems = (problems ?? []).map(OutcomeProblem.init)
        let planned: ImageOutcome.State =
            problems.isEmpty
            ? .done : action == .refuse ? .refused(problems) : problems.first.map { .failed($0) } ?? .done
        let state = state ?? planned
        var shown = tags.map { ImageOutcome.TagOutcome($0.tag, $0.action, before: $0.before, reason: $0.reason) }
        var action = action
        if isToDo {
            // Nothing was done now: it was done before, or it was not possible.
            for index in shown.indices where tags[index].isWanted {
                shown[index].action = state.isRefused ? .refuse : .keep
                if state == .done { shown[index].before = digest }
                if case .refused(let problems) = state { shown[index].reason = problems.first?.text }
            }
            action = state.isRefused ? .refuse : .keep
        }
        return ImageOutcome(
            source: source.tagged(sourceTags.first, digest: digestAtSource),
            digest: digest,
            mediaType: mediaType,
            tags: shown,
            action: action,
            state: state
        )
    }

    /// The outcome of an image that is not as the plan has seen it.
    func stale(_ difference: String, from source: ImageReference) -> ImageOutcome {
        outcome(from: source, .refused([.stalePlan(difference)]))
    }
}

extension PlanDocument.TagEntry {
    /// Whether the tag holds the image after the plan was carried out.
    var isWanted: Bool {
        switch action {
        case .add, .move, .keep: true
        case .skip, .refuse, .delete: false
        }
    }
}

extension ImageOutcome.State {
    fileprivate var isRefused: Bool { if case .refused = self { true } else { false } }
}

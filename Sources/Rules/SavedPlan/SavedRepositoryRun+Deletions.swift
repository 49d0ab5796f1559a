internal import Content
internal import Replicate

/// What a saved plan deletes.
extension SavedRepositoryRun {
    /// The outcomes of images that the plan would delete.
    ///
    /// Nothing is deleted by a saved plan: `sync -f` selects and deletes from fresh listings. The images are reported as
    /// failed, because they are still there.
    func deletions(_ images: [PlanDocument.Image], from source: ImageReference) -> [ImageOutcome] {
        images.map { image in
            image.outcome(from: source, .failed(Self.notDeleted))
        }
    }

    private static let notDeleted = OutcomeProblem(
        reason: "notDeleted",
        "a saved plan deletes nothing",
        remedy: "prune with sync -f",
        kind: .failed
    )
}

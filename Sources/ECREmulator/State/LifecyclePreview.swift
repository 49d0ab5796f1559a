internal import Content
internal import FoundationEssentials

/// The effect that a lifecycle policy would have on the images of a repository.
struct LifecyclePreview: Codable, Sendable, Equatable {
    /// One image that a rule would expire or archive.
    struct Result: Codable, Sendable, Equatable {
        var digest: Digest
        var tags: [String]
        var pushedAt: Date
        var storageClass: LifecyclePolicy.StorageClass
        var priority: Int
        var action: LifecyclePolicy.Action
    }

    var text: String
    /// The images of the first rule first, and for each rule the oldest first.
    var results: [Result]
}

extension LifecyclePolicy {
    /// The length of a day, in seconds.
    private static let day = 86_400.0

    /// Applies the rules by priority, as ECR documents it.
    ///
    /// Each rule marks images among those that it selects. A later rule ignores an image that an earlier rule selects,
    /// even if the earlier rule doesn't mark it.
    ///
    /// An image in an index stays as long as the index. A referrer stays as long as its subject, because ECR removes
    /// referrers with their subject; for untagged rules this is assumed, since AWS doesn't document it.
    ///
    /// - Source: ECR User Guide, "How lifecycle policies work", and its examples with several rules
    func preview(_ repository: EmulatedRepository, at now: Date) -> [LifecyclePreview.Result] {
        var results: [LifecyclePreview.Result] = []
        var seen: Set<Digest> = []
        let held = Set(repository.images.values.flatMap { $0.view.manifests ?? [] }.map(\.digest))
        for rule in rules {
            let selected = repository.images.values
                .filter { rule.selects($0, tags: repository.tags(of: $0.digest)) }
                .sorted {
                    ($0.ordered(in: rule.storageClass), $0.digest) < ($1.ordered(in: rule.storageClass), $1.digest)
                }
            let marked: [EmulatedImage] =
                switch rule.count {
                case .imagesMoreThan(let count): Array(selected.dropLast(count))
                case .daysSincePush(let days):
                    selected.filter { now.timeIntervalSince($0.pushedAt) > Double(days) * Self.day }
                case .daysSincePull(let days):
                    selected.filter { now.timeIntervalSince($0.lastUse) > Double(days) * Self.day }
                case .daysSinceTransition(let days):
                    selected.filter { image in
                        image.archivedAt.map { now.timeIntervalSince($0) > Double(days) * Self.day } ?? false
                    }
                }
            for image in marked where !seen.contains(image.digest) && !held.contains(image.digest) {
                if let subject = image.view.subject, repository.images[subject.digest] != nil { continue }
                results.append(
                    LifecyclePreview.Result(
                        digest: image.digest,
                        tags: repository.tags(of: image.digest),
                        pushedAt: image.pushedAt,
                        storageClass: rule.storageClass,
                        priority: rule.priority,
                        action: rule.action
                    )
                )
            }
            seen.formUnion(selected.map(\.digest))
        }
        return results
    }
}

extension LifecyclePolicy.Rule {
    /// Whether the rule selects an image, by storage class and tags; later rules ignore a selected image.
    func selects(_ image: EmulatedImage, tags: [String]) -> Bool {
        guard (image.status == .archived) == (storageClass == .archive) else { return false }
        return switch tagStatus {
        case .any: true
        case .untagged: tags.isEmpty
        case .tagged: patterns.allSatisfy { pattern in tags.contains { matches($0, wildcard: pattern) } }
        }
    }
}

extension EmulatedImage {
    /// The time by which images are sorted, oldest first.
    fileprivate func ordered(in storageClass: LifecyclePolicy.StorageClass) -> Date {
        storageClass == .archive ? archivedAt ?? pushedAt : activatedAt ?? pushedAt
    }

    /// The time of the last pull; before the first pull, the time when the image was restored or pushed.
    fileprivate var lastUse: Date {
        let arrived = activatedAt ?? pushedAt
        return pulledAt.map { max($0, arrived) } ?? arrived
    }
}

extension LifecyclePreview.Result {
    var json: JSON {
        .members([
            "imageTags": tags.isEmpty ? nil : .texts(tags), "imageDigest": .text("\(digest)"),
            "imagePushedAt": .seconds(pushedAt.timeIntervalSince1970),
            "action": .members([
                "type": .text(action.rawValue.uppercased()),
                "targetStorageClass": action == .transition ? "ARCHIVE" : nil,
            ]),
            "appliedRulePriority": .integer(Int64(priority)),
            "storageClass": .text(storageClass.rawValue.uppercased()),
        ])
    }
}

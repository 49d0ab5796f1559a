internal import Content
internal import FoundationEssentials

/// What a lifecycle policy would do to the images of a repository.
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
    /// The images of the first rule first, and of each rule the oldest first.
    var results: [Result]
}

extension LifecyclePolicy {
    /// In seconds.
    private static let day = 86_400.0

    /// Applies the rules by their priority, as ECR documents it: each rule marks what is too many or too old among all
    /// images it selects, and of these an image that a rule before it selects is left to that rule, whatever that rule does
    /// with it.
    ///
    /// An image that an index names stays as long as the index. So does one whose subject is there: ECR removes those
    /// with their subject. That this holds for untagged rules too is believed, not documented.
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
    /// By storage class and tags, the only things that keep an image from the rules behind.
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
    /// What the oldest image is the oldest by.
    fileprivate func ordered(in storageClass: LifecyclePolicy.StorageClass) -> Date {
        storageClass == .archive ? archivedAt ?? pushedAt : activatedAt ?? pushedAt
    }

    /// When it was pulled last; before its first pull, when it was restored or pushed.
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

internal import Content

/// Names what a destination lacks of each image, from what it answered.
struct ContentComparison {
    let content: SourceContent
    let destination: CheckedDestination
    let options: CheckOptions
    /// `nil` if the repository doesn't exist.
    let faults: ContentFaults?

    func check(_ wanted: ImageToCheck) -> ImageCheck {
        let image = content.images[wanted.index]
        let root = content.nodes[image.root]
        var check = ImageCheck(digest: root.digest, mediaType: root.mediaType, tags: [])
        (check.failure, check.leftOut, check.notes) = (image.failure, image.leftOut, image.notes)
        for tag in wanted.tags {
            let holds = faults?.tags[tag]
            let isSkipped = options.skipsHeldTags && holds != nil && holds != root.digest
            check.tags.append(ImageCheck.TagCheck(tag: tag, holds: holds, isSkipped: isSkipped))
        }
        guard image.failure == nil, wanted.tags.isEmpty || !check.tags.allSatisfy(\.isSkipped) else { return check }
        for tag in check.tags where tag.holds != root.digest && !tag.isSkipped {
            check.differences.append(
                ContentDifference(
                    tag.holds == nil ? .tagMissing : .tagDiffers,
                    root.digest,
                    tag: tag.tag,
                    holds: tag.holds
                )
            )
        }
        guard let faults, faults.manifests[image.root] != .missing else {
            if check.differences.isEmpty { check.differences.append(ContentDifference(.imageMissing, root.digest)) }
            return check
        }
        var walk = Walk(content: content, destination: destination, options: options, faults: faults)
        walk.visit(image.root, .image, parent: nil)
        check.differences += walk.differences
        check.leftOut += walk.leftOut
        check.notes += walk.notes
        check.corruptBlobs = walk.corruptBlobs.map { content.blobs[$0].descriptor }
        check.failure = walk.failure
        return check
    }

    /// Everything that belongs to one image.
    private struct Walk {
        enum Role { case image, child, referrer, tagged }

        let content: SourceContent
        let destination: CheckedDestination
        let options: CheckOptions
        let faults: ContentFaults
        var differences: [ContentDifference] = []
        var corruptBlobs: [Int] = []
        var failure: CopyError?
        var leftOut: [CopyError] = []
        var notes: [String] = []
        private var seen: Set<Int> = []
        private var seenBlobs: Set<Int> = []

        init(content: SourceContent, destination: CheckedDestination, options: CheckOptions, faults: ContentFaults) {
            (self.content, self.destination, self.options, self.faults) = (content, destination, options, faults)
        }

        mutating func visit(_ first: Int, _ role: Role, parent: Digest?) {
            var waiting: [(number: Int, role: Role, parent: Digest?)] = [(first, role, parent)]
            while let next = waiting.popLast() {
                if next.role == .referrer { noteUnlisted(next.number, next.parent) }
                guard seen.insert(next.number).inserted else { continue }
                let node = content.nodes[next.number]
                switch node.state {
                case .read: break
                case .absent, .unread:
                    if next.role == .child {
                        notes.append("the source itself lacks the manifest \(node.digest)\(Self.of(next.parent))")
                    }
                    continue
                case .failed(let error):
                    if next.role == .child || next.role == .image {
                        failure = failure ?? error
                    } else {
                        leftOut.append(error)
                    }
                    continue
                }
                let isMerged = node.isList && destination.mergesLists
                switch isMerged ? nil : faults.manifests[next.number] {
                case nil: break
                case .archived: differences.append(ContentDifference(.archived, node.digest, parent: next.parent))
                case .corrupt(let detail):
                    differences.append(
                        ContentDifference(.corrupt, node.digest, parent: next.parent, detail: detail)
                    )
                case .missing:
                    missing(node.digest, next.role, next.parent)
                    continue
                }
                if !isMerged { compareBlobs(of: node) }
                // The last is visited first.
                for tagged in node.tagged.reversed() {
                    compare(tagged, about: node.digest)
                    waiting.append((tagged.node, .tagged, node.digest))
                }
                for referrer in node.referrers.reversed() { waiting.append((referrer, .referrer, node.digest)) }
                let role = node.isList ? Role.referrer : .child
                for child in node.children.reversed() {
                    waiting.append((child, role, node.isList ? node.listSubject : node.digest))
                }
            }
        }

        private mutating func missing(_ digest: Digest, _ role: Role, _ parent: Digest?) {
            switch role {
            case .image: differences.append(ContentDifference(.imageMissing, digest))
            case .child: differences.append(ContentDifference(.childMissing, digest, parent: parent))
            case .referrer: differences.append(ContentDifference(.referrerMissing, digest, parent: parent))
            case .tagged:
                // The difference of the tag says so already, unless the tag points at nothing.
                guard !differences.contains(where: { $0.digest == digest && $0.tag != nil }) else { return }
                differences.append(ContentDifference(.referrerMissing, digest, parent: parent))
            }
        }

        private mutating func compareBlobs(of node: SourceContent.Node) {
            for number in node.blobs where seenBlobs.insert(number).inserted {
                let digest = content.blobs[number].digest
                switch faults.blobs[number] {
                case nil: break
                case .missing, .archived:
                    differences.append(ContentDifference(.blobMissing, digest, parent: node.digest))
                case .corrupt(let detail):
                    corruptBlobs.append(number)
                    differences.append(
                        ContentDifference(.corrupt, digest, parent: node.digest, detail: detail)
                    )
                }
            }
        }

        private mutating func compare(_ tagged: SourceContent.Tagged, about subject: Digest) {
            let node = content.nodes[tagged.node]
            guard node.isRead, !(node.isList && destination.mergesLists) else { return }
            let holds = faults.tags[tagged.tag]
            guard holds != node.digest, holds == nil || !options.skipsHeldTags else { return }
            differences.append(
                ContentDifference(
                    holds == nil ? .digestTagMissing : .digestTagDiffers,
                    node.digest,
                    tag: tagged.tag,
                    holds: holds,
                    parent: subject
                )
            )
        }

        /// Notes a referrer that is there, and that the registry's own list doesn't name.
        private mutating func noteUnlisted(_ number: Int, _ subject: Digest?) {
            let digest = content.nodes[number].digest
            guard let subject, let listed = faults.listed[subject], !listed.contains(digest),
                content.nodes[number].isRead, faults.manifests[number] == nil
            else { return }
            let difference = ContentDifference(.referrerUnlisted, digest, parent: subject)
            if !differences.contains(difference) { differences.append(difference) }
        }

        private static func of(_ parent: Digest?) -> String { parent.map { " that \($0) names" } ?? "" }
    }
}

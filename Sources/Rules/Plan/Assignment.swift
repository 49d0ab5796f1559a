internal import Content
internal import Replicate

/// Which repository and tag each selected image of one source repository gets at each destination.
struct Assignment: Sendable {
    /// An image at one destination repository.
    struct Assigned: Sendable {
        /// The place among the selected images.
        var image: Int
        var tags: [Tag]
        /// The tag of the source that each of ``tags`` is made from.
        var sources: [Tag: Tag] = [:]
    }

    /// A tag of a destination repository.
    struct Target: Hashable, Sendable {
        var repository: ImageReference
        var tag: Tag

        init(_ repository: ImageReference, _ tag: Tag) { (self.repository, self.tag) = (repository, tag) }
    }

    private struct Entry: Sendable {
        var target: Target
        var source: ImageReference
        var digest: Digest
    }

    /// By destination, then by repository.
    private var images: [[RepositoryName: [Assigned]]] = []
    /// By destination: images whose names are not valid.
    private var refused: [[ImageOutcome]] = []
    private var entries: [Entry] = []

    init(of selected: [ListedImage], _ job: RuleJob) {
        for destination in job.rule.destinations {
            var places: [RepositoryName: [Assigned]] = [:]
            var refused: [ImageOutcome] = []
            for (place, image) in selected.enumerated() {
                var tags: [RepositoryName: [Tag]] = [:]
                var sources: [RepositoryName: [Tag: Tag]] = [:]
                for tag in image.tags.map(Optional.some) + (image.tags.isEmpty ? [nil] : []) {
                    do {
                        let (repository, own) = try Self.names(of: image, tag, job, at: destination)
                        tags[repository, default: []] += [own].compactMap { $0 }
                        if let own, sources[repository]?[own] == nil { sources[repository, default: [:]][own] = tag }
                    } catch {
                        refused.append(
                            ImageOutcome(
                                source: job.source.tagged(tag, digest: image.digest),
                                digest: image.digest,
                                mediaType: image.mediaType,
                                tags: [],
                                action: .refuse,
                                state: .refused([error])
                            )
                        )
                    }
                }
                for (repository, tags) in tags {
                    places[repository, default: []].append(
                        Assigned(image: place, tags: tags.unique(), sources: sources[repository] ?? [:])
                    )
                    let reference = destination.registry.reference(to: repository)
                    for tag in tags {
                        let source = job.source.tagged(image.tags.first, digest: image.digest)
                        entries.append(Entry(target: Target(reference, tag), source: source, digest: image.digest))
                    }
                }
            }
            images.append(places)
            self.refused.append(refused)
        }
    }

    private static func names(
        of image: ListedImage,
        _ tag: Tag?,
        _ job: RuleJob,
        at destination: RuleDestination
    ) throws(OutcomeProblem) -> (RepositoryName, Tag?) {
        guard let repository = job.repositoryName(at: destination, tag: tag, digest: image.digest) else {
            throw problem("the destination's repository is named by a tag, and the image has none")
        }
        let name: RepositoryName
        do {
            name = try RepositoryName(parsing: repository)
        } catch {
            throw problem("'\(quotable(repository, upTo: 300))' is not the name of a repository")
        }
        guard let text = job.tagName(at: destination, tag: tag, digest: image.digest) else { return (name, nil) }
        do {
            let own = try Tag(parsing: text)
            if let reason = own.problem(in: destination.registry.tagGrammar) {
                throw problem("the registry can't hold the tag '\(quotable(text, upTo: 300))': \(reason)")
            }
            return (name, own)
        } catch let error as OutcomeProblem {
            throw error
        } catch {
            throw problem("'\(quotable(text, upTo: 300))' is not a tag")
        }
    }

    private static func problem(_ text: String) -> OutcomeProblem {
        OutcomeProblem(reason: "nameUnfit", text, remedy: "change the templates of the rule's destination under to:")
    }

    /// The repositories that get something at a destination, in order.
    func repositories(at destination: Int) -> [RepositoryName] {
        images[destination].keys.sorted { $0.value < $1.value }
    }

    func images(at destination: Int, _ repository: RepositoryName) -> [Assigned] {
        images[destination][repository] ?? []
    }

    func refusals(at destination: Int) -> [ImageOutcome] { refused[destination] }

    /// The tags that would get different images, with all of these images, for each of the jobs that have one.
    static func collisions(among assignments: [Assignment?]) -> [Int: [Target: [ImageReference]]] {
        var digests: [Target: Set<Digest>] = [:]
        for entry in assignments.compactMap({ $0?.entries }).joined() {
            digests[entry.target, default: []].insert(entry.digest)
        }
        let colliding = digests.filter { $0.value.count > 1 }
        guard !colliding.isEmpty else { return [:] }
        var sources: [Target: [ImageReference]] = [:]
        for entry in assignments.compactMap({ $0?.entries }).joined() where colliding[entry.target] != nil {
            sources[entry.target, default: []].append(entry.source)
        }
        var found: [Int: [Target: [ImageReference]]] = [:]
        for (index, assignment) in assignments.enumerated() {
            for entry in assignment?.entries ?? [] {
                guard let all = sources[entry.target] else { continue }
                found[index, default: [:]][entry.target] = all.unique()
            }
        }
        return found
    }
}

internal import Content

/// What the images of a layout are called, and which of them a name means.
///
/// An entry of `index.json` has a name in `org.opencontainers.image.ref.name`, which the image-spec leaves to the tool:
/// a tag with most, a whole reference with others. containerd, buildx and `docker save` write the tag there, and the
/// whole reference beside it in `io.containerd.image.name`; then two images may have one tag.
///
/// - Source: OCI image-spec 1.1, `annotations.md`; docker/buildx issue 2952; containers/image issue 1563
struct LayoutNames {
    /// One image, whatever number of entries it has.
    struct Choice {
        var entry: Descriptor
        /// In order of appearance, whole references among them.
        var names: [String] = []
        var tags: [Tag] = []
    }

    /// A name that several images have.
    struct Ambiguity: Error {
        var name: String
        var choices: [Choice]
    }

    private let entries: [Descriptor]

    init(_ entries: [Descriptor]) { self.entries = entries }

    /// In order of appearance.
    var choices: [Choice] {
        var choices: [Choice] = []
        var places: [Digest: Int] = [:]
        for entry in entries {
            let place = places[entry.digest] ?? choices.count
            if place == choices.count {
                places[entry.digest] = place
                choices.append(Choice(entry: entry))
            }
            choices[place].names += entry.imageNames.filter { !choices[place].names.contains($0) }
            if let tag = entry.imageTag, !choices[place].tags.contains(tag) { choices[place].tags.append(tag) }
        }
        return choices
    }

    /// Tags that are said of several images.
    var sharedTags: Set<Tag> {
        var owners: [Tag: Digest] = [:]
        var shared: Set<Tag> = []
        for choice in choices {
            for tag in choice.tags where owners.updateValue(choice.entry.digest, forKey: tag) != nil {
                shared.insert(tag)
            }
        }
        return shared
    }

    /// The entries that each of `names` means, all walked over once: both lists may be long.
    ///
    /// A name as it is written goes before a whole reference of that name, and that before the tag of a whole reference.
    ///
    /// - Parameter isExact: Takes only names as they are written.
    /// - Returns: What is not there is left out.
    func find(_ names: Set<String>, isExact: Bool = false) -> [String: Result<Descriptor, Ambiguity>] {
        guard !names.isEmpty else { return [:] }
        var found: [String: [Int: [Descriptor]]] = [:]
        var whole: [String: [String]] = [:]
        if !isExact { for name in names { whole[Self.normalized(name), default: []].append(name) } }
        for entry in entries {
            func note(_ name: String, _ rank: Int) {
                let known = found[name]?[rank] ?? []
                guard !known.contains(where: { $0.digest == entry.digest }) else { return }
                found[name, default: [:]][rank, default: []].append(entry)
            }
            let written = entry.annotations[ImageLayout.tagAnnotation]
            if let written, names.contains(written) { note(written, 0) }
            guard !isExact else { continue }
            for name in entry.imageNames where name.contains("/") || name.contains(":") {
                for wanted in whole[Self.normalized(name)] ?? [] { note(wanted, 1) }
            }
            if let tag = entry.imageTag?.value, tag != written, names.contains(tag) { note(tag, 2) }
        }
        var result: [String: Result<Descriptor, Ambiguity>] = [:]
        for (name, ranks) in found {
            guard let best = ranks.min(by: { $0.key < $1.key })?.value, let first = best.first else { continue }
            let digests = Set(best.map(\.digest))
            result[name] =
                digests.count == 1
                ? .success(first)
                : .failure(Ambiguity(name: name, choices: choices.filter { digests.contains($0.entry.digest) }))
        }
        return result
    }

    /// A whole reference as docker completes it: `alpine:3` is `docker.io/library/alpine:3`.
    ///
    /// - Source: distribution/reference, "normalize"
    private static func normalized(_ name: String) -> String {
        let first = name.prefix { $0 != "/" }
        guard first.count < name.count else {
            return name.contains(":") ? "docker.io/library/\(name)" : name
        }
        guard first.contains(".") || first.contains(":") || first == "localhost" else { return "docker.io/\(name)" }
        return name
    }
}

extension LayoutNames.Choice {
    /// What people see of it: its names, and the digest that tells it from others.
    var shown: String {
        "\(entry.digest) (\(names.isEmpty ? "untagged" : names.map { quotable($0, upTo: 200) }.joined(separator: ", ")))"
    }
}

extension [LayoutNames.Choice] {
    /// The most that an error lists.
    private static var mostShown: Int { 20 }

    /// The images to choose from, for an error.
    var shown: String {
        let more = count > Self.mostShown ? ", and \(count - Self.mostShown) more" : ""
        return prefix(Self.mostShown).map(\.shown).joined(separator: ", ") + more
    }
}

extension Descriptor {
    /// What an entry of `index.json` is called, the tag or other short name first.
    var imageNames: [String] {
        [annotations[ImageLayout.tagAnnotation], annotations[ImageLayout.imageNameAnnotation]]
            .compactMap { $0 }.filter { !$0.isEmpty }.unique()
    }

    /// The tag among these names, or at the end of a whole reference.
    var imageTag: Tag? {
        for name in imageNames {
            if let tag = try? Tag(parsing: name) { return tag }
            let bare = name.prefix { $0 != "@" }
            guard let colon = bare.lastIndex(of: ":"), !bare[colon...].contains("/") else { continue }
            if let tag = try? Tag(parsing: String(bare[bare.index(after: colon)...])) { return tag }
        }
        return nil
    }
}

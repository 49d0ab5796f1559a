internal import Content

/// The names of the images in a layout, and which image a name identifies.
///
/// The name of an `index.json` entry is its `org.opencontainers.image.ref.name`, whose form the image-spec leaves to
/// the tool: most write a tag, others a whole reference. containerd, buildx and `docker save` write the tag there, and
/// the whole reference next to it in `io.containerd.image.name`; then two images may have the same tag.
///
/// - Source: OCI image-spec 1.1, `annotations.md`; docker/buildx issue 2952; containers/image issue 1563
struct LayoutNames {
    /// One image, however many entries it has.
    struct Choice {
        var entry: Descriptor
        /// The image's names in order of appearance, including whole references.
        var names: [String] = []
        var tags: [Tag] = []
    }

    /// The error for a name that several images have.
    struct Ambiguity: Error {
        var name: String
        var choices: [Choice]
    }

    private let entries: [Descriptor]

    init(_ entries: [Descriptor]) { self.entries = entries }

    /// The images, in order of appearance.
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

    /// The tags that several images have.
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

    /// Finds the entries that `names` identify, in one pass, because both lists may be long.
    ///
    /// A name as it is written comes first, then a whole reference of that name, then the tag of a whole reference.
    ///
    /// - Parameter isExact: Whether to accept only names as they are written.
    /// - Returns: The entries by name, without the names that identify none.
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

    /// Completes a reference as docker does: `alpine:3` becomes `docker.io/library/alpine:3`.
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
    /// The image in words: its names, and the digest that distinguishes it.
    var shown: String {
        "\(entry.digest) (\(names.isEmpty ? "untagged" : names.map { quotable($0, upTo: 200) }.joined(separator: ", ")))"
    }
}

extension [LayoutNames.Choice] {
    /// The most images that an error lists.
    private static var mostShown: Int { 20 }

    /// The images to choose from, for an error.
    var shown: String {
        let more = count > Self.mostShown ? ", and \(count - Self.mostShown) more" : ""
        return prefix(Self.mostShown).map(\.shown).joined(separator: ", ") + more
    }
}

extension Descriptor {
    /// The names of an `index.json` entry, the tag or another short name first.
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

internal import Content

/// Narrows an index to the platforms that were asked for.
///
/// - Source: docs/images.md#platforms
struct PlatformSelection: Sendable {
    let wanted: [ImagePlatform]

    /// What is copied instead of the index, and what the user should know about the choice.
    struct Narrowed: Sendable {
        enum Root: Sendable {
            /// One child of the index: read it and copy it as it is.
            case child(Descriptor)
            /// A new index, made from entries of the old one.
            case made(Manifest)
            /// The index itself, which has nothing else.
            case whole
        }

        var root: Root
        var notes: [String]
    }

    /// - Throws: ``CopyError/Reason`` wrapped by the caller: the reason alone is thrown here.
    func narrow(_ root: Manifest) throws(PlatformError) -> Narrowed {
        guard root.kind == .index else {
            throw PlatformError(
                .unsupported("--platform needs an index; this is one image", remedy: "leave out --platform")
            )
        }
        let images = root.children.filter { !$0.isAttestation && $0.platform != nil }
        var chosen: [Descriptor] = []
        var notes: [String] = []
        for platform in wanted {
            let (image, note) = try choose(platform, among: images)
            chosen.append(image)
            if let note { notes.append(note) }
        }
        chosen = chosen.unique()
        notes = notes.unique()
        // Also when it was named twice, or by two names.
        if chosen.count == 1 { return Narrowed(root: .child(chosen[0]), notes: notes) }
        let digests = Set(chosen.map { $0.digest.description })
        let kept = Set(chosen)
        let made = try index(root) { entry in
            kept.contains(entry)
                || (entry.isAttestation && digests.contains(entry.annotations["vnd.docker.reference.digest"] ?? ""))
        }
        return Narrowed(root: made.digest == root.digest ? .whole : .made(made), notes: notes)
    }

    /// The one image that a request means.
    ///
    /// Of several that fit, those of the default variant go before others, an exact version goes before longer ones, and
    /// images go before artifacts about them. Several with one and the same platform (differently compressed, say) are no
    /// choice for any client: the first is taken, as they do, with a note.
    private func choose(
        _ platform: ImagePlatform,
        among images: [Descriptor]
    ) throws(PlatformError) -> (image: Descriptor, note: String?) {
        var fitting = images.filter { $0.platform?.satisfies(platform) ?? false }.uniqueByDigest()
        func prefer(_ isBetter: (Descriptor) -> Bool) {
            let better = fitting.filter(isBetter)
            if !better.isEmpty { fitting = better }
        }
        prefer { $0.platform?.normalized.variant == platform.normalized.variant }
        if let version = platform.osVersion { prefer { $0.platform?.osVersion == version } }
        prefer { $0.artifactType == nil }
        guard let first = fitting.first else {
            let has = images.compactMap { $0.platform.map(Self.words) }.unique()
            throw PlatformError(.platformMissing(wanted: platform.description, has: has))
        }
        guard Set(fitting.compactMap { $0.platform?.normalized }).count == 1 else {
            throw PlatformError(.platformAmbiguous(wanted: platform.description, choices: Self.choices(fitting)))
        }
        let others = fitting.dropFirst().map(\.digest.description)
        guard !others.isEmpty else { return (first, nil) }
        return (
            first,
            "several images are for \(platform): took the first, \(first.digest), and not \(others.joined(separator: ", "))"
        )
    }

    private static func words(_ platform: ImagePlatform) -> String { printable("\(platform)", upTo: mostOfPlatform) }

    /// In bytes, of a platform that an index names; the index may say anything.
    private static let mostOfPlatform = 200

    /// Each image in words that tell it from the others.
    private static func choices(_ images: [Descriptor]) -> [String] {
        let plain = images.map { $0.platform.map(words) ?? "" }
        let full = images.map { printable($0.platform?.descriptionWithFeatures ?? "", upTo: mostOfPlatform) }
        return images.indices.map { index in
            if plain.count(where: { $0 == plain[index] }) == 1 { return plain[index] }
            if full.count(where: { $0 == full[index] }) == 1 { return full[index] }
            return "\(full[index]) (\(images[index].digest))"
        }
    }

    /// The index without the entries that are not wanted.
    ///
    /// Every other byte stays, so that no member of an entry is lost and the same choice gives the same digest.
    private func index(_ root: Manifest, keeping isKept: (Descriptor) -> Bool) throws(PlatformError) -> Manifest {
        do {
            var text = try IndexText(root)
            // What can't be read is for no platform that was asked for.
            text.removeOddEntries()
            text.remove { !isKept($0) }
            return try Manifest(bytes: text.bytes, mediaType: root.mediaType)
        } catch {
            throw PlatformError(.unsupported("the new index could not be made: \(error)"))
        }
    }
}

extension [Descriptor] {
    fileprivate func uniqueByDigest() -> [Descriptor] {
        var seen: Set<Digest> = []
        return filter { seen.insert($0.digest).inserted }
    }
}

/// Why an index can't be narrowed.
struct PlatformError: Error {
    var reason: CopyError.Reason
    init(_ reason: CopyError.Reason) { self.reason = reason }
}

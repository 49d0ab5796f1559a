internal import Content

/// Reduces an index to the platforms that were asked for.
///
/// - Source: docs/images.md#platforms
struct PlatformSelection: Sendable {
    let wanted: [ImagePlatform]

    /// What to copy instead of the index, with notes about the choice for the user.
    struct Narrowed: Sendable {
        enum Root: Sendable {
            /// One child of the index, which is read and copied as it is.
            case child(Descriptor)
            /// A new index, made of entries of the old one.
            case made(Manifest)
            /// The index itself, because all of its entries were chosen.
            case whole
        }

        var root: Root
        var notes: [String]
    }

    /// - Throws: The bare reason, which the caller wraps in a ``CopyError``.
    func narrow(_ root: Manifest) throws(PlatformError) -> Narrowed {
        guard root.kind == .index else {
            throw PlatformError(.unsupported(.platformOfSingleImage))
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
        // The same child may have been named twice, or by two platform names.
        if chosen.count == 1 { return Narrowed(root: .child(chosen[0]), notes: notes) }
        let digests = Set(chosen.map { $0.digest.description })
        let kept = Set(chosen)
        let made = try index(root) { entry in
            kept.contains(entry)
                || (entry.isAttestation && digests.contains(entry.annotations["vnd.docker.reference.digest"] ?? ""))
        }
        return Narrowed(root: made.digest == root.digest ? .whole : .made(made), notes: notes)
    }

    /// The one image that a requested platform means.
    ///
    /// If several match, the default variant goes before other variants, an exact version before longer ones, and an
    /// image before artifacts about it. If several have the same platform (for example with different compression), no
    /// client can tell them apart: the first is taken, as clients do, with a note.
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

    /// The longest platform text to show, in bytes, because an index may contain anything.
    private static let mostOfPlatform = 200

    /// Each image in words that distinguish it from the others.
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
    /// All other bytes stay as they are, so that no member of an entry is lost and the same choice gives the same
    /// digest.
    private func index(_ root: Manifest, keeping isKept: (Descriptor) -> Bool) throws(PlatformError) -> Manifest {
        do {
            var text = try IndexText(root)
            // An entry that can't be read is for none of the requested platforms.
            text.removeOddEntries()
            text.remove { !isKept($0) }
            return try Manifest(bytes: text.bytes, mediaType: root.mediaType)
        } catch {
            throw PlatformError(.unsupported(.other("the new index could not be made: \(error)")))
        }
    }
}

extension [Descriptor] {
    func uniqueByDigest() -> [Descriptor] {
        var seen: Set<Digest> = []
        return filter { seen.insert($0.digest).inserted }
    }
}

/// Why an index can't be reduced to the requested platforms.
struct PlatformError: Error {
    var reason: CopyError.Reason
    init(_ reason: CopyError.Reason) { self.reason = reason }
}

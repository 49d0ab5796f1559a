internal import Content
internal import FoundationEssentials

/// Narrows an index to the platforms that were asked for.
///
/// - Source: DESIGN section 7: one platform is that child, unchanged; several are a new, deterministic index
struct PlatformSelection: Sendable {
    let wanted: [ImagePlatform]

    enum Narrowed: Sendable {
        /// One child of the index: read it and copy it as it is.
        case child(Descriptor)
        /// A new index, made from entries of the old one.
        case made(Manifest)
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
        for platform in wanted {
            let matching = images.filter { $0.platform?.satisfies(platform) ?? false }
            guard let first = matching.first else {
                let has = images.compactMap { $0.platform?.description }.unique()
                throw PlatformError(.platformMissing(wanted: platform.description, has: has))
            }
            chosen.append(first)
        }
        chosen = chosen.unique()
        // Also when it was named twice, or by two names.
        if chosen.count == 1 { return .child(chosen[0]) }
        let digests = Set(chosen.map { $0.digest.description })
        let kept = root.children.filter { child in
            digests.contains(child.digest.description)
                || (child.isAttestation && digests.contains(child.annotations["vnd.docker.reference.digest"] ?? ""))
        }
        return .made(try index(of: kept, like: root))
    }

    private func index(of children: [Descriptor], like root: Manifest) throws(PlatformError) -> Manifest {
        let document = IndexDocument(
            schemaVersion: 2,
            mediaType: root.mediaType.rawValue,
            manifests: children.map(DescriptorDocument.init),
            annotations: root.annotations.isEmpty ? nil : root.annotations
        )
        let encoder = JSONEncoder()
        // Sorted, and nothing escaped that needn't be: the same choice gives the same digest everywhere.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try Manifest(bytes: [UInt8](encoder.encode(document)), mediaType: root.mediaType)
        } catch {
            throw PlatformError(.unsupported("the new index could not be made: \(error)"))
        }
    }

    private struct IndexDocument: Encodable {
        var schemaVersion: Int
        var mediaType: String
        var manifests: [DescriptorDocument]
        var annotations: [String: String]?
    }
}

/// Why an index can't be narrowed.
struct PlatformError: Error {
    var reason: CopyError.Reason
    init(_ reason: CopyError.Reason) { self.reason = reason }
}

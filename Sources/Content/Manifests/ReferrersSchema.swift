extension Manifest {
    /// The entry for this manifest in a list of referrers.
    ///
    /// - Source: OCI distribution-spec 1.1, "Pushing Manifests with Subject"
    public var listing: Descriptor {
        var listing = descriptor
        listing.annotations = annotations
        let type = artifactType ?? ""
        listing.artifactType = type.isEmpty ? config?.mediaType.rawValue : type
        return listing
    }
}

extension Manifest {
    /// An empty list.
    public static func emptyList() throws(ManifestError) -> Manifest {
        try Manifest(bytes: IndexText().bytes, mediaType: .ociIndex)
    }

    /// Returns this list with further entries; the present ones keep their places.
    ///
    /// - Parameter whole: A list to return unchanged if it already has every entry, for example the source's, so that
    ///   its digest stays the same.
    /// - Throws: ``ManifestError`` if this is not a list, or grows too long.
    public func listing(_ entries: [Descriptor], preferring whole: Manifest? = nil) throws(ManifestError) -> Manifest {
        if let whole, oddEntries.isEmpty || whole.digest == digest {
            let offered = Set(whole.children.map(\.digest))
            if (children + entries).allSatisfy({ offered.contains($0.digest) }) { return whole }
        }
        var text = try IndexText(self)
        for entry in entries where !text.entries.contains(where: { $0.digest == entry.digest }) { text.append(entry) }
        return try Manifest(bytes: text.bytes, mediaType: mediaType)
    }
}

extension Manifest {
    /// Returns this list without the entries for which `isUnwanted` is true and without those that can't be used; every
    /// other byte stays.
    ///
    /// - Throws: ``ManifestError`` if this is not a list, or is ambiguous.
    public func listing(without isUnwanted: (Descriptor) -> Bool) throws(ManifestError) -> Manifest {
        guard !oddEntries.isEmpty || children.contains(where: isUnwanted) else { return self }
        var text = try IndexText(self)
        text.remove(where: isUnwanted)
        text.removeOddEntries()
        return try Manifest(bytes: text.bytes, mediaType: mediaType)
    }
}

extension Tag {
    /// The fallback tag under which clients list the referrers of `subject` at a registry without the referrers API.
    ///
    /// - Source: OCI distribution-spec 1.1, "Referrers Tag Schema"
    public init(listingReferrersTo subject: Digest) throws(ReferenceError) {
        try self.init(parsing: "sha256-\(subject.hex)")
    }

    /// The subject of a fallback tag; `nil` for any other tag, cosign's included.
    public var subject: Digest? {
        guard value.utf8.count == 7 + 64, value.hasPrefix("sha256-") else { return nil }
        return try? Digest(parsing: "sha256:\(value.dropFirst(7))")
    }
}

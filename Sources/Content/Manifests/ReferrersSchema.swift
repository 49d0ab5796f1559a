extension Manifest {
    /// This manifest as a list of referrers names it.
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
    /// A list of nothing.
    public static func emptyList() throws(ManifestError) -> Manifest {
        try Manifest(bytes: IndexText().bytes, mediaType: .ociIndex)
    }

    /// This list with more on it: what is listed already stays, in its place.
    ///
    /// - Parameter whole: A list that will do as it is, if nothing is lost by it: that of another registry, say, whose
    ///   digest then stays the same.
    /// - Throws: ``ManifestError`` if this is no list, or grows too long.
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
    /// This list without the entries that `isUnwanted` says and without those that can't be used; every other byte stays.
    ///
    /// - Throws: ``ManifestError`` if this is no list, or one that different readers would read differently.
    public func listing(without isUnwanted: (Descriptor) -> Bool) throws(ManifestError) -> Manifest {
        guard !oddEntries.isEmpty || children.contains(where: isUnwanted) else { return self }
        var text = try IndexText(self)
        text.remove(where: isUnwanted)
        text.removeOddEntries()
        return try Manifest(bytes: text.bytes, mediaType: mediaType)
    }
}

extension Tag {
    /// The tag under which clients list what refers to `subject`, where a registry doesn't.
    ///
    /// - Source: OCI distribution-spec 1.1, "Referrers Tag Schema"
    public init(listingReferrersTo subject: Digest) throws(ReferenceError) {
        try self.init(parsing: "sha256-\(subject.hex)")
    }

    /// What such a tag is about; `nil` for any other, those of cosign too.
    public var subject: Digest? {
        guard value.utf8.count == 7 + 64, value.hasPrefix("sha256-") else { return nil }
        return try? Digest(parsing: "sha256:\(value.dropFirst(7))")
    }
}

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

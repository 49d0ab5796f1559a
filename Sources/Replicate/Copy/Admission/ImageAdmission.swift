package import Content

/// Decides whether an image may be copied, before anything is written for it.
///
/// A run asks once for each image that it would copy, however many destinations there are.
package protocol ImageAdmission: Sendable {
    /// The reasons for which the image may be copied nowhere; none admits it.
    ///
    /// - Throws: `CancellationError`; ``CopyError``, with which the image fails.
    func refusals(of candidate: AdmissionCandidate) async throws -> [CopyError]
}

/// An image that a run would copy.
package struct AdmissionCandidate: Sendable {
    /// The image at the source, with the tag that was asked for, if any, and the digest of ``root``.
    package var image: ImageReference
    /// The tags of the source by which the image was chosen; none if it was chosen by its digest.
    package var tags: [Tag]
    /// The manifest that would be put.
    package var root: Manifest
    /// Reads more of the source repository.
    package var source: SourceAccess

    /// - Parameter tags: `nil` for the tag of `image` alone.
    package init(image: ImageReference, tags: [Tag]? = nil, root: Manifest, source: SourceAccess) {
        (self.image, self.root, self.source) = (image, root, source)
        self.tags = tags ?? [image.tag].compactMap { $0 }
    }
}

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
    /// The manifest that would be put.
    package var root: Manifest
    /// Reads more of the source repository.
    package var source: SourceAccess

    package init(image: ImageReference, root: Manifest, source: SourceAccess) {
        (self.image, self.root, self.source) = (image, root, source)
    }
}

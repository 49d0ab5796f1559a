internal import Content

/// Why one signature or attestation is not accepted.
package struct SignatureProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// It is well formed, but by none of the given keys. That is no error where another one fits.
        case otherSigner
        /// It is there and does not hold: changed, about another image, expired, or not what the format allows.
        case refused
        /// It may hold, but this program can't decide that.
        case undecided
    }

    package var kind: Kind
    /// In words for people, printable, without full stop.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) { (self.kind, self.reason) = (kind, reason) }

    package var description: String { reason }

    static func refused(_ reason: String) -> SignatureProblem { SignatureProblem(.refused, reason) }
}

/// The limits on what is read to verify signatures.
///
/// - Source: docs/facts/signatures.md#limits
package enum SignatureLimits {
    /// The largest payload, envelope or bundle, in bytes.
    package static let blobByteCount = 4 << 20
    /// The most signatures of one image; cosign reads as many of one manifest.
    package static let signatures = 1_000
    /// The most manifests that are read for one image.
    package static let manifests = 100
    /// The most bytes of signatures and attestations that are read for one image.
    package static let imageByteCount: Int64 = 128 << 20
    /// The most certificates in a chain.
    package static let certificates = 10
    /// The most subjects of a statement.
    package static let subjects = 1_024
    /// The most digests of one subject.
    package static let digestsPerSubject = 32
    /// The most signatures in a DSSE envelope.
    package static let signaturesPerEnvelope = 100
    /// The deepest nesting and the most members of JSON.
    static let json = JSONShape.Limits(containers: 100_000, separators: 500_000, depth: 64)
    /// The deepest nesting and the most items of CBOR.
    static let cborDepth = 16
    static let cborItems = 10_000
    /// The largest file with keys, certificates or a policy, in bytes.
    package static let fileByteCount = 1 << 20
    /// The largest revocation list, in bytes.
    package static let listByteCount = 16 << 20
    /// The most files that are read in a directory of certificates.
    package static let files = 1_000
}

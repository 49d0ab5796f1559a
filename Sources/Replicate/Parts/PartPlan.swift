internal import ECRAPI

/// How a blob is divided for an upload in parts.
struct PartPlan: Sendable, Equatable {
    /// The size of the whole blob, in bytes.
    let size: Int64
    /// The size of every part but the last, in bytes.
    let partSize: Int

    /// The most bytes that fit into the number of parts that ECR accepts, at the part size it documents
    /// (docs/facts/ecr-api.md#layer-uploads).
    static let largestBlob = Int64(UploadLayerPart.mostParts) * documentedPartSize
    /// The part size that ECR documents, in bytes.
    static let documentedPartSize: Int64 = 10 << 20

    /// - Parameters:
    ///   - answered: The part size that the registry gave, which is adjusted to the sizes it accepts.
    ///   - smallest: The smallest size in bytes of every part but the last.
    /// - Returns: `nil` if the blob does not fit into the parts that ECR accepts.
    init?(size: Int64, answered: Int64, smallest: Int = UploadLayerPart.shortestPart) {
        partSize = Int(min(max(answered, Int64(smallest)), Int64(UploadLayerPart.longestPart)))
        self.size = size
        guard size <= Int64(partSize) * Int64(UploadLayerPart.mostParts) else { return nil }
    }

    /// The size in bytes that a buffer needs.
    var longestPart: Int { Int(min(Int64(partSize), size)) }

    /// The parts from `offset` on, in order.
    func parts(from offset: Int64) -> some Sequence<Range<Int64>> {
        stride(from: offset, to: size, by: partSize).lazy.map { $0..<min($0 + Int64(partSize), size) }
    }
}

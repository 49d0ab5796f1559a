internal import ECRAPI

/// How a blob is cut for an upload in parts.
struct PartPlan: Sendable, Equatable {
    /// In bytes, the whole blob.
    let size: Int64
    /// In bytes, every part but the last.
    let partSize: Int

    /// What all parts that ECR takes can hold, in bytes, at the part size it documents
    /// (docs/facts/ecr-api.md#layer-uploads).
    static let largestBlob = Int64(UploadLayerPart.mostParts) * documentedPartSize
    /// In bytes.
    static let documentedPartSize: Int64 = 10 << 20

    /// - Parameters:
    ///   - answered: The part size that the registry answered; what it doesn't take itself is brought within bounds.
    ///   - smallest: In bytes; of every part but the last.
    /// - Returns: `nil` if so many parts can't hold the blob.
    init?(size: Int64, answered: Int64, smallest: Int = UploadLayerPart.shortestPart) {
        partSize = Int(min(max(answered, Int64(smallest)), Int64(UploadLayerPart.longestPart)))
        self.size = size
        guard size <= Int64(partSize) * Int64(UploadLayerPart.mostParts) else { return nil }
    }

    /// What a buffer must hold, in bytes.
    var longestPart: Int { Int(min(Int64(partSize), size)) }

    /// The parts from `offset` on, in order.
    func parts(from offset: Int64) -> some Sequence<Range<Int64>> {
        stride(from: offset, to: size, by: partSize).lazy.map { $0..<min($0 + Int64(partSize), size) }
    }
}

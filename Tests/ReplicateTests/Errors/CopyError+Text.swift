import Content

@testable import Replicate

/// Errors whose image a test writes as text.
extension CopyError {
    init(_ reason: Reason, side: Side, image text: String, operation: String) {
        self.init(reason, side: side, image: ImageReference(of: text), operation: operation)
    }

    init(
        explaining error: any Error,
        side: Side,
        image text: String,
        _ operation: String,
        at registry: PlainRegistry? = nil
    ) {
        self.init(explaining: error, side: side, image: ImageReference(of: text), operation, at: registry)
    }
}

extension ImageReference {
    /// - Precondition: The text is a reference.
    init(of text: String) {
        guard let reference = try? ImageReference(parsing: text) else {
            preconditionFailure("not a reference: \(text)")
        }
        self = reference
    }
}

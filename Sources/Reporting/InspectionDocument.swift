package import Replicate

/// The JSON of `inspect`: what is known about the image, and which referrers can't be shown, each with a remedy.
package struct InspectionDocument: Encodable, Sendable {
    package var inspection: Inspection

    package init(_ inspection: Inspection) { self.inspection = inspection }

    private enum CodingKeys: CodingKey { case referrersLeftOut }

    package func encode(to encoder: any Encoder) throws {
        try inspection.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        let left = CopyDocument.LeftOutReferrer.list(inspection.referrerFailures)
        try container.encodeIfPresent(left, forKey: .referrersLeftOut)
    }
}

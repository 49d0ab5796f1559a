import Content
import Foundation

@testable import ECREmulator

let account = "111122223333"
let otherAccount = "444455556666"
let region = "us-east-1"
let noon = Date(timeIntervalSince1970: 1_768_478_400)  // 2026-01-15T12:00:00Z

/// A repository `team/app` that has an image's blobs and no manifests.
func repository(with images: SeedImage...) -> EmulatedRepository {
    var repository = EmulatedRepository(account: account, region: region, name: "team/app", createdAt: noon)
    for blob in images.flatMap(\.blobs) { repository.blobs[blob.digest] = EmulatedBlob(size: blob.size) }
    return repository
}

extension EmulatedRepository {
    /// Puts every manifest of an image, and the root with the tag.
    mutating func put(_ image: SeedImage, tag: String? = nil) throws {
        for (index, part) in image.manifests.enumerated() {
            let isRoot = index == image.manifests.count - 1
            _ = try putImage(
                Put(
                    text: String(decoding: part.bytes, as: UTF8.self),
                    mediaType: part.mediaType,
                    tag: isRoot ? tag : nil
                ),
                at: noon
            )
        }
    }
}

/// Returns the code of the fault that `body` throws, or a text for any other outcome.
func faultCode(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no fault"
    } catch let fault as ServiceFault {
        return fault.code
    } catch {
        return "\(error)"
    }
}

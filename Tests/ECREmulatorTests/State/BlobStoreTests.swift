import Content
import Testing

@testable import ECREmulator

@Suite("The emulator's blobs", .timeLimit(.minutes(1)))
struct BlobStoreTests {
    @Test("concurrent uploads of the same bytes all succeed")
    func together() async throws {
        let store = try BlobStore(directory: nil)
        defer { store.removeTemporaryFiles() }
        for round in 0..<200 {
            let bytes = Array("round \(round)".utf8)
            let digest = Digest(of: bytes)
            let uploads = (0..<8).map { "\(round)-\($0)" }
            for upload in uploads { try store.partFile(upload).append(bytes) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for upload in uploads { group.addTask { try store.keep(upload, as: digest) } }
                try await group.waitForAll()
            }
            #expect(try store.open(digest).read(at: 0, count: 100) == bytes)
        }
    }
}

import Content
import Testing

@testable import ECREmulator

@Suite("Layer uploads")
struct UploadRuleTests {
    let content = Digest(of: Array("content".utf8))

    @Test("parts are consecutive, and the error for a wrong one names the last valid byte")
    func sequence() throws {
        var repository = repository()
        let id = repository.initiateUpload().id
        try repository.checkPart(id, first: 0)
        repository.received(5_242_880, in: id)
        for first in [Int64(0), 5_242_879, 5_242_881] {
            let fault = #expect(throws: ServiceFault.self) { try repository.checkPart(id, first: first) }
            #expect(fault?.code == "InvalidLayerPartException")
            #expect(fault?.message == "First byte of the layer part is \(first) instead of 5242880")
            #expect(fault?.details.last == .init(name: "lastValidByteReceived", value: .integer(5_242_879)))
        }
        try repository.checkPart(id, first: 5_242_880)
    }

    @Test("only the last part may be small, which is checked at completion")
    func smallParts() throws {
        var repository = repository()
        var id = repository.initiateUpload().id
        repository.received(5_242_879, in: id)
        repository.received(1, in: id)
        let digests = ["\(content)"]
        #expect(
            faultCode { _ = try repository.completeUpload(id, digests: digests, actual: content) }
                == "LayerPartTooSmallException"
        )
        id = repository.initiateUpload().id
        repository.received(5_242_880, in: id)
        repository.received(1, in: id)
        #expect(try repository.completeUpload(id, digests: digests, actual: content) == content)
        #expect(repository.blobs[content]?.size == 5_242_881)
        #expect(repository.uploads.isEmpty)
    }

    @Test("an empty upload, a wrong digest, an existing layer and an unknown upload are errors")
    func endings() throws {
        var repository = repository()
        func complete(_ count: Int64, _ digest: Digest) -> String {
            let id = repository.initiateUpload().id
            repository.received(count, in: id)
            return faultCode { _ = try repository.completeUpload(id, digests: ["\(digest)"], actual: content) }
        }
        #expect(complete(0, content) == "EmptyUploadException")
        #expect(complete(7, .ofNothing) == "InvalidLayerException")
        #expect(complete(7, content) == "no fault")
        #expect(complete(7, content) == "LayerAlreadyExistsException")
        #expect(faultCode { try repository.checkPart("gone", first: 0) } == "UploadNotFoundException")
    }

    @Test("the end in the Range header stays at the end of the first part")
    func stuckRange() {
        var repository = repository()
        let id = repository.initiateUpload().id
        repository.received(100, in: id)
        repository.received(50, in: id)
        #expect(repository.uploads[id]?.firstPartEnd == 99)
        #expect(repository.uploads[id]?.received == 150)
    }

    @Test("only layers of an active image can be downloaded")
    func download() throws {
        let image = SeedImage.oci("app", layers: [100])
        var repository = repository(with: image)
        let layer = image.blobs[1].digest
        #expect(faultCode { _ = try repository.download(of: content) } == "LayersNotFoundException")
        #expect(faultCode { _ = try repository.download(of: layer) } == "LayerInaccessibleException")
        try repository.put(image)
        #expect(try repository.download(of: layer) == 100)
        repository.setStorageClass(of: image.digest, archived: true, at: noon)
        #expect(faultCode { _ = try repository.download(of: layer) } == "LayerInaccessibleException")
    }

    @Test("a mount needs the setting, the blob and the same encryption")
    func mount() throws {
        let key = RegistryKey(account: account, region: region)
        var cloud = EmulatedCloud()
        for name in ["a/a", "b/b", "c/c"] { _ = try cloud.createRepository(name, in: key, at: noon) }
        try cloud.change("a/a", in: key) { $0.blobs[content] = EmulatedBlob(size: 7) }
        try cloud.change("c/c", in: key) { $0.encryption = .init(type: "KMS", key: "k") }
        func mount(_ digest: Digest, _ source: String, _ target: String) -> Bool {
            cloud.mount(digest, from: source, to: target, in: key)
        }
        #expect(!mount(content, "a/a", "b/b"))
        cloud.registries[key]?.settings["BLOB_MOUNTING"] = "ENABLED"
        #expect(!mount(content, "a/a", "c/c"))
        #expect(!mount(.ofNothing, "a/a", "b/b"))
        #expect(!mount(content, "nope", "b/b"))
        #expect(mount(content, "a/a", "b/b"))
        #expect(try cloud.repository("b/b", in: key).blobs[content]?.size == 7)
    }
}

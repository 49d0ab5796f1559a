import Content
import ECREmulator
import TestPrograms
import Testing

/// Gigabytes take their time where other tests run beside them.
@Suite("Memory", .timeLimit(.minutes(3)))
struct MemoryTests {
    /// DESIGN section 5, in bytes.
    static let bound = 64 << 20

    @Test("stays under 64 MiB while a layer of 2 GiB is copied", .needs(.registry, .python))
    func largeLayer() async throws {
        try await withScratchDirectory(inMemory: true) { directory in
            try await withTwoRegistries(in: directory) { source, destination in
                let digest = try LargeImage.twoGiB.store(in: source, repository: "large")

                let (ended, peak) = try await runMeasured(
                    .ecrReplicate,
                    ["copy", "\(source.authority)/large@\(digest)", "\(destination.authority)/large:v1"]
                )

                #expect(ended.exitCode == 0, "\(ended.errors)")
                #expect(ended.lines == ["\(destination.authority)/large:v1@\(digest)"])
                #expect(peak < Self.bound, "\(peak >> 20) MiB")
                #expect(peak > 4 << 20, "\(peak) bytes is no figure of this program")
            }
        }
    }

    @Test("stays under 64 MiB while a layer goes to ECR in parts", .needs(.registry, .python))
    func largeLayerInParts() async throws {
        try await withScratchDirectory(inMemory: true) { directory in
            try await withRegistry(in: directory) { source in
                let digest = try LargeImage.ofParts.store(in: source, repository: "large")
                var configuration = EmulatorConfiguration()
                configuration.stateDirectory = "\(directory)/emulator"
                try await withEmulator(configuration) { emulator in
                    let (account, region) = (configuration.accounts[0].id, configuration.regions[0])
                    try emulator.createRepository(account: account, region: region, "large")
                    let destination = "\(emulator.registryHost(account: account, region: region))/large"

                    let (ended, peak) = try await runMeasured(
                        .ecrReplicate,
                        [
                            "copy", "--upload", "api", "--state-dir", "\(directory)/state",
                            "\(source.authority)/large@\(digest)", "\(destination):v1",
                        ],
                        environment: Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
                    )

                    #expect(ended.exitCode == 0, "\(ended.errors)")
                    #expect(ended.lines == ["\(destination):v1@\(digest)"])
                    #expect(peak < Self.bound, "\(peak >> 20) MiB")
                    // 25 of 10 MiB and the rest, and one that is the config.
                    #expect(emulator.requests.count { $0.operation == "UploadLayerPart" } == 27)
                }
            }
        }
    }
}

/// An image whose one layer is zeros, put where docker-registry looks for it.
///
/// The file takes no room; whoever reads it hashes and sends every byte all the same.
private struct LargeImage {
    var byteCount: Int
    /// What `head -c … /dev/zero | sha256sum` says.
    var layer: String

    static let twoGiB = LargeImage(
        byteCount: 2 << 30,
        layer: "a7c744c13cc101ed66c29f672f92455547889cc586ce6d44fe76ae824958ea51"
    )
    /// Enough for 26 parts; how many there are makes no difference to the memory.
    static let ofParts = LargeImage(
        byteCount: 256 << 20,
        layer: "a6d72ac7690f53be6ae46ba88506bd97302a093f7108472bd9efc3cefda06484"
    )

    /// - Returns: The manifest's digest.
    func store(in registry: RealRegistry, repository: String) throws -> Digest {
        let root = "\(registry.root)/docker/registry/v2"
        let links = "\(root)/repositories/\(repository)"
        func blob(_ hex: String) throws -> String {
            let folder = "\(root)/blobs/sha256/\(hex.prefix(2))/\(hex)"
            try makeDirectory(folder)
            try makeDirectory("\(links)/_layers/sha256/\(hex)")
            try write("sha256:\(hex)", to: "\(links)/_layers/sha256/\(hex)/link")
            return "\(folder)/data"
        }
        try writeZeros(byteCount, to: blob(layer))
        let config =
            #"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:\#(layer)"]}}"#
        let configDigest = Digest(of: Array(config.utf8))
        try write(config, to: blob(configDigest.hex))
        let type = "application/vnd.oci.image"
        let manifest = """
            {"schemaVersion":2,"mediaType":"\(type).manifest.v1+json","config":{"mediaType":"\(type).config.v1+json",\
            "digest":"\(configDigest)","size":\(config.utf8.count)},"layers":[{"mediaType":"\(type).layer.v1.tar",\
            "digest":"sha256:\(layer)","size":\(byteCount)}]}
            """
        let digest = Digest(of: Array(manifest.utf8))
        try write(manifest, to: blob(digest.hex))
        try makeDirectory("\(links)/_manifests/revisions/sha256/\(digest.hex)")
        try write("\(digest)", to: "\(links)/_manifests/revisions/sha256/\(digest.hex)/link")
        return digest
    }
}

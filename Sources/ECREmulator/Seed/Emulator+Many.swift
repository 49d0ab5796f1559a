internal import Content
internal import FoundationEssentials
internal import Platform

extension Emulator {
    /// Stores many tiny images at once, in repositories that are created if they are missing.
    ///
    /// Image number `i` of a repository has the tag `v` and `i`, and the same digest in every registry. All images have
    /// one config and one layer.
    ///
    /// - Parameter isLeftOut: Whether a repository lacks the image with this number.
    public func seedMany(
        _ count: Int,
        in repositories: [String],
        account: String,
        region: String,
        leavingOut isLeftOut: (Int) -> Bool = { _ in false }
    ) throws {
        let config = SeedImage.Blob(bytes: Array("{}".utf8))
        let layer = SeedImage.Blob(layer: 100, seed: 1)
        for blob in [config, layer] {
            guard case .bytes(let bytes) = blob.source else { continue }
            _ = try aws.blobs.put(bytes)
        }
        let head =
            "{\"schemaVersion\":2,\"mediaType\":\"\(ManifestType.ociImage)\","
            + "\"config\":\(SeedImage.descriptor(config, "application/vnd.oci.image.config.v1+json")),"
            + "\"layers\":[\(SeedImage.descriptor(layer, "application/vnd.oci.image.layer.v1.tar+gzip"))],"
            + "\"annotations\":{\"number\":\""
        guard var view = ManifestView(reading: head + "\"}}") else { return }
        let key = RegistryKey(account: account, region: region)
        let now = aws.now
        try aws.state.withLock { state in
            for name in repositories {
                if state.cloud.registries[key]?.repositories[name] == nil {
                    _ = try state.cloud.createRepository(name, in: key, at: now)
                }
                try state.cloud.change(name, in: key) { repository in
                    for blob in [config, layer] { repository.blobs[blob.digest] = EmulatedBlob(size: blob.size) }
                    for number in 0..<count where !isLeftOut(number) {
                        let text = "\(head)\(name) \(number)\"}}"
                        view.annotations = ["number": "\(name) \(number)"]
                        let digest = Digest(of: text.utf8)
                        repository.images[digest] = EmulatedImage(
                            digest: digest,
                            text: text,
                            mediaType: ManifestType.ociImage,
                            view: view,
                            pushedAt: now
                        )
                        repository.tags["v\(number)"] = digest
                    }
                }
            }
        }
        aws.save()
    }
}

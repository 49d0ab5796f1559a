import Content
import ECREmulator

/// A repository in a registry.
public struct Place: Hashable, Sendable, CustomStringConvertible {
    public var account: String
    public var region: String
    public var repository: String

    public init(account: String, region: String, _ repository: String) {
        self.account = account
        self.region = region
        self.repository = repository
    }

    public var description: String { "\(account)/\(region)/\(repository)" }
}

extension Emulator {
    /// Returns what is wrong with a repository from which a client may pull at this moment; during a copy, nothing may
    /// ever be wrong.
    ///
    /// Every manifest must match its digest and have its children and blobs, every blob must match its digest, and
    /// every tag must point at one of its allowed manifests.
    ///
    /// - Parameter allowed: The digests that each tag may hold; other tags may not exist.
    public func flaws(at place: Place, tags allowed: [String: Set<Digest>]) -> [String] {
        let (account, region, repository) = (place.account, place.region, place.repository)
        var flaws: [String] = []
        // The order matters: content that is read later may only have grown, if a copy is writing at this moment.
        let tags = tags(account: account, region: region, repository: repository)
        let manifests = manifests(account: account, region: region, repository: repository)
        let blobs = blobs(account: account, region: region, repository: repository)
        for digest in manifests {
            let bytes = manifest(digest, account: account, region: region, repository: repository) ?? []
            if Digest(of: bytes) != digest { flaws.append("manifest \(digest.short) hashes to something else") }
            guard let manifest = try? Manifest(bytes: bytes) else {
                flaws.append("manifest \(digest.short) is none")
                continue
            }
            for child in manifest.children where !manifests.contains(child.digest) {
                flaws.append("manifest \(digest.short) lacks its child \(child.digest.short)")
            }
            for blob in manifest.blobs where !blobs.contains(blob.digest) {
                flaws.append("manifest \(digest.short) lacks its blob \(blob.digest.short)")
            }
        }
        for digest in blobs {
            let bytes = blob(digest, account: account, region: region, repository: repository)
            if bytes.map({ Digest(of: $0) }) != digest { flaws.append("blob \(digest.short) hashes to something else") }
        }
        for (tag, digest) in tags {
            if !manifests.contains(digest) { flaws.append("tag \(tag) points at nothing") }
            if allowed[tag]?.contains(digest) != true { flaws.append("tag \(tag) holds \(digest.short)") }
        }
        return flaws
    }

    /// Returns what a repository lacks of images that should have been copied to it, byte for byte.
    public func lacks(_ images: [SeedImage], at place: Place) -> [String] {
        let (account, region, repository) = (place.account, place.region, place.repository)
        let blobs = blobs(account: account, region: region, repository: repository)
        return images.flatMap { image in
            image.manifests.filter {
                manifest($0.digest, account: account, region: region, repository: repository) != $0.bytes
            }.map { "lacks manifest \($0.digest.short)" }
                + image.blobs.map(\.digest).filter { !blobs.contains($0) }.map { "lacks blob \($0.short)" }
        }
    }
}

public import Content
internal import FoundationEssentials
internal import Platform

/// Methods that read and change the emulator's state without HTTP, so that they aren't logged, denied or made to fail.
extension Emulator {
    /// Creates a repository if it is missing.
    ///
    /// - Parameters:
    ///   - mutability: A mode as in CreateRepository, for example `IMMUTABLE`.
    ///   - exclusions: Wildcards, for the two modes with exclusions.
    public func createRepository(
        account: String,
        region: String,
        _ name: String,
        mutability: String = "MUTABLE",
        exclusions: [String] = [],
        kmsKey: String? = nil
    ) throws {
        let filters = exclusions.map { Parameters.ExclusionFilter(filterType: "WILDCARD", filter: $0) }
        let mode = try TagMutability(mode: mutability, filters: filters)
        let key = RegistryKey(account: account, region: region)
        let now = aws.now
        try aws.state.withLock { state in
            if state.cloud.registry(key).repositories[name] == nil {
                _ = try state.cloud.createRepository(name, in: key, at: now)
            }
            try state.cloud.change(name, in: key) { repository in
                repository.mutability = mode
                if let kmsKey { repository.encryption = .init(type: "KMS", key: kmsKey) }
            }
        }
        aws.save()
    }

    /// Deletes a repository with its contents and its open uploads.
    public func deleteRepository(account: String, region: String, _ name: String) throws {
        let key = RegistryKey(account: account, region: region)
        let deleted = try aws.state.withLock { try $0.cloud.deleteRepository(name, in: key, force: true) }
        for upload in deleted.uploads.keys { aws.blobs.discard(upload) }
        aws.save()
    }

    /// Returns the names of a registry's repositories, in order.
    public func repositories(account: String, region: String) -> [String] {
        let key = RegistryKey(account: account, region: region)
        return aws.state.withLock { $0.cloud.registry(key).repositories.keys.sorted() }
    }

    /// Stores a blob.
    @discardableResult
    public func putBlob(_ bytes: [UInt8], account: String, region: String, repository: String) throws -> Digest {
        let digest = try aws.blobs.put(bytes)
        try change(account, region, repository) { $0.blobs[digest] = EmulatedBlob(size: Int64(bytes.count)) }
        return digest
    }

    /// Stores a blob of any size whose bytes are generated from `seed` (see ``SeedBytes``) whenever they are read.
    ///
    /// - Parameter byteCount: The blob's size, at least 1.
    @discardableResult
    public func putBlob(
        generating byteCount: Int64,
        seed: UInt64,
        account: String,
        region: String,
        repository: String
    ) throws -> Digest {
        let blob = SeedImage.Blob(generating: byteCount, seed: seed)
        let digest = blob.digest
        try aws.blobs.describe(digest, size: byteCount, seed: seed)
        try change(account, region, repository) { $0.blobs[digest] = EmulatedBlob(size: byteCount) }
        return digest
    }

    /// Stores a manifest by ECR's rules; a manifest that is already stored is accepted.
    @discardableResult
    public func putManifest(
        _ bytes: [UInt8],
        mediaType: String,
        tag: String? = nil,
        account: String,
        region: String,
        repository: String
    ) throws -> Digest {
        let put = EmulatedRepository.Put(text: String(decoding: bytes, as: UTF8.self), mediaType: mediaType, tag: tag)
        let now = aws.now
        do {
            try change(account, region, repository) { _ = try $0.putImage(put, at: now) }
        } catch let fault as ServiceFault where fault.code == "ImageAlreadyExistsException" {}
        return Digest(of: bytes)
    }

    /// Returns the digest that a tag points at.
    public func tag(_ tag: String, account: String, region: String, repository: String) -> Digest? {
        read(account, region, repository)?.tags[tag]
    }

    /// Returns all tags of a repository.
    public func tags(account: String, region: String, repository: String) -> [String: Digest] {
        read(account, region, repository)?.tags ?? [:]
    }

    /// Returns a manifest's bytes, whatever its status.
    public func manifest(_ digest: Digest, account: String, region: String, repository: String) -> [UInt8]? {
        read(account, region, repository)?.images[digest].map { Array($0.text.utf8) }
    }

    /// Returns the digests of all manifests.
    public func manifests(account: String, region: String, repository: String) -> Set<Digest> {
        Set((read(account, region, repository)?.images ?? [:]).keys)
    }

    public func blobs(account: String, region: String, repository: String) -> Set<Digest> {
        Set((read(account, region, repository)?.blobs ?? [:]).keys)
    }

    /// Returns a blob's bytes, which must fit in memory; an emulator that discards layers doesn't have them.
    public func blob(_ digest: Digest, account: String, region: String, repository: String) -> [UInt8]? {
        guard let blob = read(account, region, repository)?.blobs[digest] else { return nil }
        return try? aws.blobs.open(digest).read(at: 0, count: Int(blob.size))
    }

    /// Returns the number of uploads that were started and neither finished nor cancelled.
    public func openUploads(account: String, region: String, repository: String) -> Int {
        read(account, region, repository)?.uploads.count ?? 0
    }

    /// Drops the open uploads, as ECR does after some time.
    public func dropUploads(account: String, region: String, repository: String) throws {
        try change(account, region, repository) { $0.uploads = [:] }
    }

    /// Archives an image, or restores it.
    public func archive(
        _ digest: Digest,
        _ isArchived: Bool = true,
        account: String,
        region: String,
        repository: String
    ) throws {
        let now = aws.now
        try change(account, region, repository) { $0.setStorageClass(of: digest, archived: isArchived, at: now) }
    }

    /// Sets the answer of DescribeImageScanFindings for an image.
    ///
    /// - Parameters:
    ///   - counts: The number of findings of each severity, for example `["HIGH": 2]`.
    ///   - status: The scan's status, for example `COMPLETE` or `IN_PROGRESS`.
    public func setScan(
        of digest: Digest,
        counts: [String: Int],
        status: String = "COMPLETE",
        account: String,
        region: String,
        repository: String
    ) throws {
        let now = aws.now.timeIntervalSince1970
        let scan = EmulatedScan(status: status, completedAt: now, counts: counts)
        try setScan(scan, of: digest, account: account, region: region, repository: repository)
    }

    /// Sets the answer of DescribeImageScanFindings for an image; `nil` for an image that was never scanned.
    public func setScan(
        _ scan: EmulatedScan?,
        of digest: Digest,
        account: String,
        region: String,
        repository: String
    ) throws {
        try change(account, region, repository) { $0.images[digest]?.scan = scan }
    }

    /// Sets an account setting of one registry, for example `BLOB_MOUNTING` to `ENABLED`.
    public func setSetting(_ name: String, _ value: String, account: String, region: String) {
        let key = RegistryKey(account: account, region: region)
        aws.state.withLock { $0.cloud.registries[key, default: EmulatedRegistry(key: key)].settings[name] = value }
        aws.save()
    }

    func change(
        _ account: String,
        _ region: String,
        _ repository: String,
        _ body: (inout EmulatedRepository) throws -> Void
    ) throws {
        let key = RegistryKey(account: account, region: region)
        try aws.state.withLock { try $0.cloud.change(repository, in: key, body) }
        aws.save()
    }

    private func read(_ account: String, _ region: String, _ repository: String) -> EmulatedRepository? {
        let key = RegistryKey(account: account, region: region)
        return aws.state.withLock { try? $0.cloud.repository(repository, in: key) }
    }
}

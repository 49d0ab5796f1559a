internal import Content
internal import ECRAPI
internal import HTTPTypes
internal import Replicate
internal import Wire

extension Doctor {
    func examineSource(
        _ image: ImageReference,
        goingTo place: DestinationReference?,
        _ order: FindingOrder
    ) async throws {
        var examination = Examination(.source, .image(image), order, policies: policyCommand(image, place))
        // The destination's findings wait for this, however the examination ends.
        defer { order.end(.source, root: examination.root) }
        try await SideLabel.with(SideLabel.metadata(.source)) {
            try await examine(image, goingTo: place, &examination)
        }
    }

    private func examine(
        _ image: ImageReference,
        goingTo place: DestinationReference?,
        _ examination: inout Examination
    ) async throws {
        guard let side = try await open(image, source, &examination) else { return }
        let (repository, ecr) = (side.repository, side.ecr)
        if let ecr {
            switch try await describe(ecr, &examination) {
            case .missing, .refused: return
            case .there, .unknown: break
            }
        }
        try await tryImage(image, repository, readsLayers: !isRetag(image, place), &examination)
        if let ecr {
            let question = DescribeImages(
                registryId: ecr.host.account,
                repositoryName: ecr.name,
                filter: ImageFilter(tagStatus: .tagged, imageStatus: .any)
            )
            _ = try await examination.permission("ecr:DescribeImages", optional: "--all-tags, --match and ls need it") {
                try await ecr.api.send(question)
            }
            try await tryGates(gates, ecr, &examination)
            if createRepository == .likeSource, let place, !isRetag(image, place), Self.isECR(place.registry) {
                try await trySettings(of: ecr, for: place, &examination)
            }
            examination.notePermissionsTried()
            if let place, side.isCallersOwn { try await lookForReplication(ecr, place, &examination) }
        }
    }

    /// Reads one image as a copy does, apart from its layers, of which one byte is read.
    func tryImage(
        _ image: ImageReference,
        _ repository: RepositoryProbe,
        readsLayers: Bool,
        _ examination: inout Examination
    ) async throws {
        guard let manifest = try await readImage(image, repository, &examination) else { return }
        if repository.ecr != nil, referrers == .all { try await tryReferrers(manifest, repository, &examination) }
        if let client = repository.registryClient {
            try await askOptionalQuestions(about: manifest, repository, client, &examination)
        }
        if readsLayers { try await tryLayer(of: manifest, repository, &examination) }
    }

    /// The manifest of the image, and, for an index, of its first child.
    private func readImage(
        _ image: ImageReference,
        _ repository: RepositoryProbe,
        _ examination: inout Examination
    ) async throws -> Manifest? {
        let isECR = repository.ecr != nil
        let check = isECR ? "ecr:BatchGetImage" : "image"
        examination.ask(check)
        do {
            var id = ManifestID(image)
            if id == nil { id = try await repository.soleImage() }
            guard let id else {
                examination.note(.skipped, "image", "name a tag or a digest to check its layers")
                return nil
            }
            guard var manifest = try await read(id, repository) else { throw missing(.imageMissing, repository, id) }
            examination.root = manifest.digest
            examination.isRepositorySeen = true
            if let child = manifest.children.first {
                let id = ManifestID.digest(child.digest)
                guard let read = try await read(id, repository) else { throw missing(.imageMissing, repository, id) }
                manifest = read
            }
            examination.note(.ok, check, isECR ? "allowed; the image exists" : "the image exists")
            return manifest
        } catch {
            try examination.fail(check, error, "reading the image")
            return nil
        }
    }

    private func read(_ id: ManifestID, _ repository: RepositoryProbe) async throws -> Manifest? {
        let reading = try await repository.read(id)
        if let reason = reading.failures[id] { throw missing(reason, repository, id) }
        return reading.manifests[id]
    }

    private func missing(_ reason: CopyError.Reason, _ repository: RepositoryProbe, _ id: ManifestID) -> CopyError {
        CopyError(
            reason,
            side: .source,
            image: repository.reference.tagged(id.tag, digest: id.digest),
            operation: "BatchGetImage"
        )
    }

    private func tryReferrers(
        _ manifest: Manifest,
        _ repository: RepositoryProbe,
        _ examination: inout Examination
    ) async throws {
        _ = try await examination.permission("referrers") {
            try await repository.referrers(of: manifest.digest)
        }
    }

    /// The largest blob to read, in bytes, in case a server ignores the range and sends the whole blob.
    private static let largestFirstByte: Int64 = 4 << 20

    /// Requests the smallest blob, and reads its first byte from the host that serves the blobs.
    private func tryLayer(
        of manifest: Manifest,
        _ repository: RepositoryProbe,
        _ examination: inout Examination
    ) async throws {
        guard let blob = manifest.blobs.filter({ $0.size > 0 }).min(by: { $0.size < $1.size }) else { return }
        let isECR = repository.ecr != nil
        let check = isECR ? "ecr:GetDownloadUrlForLayer" : "layer"
        guard let place = try await examination.permission(check, { try await repository.source(of: blob) }),
            case .request(var request) = place
        else { return }
        request.fields[.range] = "bytes=0-0"
        request.largestAnswer = Int(clamping: min(max(blob.size, 1 << 16), Self.largestFirstByte))
        request.deadline = .seconds(10)
        examination.ask("layers")
        do {
            let host = try await repository.read(blob, at: request, by: opener.sender)
            examination.note(.ok, "layers", "can be downloaded from \(host)")
        } catch {
            try examination.fail("layers", error, "downloading \(blob.digest)")
        }
    }

    /// Checks whether ECR's own replication already copies these images.
    private func lookForReplication(
        _ ecr: ECRProbe,
        _ place: DestinationReference,
        _ examination: inout Examination
    ) async throws {
        guard case .ecr(let there) = place.registry,
            there.account != ecr.host.account || there.region != ecr.host.region,
            let answer = try await examination.look("replication", DescribeRegistry(), at: ecr)
        else { return }
        let rules = answer.replicationConfiguration?.rules ?? []
        Self.note(replicationOf: ecr.name, by: rules, to: place, there, &examination)
    }

    static func note(
        replicationOf name: RepositoryName,
        by rules: [DescribeRegistry.Rule],
        to place: DestinationReference,
        _ there: ECRHost,
        _ examination: inout Examination
    ) {
        guard rules.contains(where: { $0.covers(name, to: there.account, region: there.region) }) else {
            return examination.note(.ok, "replication", "ECR's replication doesn't copy this repository there")
        }
        let isSameName = (place.repository ?? name) == name
        examination.note(
            .warning,
            "replication",
            "ECR's replication copies \(name) to \(there.account) in \(there.region) already, under the same name",
            remedy: isSameName
                ? "leave it to ECR, or take the repository out of its rules: both write the same tags"
                : "take the repository out of its rules if one copy is enough"
        )
    }
}

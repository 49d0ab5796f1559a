internal import Content
internal import Replicate

/// Counts the bytes of a plan, each blob once for each destination repository.
///
/// Outcomes are counted in the order in which they are reported, so that two plans of the same state are equal. Whether
/// a blob can be mounted from a sibling repository is an estimate: the registry is not asked, and at most ``mostKnown``
/// blobs of a registry are remembered.
struct BlobLedger {
    /// A blob of a plan, with its size in bytes.
    struct Blob: Sendable {
        var digest: Digest
        var size: Int64
    }

    private var known: [RegistryLocation: Set<Digest>] = [:]
    /// The repository that was counted last, and its blobs.
    private var current: (repository: ImageReference, digests: Set<Digest>)?

    /// The most blobs of one registry that are remembered, about 4 MiB.
    static let mostKnown = 65_536

    /// Counts what the images of an outcome lack.
    mutating func count(_ outcome: inout RepositoryOutcome) {
        guard let repository = outcome.destination else { return }
        if current?.repository != repository { current = (repository, []) }
        for index in outcome.images.indices {
            for blob in outcome.images[index].uncounted {
                count(blob, at: repository, &outcome.images[index].work)
            }
            outcome.images[index].uncounted = []
        }
    }

    private mutating func count(_ blob: Blob, at repository: ImageReference, _ work: inout ImageOutcome.Work) {
        guard current?.digests.insert(blob.digest).inserted == true else {
            work.bytesThere += blob.size
            return
        }
        work.blobs += 1
        if known[repository.registry]?.contains(blob.digest) == true {
            work.bytesMountable += blob.size
            work.requests += 1
            return
        }
        if known[repository.registry, default: []].count < Self.mostKnown {
            known[repository.registry, default: []].insert(blob.digest)
        }
        work.bytes += blob.size
        work.requests += Self.requestsOfBlob
    }

    /// A download URL, a GET, a POST and a PUT.
    ///
    /// - Source: docs/architecture.md#request-budgets
    private static let requestsOfBlob = 4
}

extension ImageOutcome.Work {
    /// What is to be done for an image, without its blobs.
    init(_ plan: Plan) {
        bytesThere = plan.bytesThere
        let puts = plan.manifestsToPut
        manifests = puts.count
        referrers = puts.count { $0.role == .referrer && $0.manifest.subject != nil }
        let tags = plan.tags.count { tag in
            switch tag.action {
            case .set, .move: true
            case .keep, .skip, .refuse: false
            }
        }
        // The root is put with its first tag.
        let isRootPut = puts.contains { $0.role == .root }
        requests = puts.count + max(0, tags - (isRootPut ? 1 : 0))
    }
}

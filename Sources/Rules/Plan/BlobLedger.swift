internal import Content
internal import Platform
internal import Replicate

/// Counts the bytes of a plan, each blob once for each destination repository.
///
/// Whether a blob can be mounted from a sibling repository is an estimate: the registry is not asked, and at most
/// ``mostKnown`` blobs of a registry are remembered.
final class BlobLedger: Sendable {
    private let known = Lock<[RegistryLocation: Set<Int>]>([:])

    /// The most blobs of one registry that are remembered, about 2 MiB.
    static let mostKnown = 65_536

    /// The blobs that are counted for one destination repository.
    struct Repository: Sendable {
        let registry: RegistryLocation
        var digests: Set<Digest> = []
    }

    /// What is to be done for an image.
    func work(of plan: Plan, at repository: inout Repository) -> ImageOutcome.Work {
        var work = ImageOutcome.Work()
        work.bytesThere = plan.bytesThere
        for blob in plan.blobs {
            guard repository.digests.insert(blob.digest).inserted else {
                work.bytesThere += blob.size
                continue
            }
            let isMountable = known.withLock { known in
                let value = blob.digest.hashValue
                if known[repository.registry]?.contains(value) == true { return true }
                if known[repository.registry, default: []].count < Self.mostKnown {
                    known[repository.registry, default: []].insert(value)
                }
                return false
            }
            work.blobs += 1
            if isMountable {
                work.bytesMountable += blob.size
                work.requests += 1
            } else {
                work.bytes += blob.size
                work.requests += Self.requestsOfBlob
            }
        }
        let puts = plan.manifestsToPut
        work.manifests = puts.count
        work.referrers = puts.count { $0.role == .referrer && $0.manifest.subject != nil }
        let tags = plan.tags.count { tag in
            switch tag.action {
            case .set, .move: true
            case .keep, .skip, .refuse: false
            }
        }
        // The root is put with its first tag.
        let isRootPut = puts.contains { $0.role == .root }
        work.requests += puts.count + max(0, tags - (isRootPut ? 1 : 0))
        return work
    }

    /// A download URL, a GET, a POST and a PUT.
    ///
    /// - Source: docs/architecture.md#request-budgets
    private static let requestsOfBlob = 4
}

internal import Content
internal import Platform

/// Which repositories of which registry are known to hold which blob in this run.
///
/// - Source: docs/architecture.md#mounts: a mount attempt is the POST itself, and after two declines a registry is not
///   tried again in that run
final class Siblings: Sendable {
    private struct State {
        var holders: [String: [Digest: RepositoryName]] = [:]
        var declines: [String: Int] = [:]
    }

    static let mostDeclines = 2

    private let state = Lock(State())

    func note(_ digest: Digest, in repository: any ImageRepository) {
        let name = repository.reference.repository
        state.withLock { $0.holders[repository.registryKey, default: [:]][digest] = name }
    }

    func noteDecline(of registry: String) {
        state.withLock { $0.declines[registry, default: 0] += 1 }
    }

    func sibling(
        holding digest: Digest,
        source: any ImageRepository,
        destination: any ImageRepository
    ) -> RepositoryName? {
        let registry = destination.registryKey
        let holder = state.withLock { state -> RepositoryName? in
            guard state.declines[registry, default: 0] < Self.mostDeclines else { return nil }
            if let known = state.holders[registry]?[digest] { return known }
            return source.registryKey == registry ? source.reference.repository : nil
        }
        return holder == destination.reference.repository ? nil : holder
    }
}

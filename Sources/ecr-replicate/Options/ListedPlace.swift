import ArgumentParser
import Content
import FoundationEssentials
import Replicate

/// What `ls` lists: the tags of a repository, or the repositories of a registry.
enum ListedPlace: Sendable {
    case repository(ImageReference)
    /// Without a repository.
    case registry(DestinationReference)
}

/// A host without a slash is a registry where it can't be a repository: one of ECR's, or one with a port.
func parseListed(_ text: String) throws -> ListedPlace {
    let isHost = text.hasSuffix("/") || !text.dropFirst(text.hasPrefix("http") ? 8 : 0).contains("/")
    if isHost, !text.hasPrefix("oci:"), !text.hasPrefix("arn:") {
        let host = text.hasSuffix("/") ? text : "\(text)/"
        do {
            let reference = try DestinationReference(parsing: host)
            if text.hasSuffix("/") || reference.registry.isNamedByHost(text) || wellKnown.contains(text.lowercased()) {
                return .registry(reference)
            }
        } catch {
            // A mistyped host of ECR says so here, and a repository's name isn't meant for this.
            if text.hasSuffix("/") { throw ValidationError("\(error)") }
        }
    }
    return .repository(try parseReference(text))
}

/// Registries that are never meant as the name of a repository in the caller's own.
private let wellKnown: Set<String> = [
    "docker.io", "index.docker.io", "registry-1.docker.io", "ghcr.io", "quay.io", "gcr.io", "registry.k8s.io",
    "k8s.gcr.io",
    "public.ecr.aws", "mcr.microsoft.com", "registry.gitlab.com", "registry.access.redhat.com", "registry.redhat.io",
    "cgr.dev", "nvcr.io",
]

/// What to add to an error about a repository that may have been meant as a registry; `nil` where it can't be one.
func catalogAdvice(for repository: ImageReference) -> String? {
    let name = repository.repository.value
    guard repository.registry == .callersOwn, !name.contains("/"), name.contains(".") else { return nil }
    return "if \(name) is a registry, list it with: ecr-replicate ls \(name)/"
}

extension RegistryLocation {
    /// Whether `text`, which has no slash, is this registry's host and no repository's name.
    fileprivate func isNamedByHost(_ text: String) -> Bool {
        switch self {
        case .ecr: return true
        case .plain(let registry):
            let port = text.split(separator: ":").last ?? ""
            return registry.scheme != nil || registry.authority == "localhost"
                || (text.contains(":") && !port.isEmpty && port.utf8.allSatisfy { (48...57).contains($0) })
        case .callersOwn, .layout: return false
        }
    }
}

/// `--output json` of a registry's list.
struct RepositoryDocument: Encodable, Sendable {
    var version = 1
    var registry: String
    var repositories: [Repository]

    struct Repository: Encodable, Sendable {
        var name: String
        var createdAt: String?
        /// Whether tags can't be moved, but for those that a filter excludes.
        var immutableTags: Bool?
    }

    init(registry: String, _ listed: [ListedRepository]) {
        self.registry = registry
        repositories = listed.map { repository in
            Repository(
                name: quotable(repository.name),
                createdAt: repository.createdAt.map { Date(timeIntervalSince1970: $0).formatted(.iso8601) },
                immutableTags: repository.immutability?.byDefault
            )
        }
    }

    var text: String {
        let width = repositories.map(\.name.count).max() ?? 0
        return repositories.map { repository in
            let facts = [repository.createdAt, repository.immutableTags == true ? "immutable tags" : nil]
            let shown = facts.compactMap { $0 }.joined(separator: "  ")
            guard !shown.isEmpty else { return repository.name + "\n" }
            let name = repository.name + String(repeating: " ", count: width - repository.name.count)
            return "\(name)  \(shown)\n"
        }.joined()
    }
}

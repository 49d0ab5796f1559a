import ArgumentParser
import Content
import FoundationEssentials
import Replicate

/// The argument of `ls`: a repository, whose tags it lists, or a registry, whose repositories it lists.
enum ListTarget: Sendable {
    case repository(ImageReference)
    /// A registry, without a repository.
    case registry(DestinationReference)
}

/// Parses the argument of `ls`; a host without a slash is a registry if it is an ECR host or has a port.
func parseListTarget(_ text: String) throws -> ListTarget {
    let isHost = text.hasSuffix("/") || !text.dropFirst(text.hasPrefix("http") ? 8 : 0).contains("/")
    if isHost, !text.hasPrefix("oci:"), !text.hasPrefix("arn:") {
        let host = text.hasSuffix("/") ? text : "\(text)/"
        do {
            let reference = try DestinationReference(parsing: host)
            if text.hasSuffix("/") || reference.registry.isNamedByHost(text) || wellKnown.contains(text.lowercased()) {
                return .registry(reference)
            }
        } catch {
            // A misspelled ECR host is reported here; a repository's name is parsed below.
            if text.hasSuffix("/") { throw ValidationError("\(error)") }
        }
    }
    return .repository(try parseReference(text))
}

/// Hosts of well-known registries, which are never repository names in the caller's own registry.
private let wellKnown: Set<String> = [
    "docker.io", "index.docker.io", "registry-1.docker.io", "ghcr.io", "quay.io", "gcr.io", "registry.k8s.io",
    "k8s.gcr.io",
    "public.ecr.aws", "mcr.microsoft.com", "registry.gitlab.com", "registry.access.redhat.com", "registry.redhat.io",
    "cgr.dev", "nvcr.io",
]

/// Returns advice for an error about a repository that may have been meant as a registry; `nil` for other repositories.
func catalogAdvice(for repository: ImageReference) -> String? {
    let name = repository.repository.value
    guard repository.registry == .callersOwn, !name.contains("/"), name.contains(".") else { return nil }
    return "if '\(name)' is a registry, list its repositories with: ecr-replicate ls \(name)/"
}

extension RegistryLocation {
    /// Whether `text`, which has no slash, is this registry's host and not the name of a repository.
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

/// The JSON document that lists a registry's repositories.
struct RepositoryDocument: Encodable, Sendable {
    var version = 1
    var registry: String
    var repositories: [Repository]

    struct Repository: Encodable, Sendable {
        var name: String
        var createdAt: String?
        /// Whether tags are immutable, except those that a filter excludes.
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

internal import Replicate

/// Every mapping of a rule file, with its keys.
enum RuleFileShape {
    static let file = Shape(
        name: "file",
        keys: [
            .init(name: "version", summary: "The version of the file's format.", kind: .version, isRequired: true),
            .init(
                name: "registries",
                summary: "The registries that rules name, each with its identity and endpoints.",
                kind: .named(registry),
                isRequired: true,
                otherNames: ["registry", "creds", "hosts"]
            ),
            .init(
                name: "defaults",
                summary: "Settings for every rule that does not set them itself.",
                kind: .object(defaults)
            ),
            .init(
                name: "rules",
                summary: "What to copy, and where to.",
                kind: .list(rule),
                isRequired: true,
                otherNames: ["rule", "sync", "mappings", "tasks", "artifacts"]
            ),
        ]
    )

    static let registry = Shape(
        name: "registry",
        keys: [
            .init(
                name: "account",
                summary: "The AWS account of an ECR registry, 12 digits.",
                kind: .text(pattern: "^([0-9]{12}|.*\\$\\{.*)$"),
                otherNames: ["accountId", "registryId"]
            ),
            .init(name: "region", summary: "The AWS region of an ECR registry.", kind: .text()),
            .init(
                name: "host",
                summary: "The host of any other registry, with an optional port; http:// or https:// fixes the scheme.",
                kind: .text(),
                otherNames: ["url", "server", "registry", "hostname"]
            ),
            .init(
                name: "layout",
                summary: "A directory that holds each repository as an OCI image layout, DIRECTORY/REPOSITORY.",
                kind: .text(),
                otherNames: ["oci", "dir", "directory", "path"]
            ),
            .init(name: "profile", summary: "The profile of the shared AWS files to start from.", kind: .text()),
            .init(name: "roleArn", summary: "The role to assume.", kind: .text(), otherNames: ["role"]),
            .init(name: "externalId", summary: "The external id that the role's trust policy asks for.", kind: .text()),
            .init(name: "sessionName", summary: "The name of the role session, as CloudTrail shows it.", kind: .text()),
            .init(
                name: "endpointUrl",
                summary: "The address of ECR's API, if it is not AWS's.",
                kind: .text(),
                otherNames: ["endpoint"]
            ),
            .init(
                name: "registryEndpoint",
                summary: "The address of the registry, for PrivateLink without private DNS.",
                kind: .text()
            ),
            .init(
                name: "kmsKeys",
                summary: "For createRepository: like-source, the key here for each key of the source.",
                kind: .textsByName,
                otherNames: ["kmsKey"]
            ),
        ],
        forms: [["account", "region"], ["host"], ["layout"]]
    )

    static let rule = Shape(
        name: "rule",
        keys: [
            .init(
                name: "name",
                summary: "The rule's name, for reports and the command line.",
                kind: .text(pattern: "^[A-Za-z0-9._-]+$"),
                isRequired: true
            ),
            .init(
                name: "from",
                summary: "The repositories to copy.",
                kind: .object(source),
                isRequired: true,
                otherNames: ["source", "src"]
            ),
            .init(
                name: "to",
                summary: "The registry to copy to, or several.",
                kind: .objects(destination),
                isRequired: true,
                otherNames: ["target", "targets", "destination", "destinations", "dest"]
            ),
        ] + settings
    )

    static let defaults = Shape(name: "defaults", keys: settings)

    /// The keys that `defaults` and a rule share.
    private static let settings: [Shape.Key] = [
        .init(name: "tags", summary: "The tags to copy; all, if absent.", kind: .object(tags), otherNames: ["tag"]),
        .init(
            name: "platforms",
            summary: "The platforms to copy; with none, the whole image is copied and its digest kept.",
            kind: .texts,
            otherNames: ["platform", "architectures"]
        ),
        .init(
            name: "referrers",
            summary: "Whether to copy signatures, SBOMs and attestations (default: all).",
            kind: .choice(CopyOptions.Referrers.allCases.map(\.rawValue))
        ),
        .init(
            name: "ifExists",
            summary: "What to do if a tag holds another image (default: move; with gates, fail).",
            kind: .choice(CopyOptions.IfExists.allCases.map(\.rawValue)),
            otherNames: ["onConflict", "overwrite"]
        ),
        .init(
            name: "createRepository",
            summary: "What to do if the destination's repository is missing (default: never).",
            kind: .choice(RuleRepositoryCreation.allCases.map(\.rawValue))
        ),
        .init(
            name: "gates",
            summary: "What an image must pass before it is copied.",
            kind: .object(gates),
            otherNames: ["gate"]
        ),
        .init(
            name: "prune",
            summary: "Whether to delete at the destination what the source no longer has.",
            kind: .object(prune),
            otherNames: ["delete", "deletion"]
        ),
    ]

    static let source = Shape(
        name: "source",
        keys: [
            .init(name: "registry", summary: "The name of a registry of this file.", kind: .text(), isRequired: true),
            .init(
                name: "repository",
                summary: "The repositories: names, globs (* also matches slashes) or re:EXPRESSION for the whole name.",
                kind: .texts,
                isRequired: true,
                otherNames: ["repositories", "repo", "repos", "image", "images"]
            ),
            .init(
                name: "exclude",
                summary: "Repositories to leave out; patterns as for repository.",
                kind: .texts,
                otherNames: ["deny", "except", "ignore"]
            ),
        ]
    )

    static let destination = Shape(
        name: "destination",
        keys: [
            .init(name: "registry", summary: "The name of a registry of this file.", kind: .text(), isRequired: true),
            .init(
                name: "repository",
                summary:
                    "The repository (default: \"{repository}\"), from {registry}, {repository}, {name} and groups.",
                kind: .text(),
                otherNames: ["repo"]
            ),
            .init(
                name: "tag",
                summary: "The tag (default: \"{tag}\"), from {tag}, {digest}, {repository}, {name} and groups.",
                kind: .text(),
                otherNames: ["tags"]
            ),
        ]
    )

    static let tags = Shape(
        name: "tags",
        keys: [
            .init(
                name: "match",
                summary: "Patterns of which a tag must match one: a glob, re:EXPRESSION or semver:RANGE.",
                kind: .texts,
                otherNames: ["allow", "glob", "regex", "pattern", "patterns"]
            ),
            .init(
                name: "semver",
                summary: "The range that a tag's version must be in, as \">=1.2 <2\".",
                kind: .text(),
                otherNames: ["semverRange", "version", "versions"]
            ),
            .init(
                name: "prerelease",
                summary: "Whether semver also takes pre-releases (default: false).",
                kind: .flag,
                otherNames: ["prereleases"]
            ),
            .init(
                name: "exclude",
                summary: "Patterns of tags to leave out.",
                kind: .texts,
                otherNames: ["deny", "except", "ignore"]
            ),
            .init(
                name: "minAge",
                summary: "How long ago ECR must have received the image, as 1h or 7d.",
                kind: .text(),
                otherNames: ["cooldown", "age", "minimumAge", "olderThan"]
            ),
            .init(
                name: "newest",
                summary: "How many images to keep, the newest first.",
                kind: .count,
                otherNames: ["latest", "limit", "last", "keep", "maxTags"]
            ),
            .init(
                name: "newestBy",
                summary: "What newest goes by: the time of the push (default), or the version.",
                kind: .choice(NewestBy.allCases.map(\.rawValue)),
                otherNames: ["sort", "sortBy", "orderBy"]
            ),
            .init(
                name: "include",
                summary: "Tags to copy whatever the other keys say.",
                kind: .texts,
                otherNames: ["always", "literals"]
            ),
            .init(
                name: "minTags",
                summary: "The fewest tags; with fewer, nothing of the repository is written or pruned.",
                kind: .count,
                otherNames: ["minimumTags"]
            ),
            .init(
                name: "digests",
                summary: "Images to copy by digest, without a tag.",
                kind: .texts,
                otherNames: ["digest"]
            ),
            .init(name: "untagged", summary: "Whether to copy images without a tag (default: false).", kind: .flag),
        ]
    )

    static let prune = Shape(
        name: "prune",
        keys: [
            .init(name: "enabled", summary: "Whether to delete (default: false).", kind: .flag),
            .init(
                name: "maxDelete",
                summary: "The most images to delete; if there are more, none is deleted.",
                kind: .count,
                otherNames: ["max", "limit"]
            ),
        ]
    )
}

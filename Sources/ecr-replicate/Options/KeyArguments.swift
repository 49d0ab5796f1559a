import ArgumentParser
import Content
import IAMPolicies
import Replicate

/// The KMS keys for repositories that are created like the source's.
struct KeyArguments: ParsableArguments {
    @Option(
        name: .customLong("kms-key"),
        parsing: .singleValue,
        help: ArgumentHelp(
            """
            With --create-repository like-source: the KMS key to use at the destination for one of the source, each an \
            ARN, an id or an alias (repeatable). alias/aws/ecr is AWS's own key.
            """,
            valueName: "source=key"
        ),
        transform: parseKeyMapping
    )
    var mappings: [KeyMapping] = []

    /// Returns the key to use in a registry for each key of the source.
    ///
    /// If a source key is given several times, the first destination key that may be in the registry's region is used.
    func keys(at registry: RegistryLocation) -> [String: String] {
        var region: String?
        if case .ecr(let host) = registry { region = host.region }
        let fitting = mappings.filter { mapping in region == nil || mapping.key.region ?? region == region }
        let others = mappings.filter { !fitting.contains($0) }
        return Dictionary((fitting + others).map { ($0.source, $0.key.text) }) { first, _ in first }
    }

    /// Refuses keys that no repository will be created with.
    ///
    /// - Throws: A usage error.
    func check(_ creation: CopyOptions.RepositoryCreation) throws {
        guard mappings.isEmpty || creation == .likeSource else {
            throw ValidationError(
                "--kms-key is for repositories that are created like the source's\n"
                    + "  next: add --create-repository like-source, or leave out --kms-key"
            )
        }
    }
}

/// A KMS key of the source, and the key to use in its place.
struct KeyMapping: Hashable, Sendable {
    var source: String
    var key: KeyName
}

func parseKeyMapping(_ text: String) throws -> KeyMapping {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let source = KeyName(parts[0]), let key = KeyName(parts[1]) else {
        throw ValidationError(
            "'\(text)' is not SOURCE=KEY\n  next: write the source's KMS key, =, and the key at the destination; each is "
                + "an ARN, an id, or alias/NAME"
        )
    }
    return KeyMapping(source: source.text, key: key)
}

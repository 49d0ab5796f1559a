extension WrongFile {
    /// Mistakes in a rule's other keys.
    static let inSettings: [WrongFile] = [
        .setting(
            "platforms: [linux/amd64, «linux]",
            "platforms[1]",
            "'linux' is not a platform: write os/architecture or os/architecture/variant, such as linux/arm64; a Windows build as windows/amd64:10.0.20348.2582",
            "write os/architecture, as linux/amd64; leave platforms out for the whole image"
        ),
        .setting("platforms: [linux/amd64, «amd64]", "platforms[1]", "'amd64' is given twice", "remove one of them"),
        .setting("referrers: «some", "referrers", "'some' is not one of all, none", "write one of them"),
        .setting("ifExists: «overwrite", "ifExists", "'overwrite' is not one of move, skip, fail", "write one of them"),
        .setting(
            "createRepository: «likeSource",
            "createRepository",
            "'likeSource' is not one of never, defaults, like-source",
            "did you mean 'like-source'?"
        ),
        .setting(
            "gates: { maxSeverity: «high }",
            "gates.maxSeverity",
            "'high' is not one of CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL",
            "did you mean 'HIGH'?"
        ),
        .setting(
            "gates: { minAge: «60 }",
            "gates.minAge",
            "'60' is not a length of time",
            "add the unit: 30m, 1h or 7d"
        ),
        .setting(
            "prune: { enabled: «true }",
            "prune.enabled",
            "prune needs maxDelete, the most images that one run may delete",
            "add maxDelete: 5"
        ),
        .setting(
            "prune: { enabled: «yes, maxDelete: 5 }",
            "prune.enabled",
            "'yes' is neither true nor false",
            "write true"
        ),
        .setting(
            "prune: { enabled: true, maxDelete: «0 }",
            "prune.maxDelete",
            "'0' is not a whole number from 1",
            "write a number from 1, or remove the key"
        ),
        .setting("«tag: { match: v1 }", "tag", "unknown key 'tag'", "did you mean 'tags'?"),
        .setting(
            "«schedule: daily",
            "schedule",
            "unknown key 'schedule'",
            "the keys here are name, from, to, tags, platforms, referrers, ifExists, createRepository, gates, prune; a key of your own begins with x-"
        ),
        .setting(
            "referrers: «!secret none",
            "referrers",
            "the YAML tag !secret is not supported",
            "write the value without a tag"
        ),
        .setting(
            "referrers: «${MODE}",
            "referrers",
            "the variable MODE is not set",
            "set it, or write ${MODE:-DEFAULT}"
        ),
        .setting(
            "referrers: «${MODE:?all or none}",
            "referrers",
            "the variable MODE is not set: all or none",
            "set it"
        ),
        .setting(
            "referrers: «$MODE",
            "referrers",
            "$MODE is not replaced: a variable is written in braces",
            "write ${MODE}, or $$ for a dollar"
        ),
        .setting(
            "referrers: «[all]",
            "referrers",
            "this must be a text, and is a list",
            "write one value after the colon"
        ),
    ]

    /// Mistakes in `tags`.
    static let inStages: [WrongFile] = [
        .setting(
            "tags: «v1",
            "tags",
            "this must be a mapping, and is a single value",
            "write KEY: VALUE, one to a line"
        ),
        .setting("tags: { «latest: 3 }", "tags.latest", "unknown key 'latest'", "did you mean 'newest'?"),
        .setting(
            "tags: { match: «\"v1 v2\" }",
            "tags.match",
            "'v1 v2' is not a pattern for tags: no tag can hold a blank",
            "make each pattern an item of a list ('v1' and 'v2'), or write '{v1,v2}'"
        ),
        .setting(
            "tags: { match: [v1, «\"re:v(\"] }",
            "tags.match[1]",
            "'re:v(' is not a pattern for tags: it is not a regular expression: there is a ( without its )",
            "write a glob, re:EXPRESSION or semver:RANGE"
        ),
        .setting(
            "tags: { exclude: [«*-rc*] }",
            "tags.exclude[0]",
            "a text that begins with * needs quotes",
            "write \"*-rc*\""
        ),
        .setting(
            "tags: { semver: «\"v*\" }",
            "tags.semver",
            "'v*' is not a range of versions",
            "for a glob use match:; a range is written as >=1.2 <2, ^1.2, ~1.2.3 or 1.x"
        ),
        .setting(
            "tags: { prerelease: «true }",
            "tags.prerelease",
            "'prerelease' has no effect without semver",
            "add semver: \"*\", or remove it"
        ),
        .setting(
            "tags: { minAge: «soon }",
            "tags.minAge",
            "'soon' is not a length of time",
            "write a number with s, m, h, d or w, as 30m, 1h or 7d"
        ),
        .setting(
            "tags: { newest: «ten }",
            "tags.newest",
            "'ten' is not a whole number from 1",
            "write a number from 1, or remove the key"
        ),
        .setting(
            "tags: { newest: 3, newestBy: «pushtime }",
            "tags.newestBy",
            "'pushtime' is not one of pushTime, semver",
            "did you mean 'pushTime'?"
        ),
        .setting(
            "tags: { newestBy: «semver }",
            "tags.newestBy",
            "'newestBy' has no effect without newest",
            "add newest: 10, or remove it"
        ),
        .setting(
            "tags: { include: [«\"v*\"] }",
            "tags.include[0]",
            "'v*' is not a tag: only letters, digits and _ . - are allowed",
            "include takes whole tags; for patterns use match:"
        ),
        .setting(
            "tags: { digests: «sha256:12 }",
            "tags.digests",
            "'sha256:12' is not a digest: write sha256: and 64 lowercase hexadecimal characters",
            "copy it from ecr-replicate inspect"
        ),
        .rule(
            "  - { name: r, from: { registry: plain, repository: t/a }, to: { registry: b }, tags: { minAge: «1h } }",
            "tags.minAge",
            "the source registry.example.com does not say when an image was pushed, so minAge can't be known",
            "remove minAge"
        ),
        .rule(
            "  - { name: r, from: { registry: disk, repository: t/a }, to: { registry: b }, tags: { newest: «1 } }",
            "tags.newest",
            "the source the layouts in ./images does not say when an image was pushed, so newest can't go by that",
            "write newestBy: semver"
        ),
        .rule(
            "  - { name: r, from: { registry: plain, repository: t/a }, to: { registry: b }, tags: { untagged: «true } }",
            "tags.untagged",
            "the source registry.example.com does not list images without a tag",
            "name them under digests:"
        ),
    ]
}

extension WrongFile {
    /// Mistakes in `from`.
    static let inSources: [WrongFile] = [
        .rule(
            "  - «{ from: { registry: a, repository: t/a }, to: { registry: b } }",
            "",
            "'name' is missing",
            "add name: the rule's name, for reports and the command line"
        ),
        .rule(
            "  - { name: «\"a b\", from: { registry: a, repository: t/a }, to: { registry: b } }",
            "name",
            "'a b' is not a name for a rule",
            "use letters, digits and - _ ."
        ),
        .rule("  - «{ name: r, to: { registry: b } }", "", "'from' is missing", "add from: the repositories to copy"),
        .rule(
            "  - { name: r, «source: { registry: a, repository: t/a }, to: { registry: b } }",
            "source",
            "unknown key 'source'",
            "did you mean 'from'?"
        ),
        .rule(
            "  - { name: r, from: { registry: «c, repository: t/a }, to: { registry: b } }",
            "from.registry",
            "there is no registry 'c'",
            "the registries are a, b, disk, hub, plain"
        ),
        .rule(
            "  - { name: r, from: { registry: «plian, repository: t/a }, to: { registry: b } }",
            "from.registry",
            "there is no registry 'plian'",
            "did you mean 'plain'?"
        ),
        .rule(
            "  - { name: r, from: «a/team, to: { registry: b } }",
            "from",
            "this must be a mapping, and is a single value",
            "write KEY: VALUE, one to a line"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: «[] }, to: { registry: b } }",
            "from.repository",
            "there is no repository",
            "write \"*\" for all of them"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: «Team/App }, to: { registry: b } }",
            "from.repository",
            "'Team/App' is not a pattern for repositories: it is not the name of a repository",
            "names of repositories have no capitals: write team/app"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: «\"team/app:v1\" }, to: { registry: b } }",
            "from.repository",
            "'team/app:v1' is not a pattern for repositories: it is not the name of a repository",
            "leave out tag and digest; tags are selected under tags:"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: [t/a, «team/] }, to: { registry: b } }",
            "from.repository[1]",
            "'team/' is not a pattern for repositories: it is not the name of a repository",
            "write team for one repository, or end it in /* for all below"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: «\"re:team/(\" }, to: { registry: b } }",
            "from.repository",
            "'re:team/(' is not a pattern for repositories: there is a ( without its )",
            nil
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: «\"team/[a\" }, to: { registry: b } }",
            "from.repository",
            "'team/[a' is not a pattern for repositories: there is a [ without its ]",
            nil
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: «\"^team/.*\" }, to: { registry: b } }",
            "from.repository",
            "'^team/.*' is not a pattern for repositories: no name of a repository can hold '^'",
            "write re: before a regular expression"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: «*team }, to: { registry: b } }",
            "from.repository",
            "there is no anchor &team above this line",
            "put a text that begins with * in quotes: \"*team\""
        ),
        .rule(
            "  - { name: r, from: { registry: hub, repository: «\"library/*\" }, to: { registry: b } }",
            "from.repository",
            "Docker Hub does not list its repositories",
            "name each repository"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a, exclude: «t/a }, to: { registry: b } }",
            "from.exclude",
            "every repository of the rule is excluded",
            "remove exclude"
        ),
    ]

    /// Mistakes in `to`.
    static let inDestinations: [WrongFile] = [
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: «[] }",
            "to",
            "there is no destination",
            "add one: { registry: NAME }"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: [«{ repository: x/y }] }",
            "to[0]",
            "'registry' is missing",
            "add registry: the name of a registry of this file"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b, repository: «\"x/{nam}\" } }",
            "to.repository",
            "there is no placeholder {nam}",
            "did you mean {name}?"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b, repository: «\"x/{name\" } }",
            "to.repository",
            "'x/{name' is not a template of a name: there is a { without its }",
            "write a placeholder as {name}"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b, repository: «\"X/{name}\" } }",
            "to.repository",
            "'X/{name}' does not give the name of a repository: each part between slashes is lowercase letters and digits, joined by . _ __ or hyphens",
            "change the text between the placeholders"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b, tag: «\"{tag}+1\" } }",
            "to.tag",
            "'{tag}+1' does not give a tag: only letters, digits and _ . - are allowed; Helm pushes this version as 0a_1",
            "change the text between the placeholders"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: { registry: plain, tag: «\".{tag}\" } }",
            "to.tag",
            "'.{tag}' does not give a tag: a tag can't begin with . or -",
            "change the text between the placeholders"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: \"t/*\" }, to: { registry: b, repository: «\"x/{1}\" } }",
            "to.repository",
            "there is no group {1} in the expressions of from.repository",
            "write re: and an expression with a group in parentheses"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: [\"re:t/(.*)\", u/a] }, to: { registry: b, repository: «\"x/{1}\" } }",
            "to.repository",
            "the pattern 'u/a' has no group {1}",
            "give every pattern the group, or write a rule for each"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: «{ registry: a } }",
            "to",
            "this copies 111122223333.dkr.ecr.eu-west-1.amazonaws.com to itself",
            "name another registry, or give repository: or tag: another name"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: «{ registry: a, repository: \"t/{name}\" } }",
            "to",
            "this copies 111122223333.dkr.ecr.eu-west-1.amazonaws.com to itself",
            "name another registry, or give repository: or tag: another name"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: [t/a, t/b] }, to: «{ registry: b, repository: x/y, tag: latest } }",
            "to",
            "several repositories are copied to the one tag x/y:latest",
            "use {repository} or {name} in repository:, or {tag} in tag:"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: «{ registry: b, tag: latest } }",
            "to",
            "every tag that the rule selects is copied to the one tag 'latest'",
            "use {tag} in tag:, or select one image with newest: 1"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, tags: { match: v1 }, to: [{ registry: b }, «{ registry: b }] }",
            "to[1]",
            "this writes t/a:v1 at 444455556666.dkr.ecr.us-east-1.amazonaws.com, as rule 'r' in line 9 does",
            "give one of them another name"
        ),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, tags: { match: v1 }, to: { registry: b, repository: x/y } }\n  - { name: s, from: { registry: a, repository: t/b }, tags: { match: v1 }, to: «{ registry: b, repository: x/y } }",
            "to",
            "this writes x/y:v1 at 444455556666.dkr.ecr.us-east-1.amazonaws.com, as rule 'r' in line 9 does",
            "give one of them another name"
        ).inRule(1),
        .rule(
            "  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b } }\n  - { name: «r, from: { registry: a, repository: t/b }, to: { registry: b } }",
            "name",
            "the rule in line 9 is called 'r' too",
            "give each rule a name of its own"
        ).inRule(1),
    ]
}

extension WrongFile {
    /// The same mistake in another rule of the file.
    fileprivate func inRule(_ index: Int) -> WrongFile {
        var other = self
        other.path = path.replacing("rules[0]", with: "rules[\(index)]")
        return other
    }
}

extension WrongFile {
    /// Mistakes of the file as a whole.
    static let inFiles: [WrongFile] = [
        .init("«", "", "the file is empty", "begin with version: 1"),
        .init("«- a\n- b\n", "", "this must be a mapping, and is a list", "write KEY: VALUE, one to a line"),
        .init(
            "version: 1\n«\tregistries: {}\n",
            "",
            "this is not YAML: while scanning a plain scalar, found a tab character that violates indentation",
            "indent with blanks, not with tabs"
        ),
        .init(
            WrongFile.registries
                + "rules:\n  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b, tag: $«{TAG} } }\n",
            "",
            "this is not YAML: while parsing a flow mapping, did not find expected ',' or '}'",
            "put ${…} in quotes where it stands between braces or brackets: { account: \"${ACCOUNT}\" }"
        ),
        .init(
            "«registries: { a: { host: r.io } }\nrules: [{ name: r, from: { registry: a, repository: a/b }, to: { registry: a, repository: c/d } }]\n",
            "",
            "'version' is missing",
            "add version: the version of the file's format"
        ),
        .init(
            "version: «3\nregistries: { a: { host: r.io } }\nrules: [{ name: r, from: { registry: a, repository: a/b }, to: { registry: a, repository: c/d } }]\n",
            "version",
            "'3' is not a version of this format that is known",
            "write version: 1"
        ),
        .init(WrongFile.registries + "rules: «[]\n", "rules", "there is no rule", "add one, with name:, from: and to:"),
        .init(
            WrongFile.registries + "rules: «{ name: r }\n",
            "rules",
            "this must be a list, and is a mapping",
            "begin each item with a hyphen"
        ),
        .init(
            WrongFile.registries + "rules:« \n",
            "rules",
            "this must be a list, and is nothing",
            "begin each item with a hyphen"
        ),
        .init(
            WrongFile.registries
                + "rules:\n  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b } }\n«---\nx: 1\n",
            "",
            "a rule file is one YAML document",
            "remove the line ---"
        ),
        .init(
            WrongFile.registries
                + "«rule:\n  - { name: r, from: { registry: a, repository: t/a }, to: { registry: b } }\n",
            "rule",
            "unknown key 'rule'",
            "did you mean 'rules'?"
        ),
        .init(
            "version: 1\n«version: 1\nregistries: { a: { host: r.io } }\nrules: [{ name: r, from: { registry: a, repository: a/b }, to: { registry: a, repository: c/d } }]\n",
            "version",
            "the key 'version' is already given in line 1",
            "keep one of them"
        ),
    ]

    /// Mistakes in registries.
    static let inRegistries: [WrongFile] = [
        .registry(
            "«{}",
            "",
            "this does not say where the registry is",
            "write account and region for ECR, host for any other registry, or layout for a directory"
        ),
        .registry(
            "«{ host: r.io, layout: ./x }",
            "",
            "this says in more than one way where the registry is",
            "write account and region for ECR, host for any other registry, or layout for a directory"
        ),
        .registry(
            "«{ account: \"111122223333\" }",
            "",
            "'region' is missing",
            "an ECR registry has an account and a region"
        ),
        .registry("«{ region: eu-west-1 }", "", "'account' is missing", "an ECR registry has an account and a region"),
        .registry(
            "{ account: «1111-2222-3333, region: eu-west-1 }",
            "account",
            "'1111-2222-3333' is not an AWS account",
            "write its 12 digits without hyphens: 111122223333"
        ),
        .registry(
            "{ account: «11122223333, region: eu-west-1 }",
            "account",
            "'11122223333' is not an AWS account",
            "its leading zero was lost, as happens when it is read as a number: write 011122223333"
        ),
        .registry(
            "{ account: \"111122223333\", region: «eu-west-1a }",
            "region",
            "'eu-west-1a' is an availability zone",
            "write eu-west-1, its region"
        ),
        .registry(
            "{ account: \"111122223333\", region: «EU-WEST-1 }",
            "region",
            "'EU-WEST-1' has capitals",
            "write eu-west-1"
        ),
        .registry(
            "{ host: «docker.io/library }",
            "host",
            "'docker.io/library' is not a host",
            "write the host alone; a repository belongs to the rules"
        ),
        .registry(
            "{ host: «images }",
            "host",
            "'images' is not a host",
            "a host has a dot or a port, or is localhost; a directory is written with layout:"
        ),
        .registry(
            "{ host: r.io, profile: «build }",
            "profile",
            "'profile' is for ECR registries only",
            "remove it; logins at other registries are those of docker login"
        ),
        .registry(
            "{ account: \"111122223333\", region: eu-west-1, externalId: «x }",
            "externalId",
            "'externalId' has no effect without roleArn",
            "add roleArn, or remove it"
        ),
        .registry(
            "{ account: \"111122223333\", region: eu-west-1, «role: x }",
            "role",
            "unknown key 'role'",
            "did you mean 'roleArn'?"
        ),
        .registry(
            "{ account: \"111122223333\", region: eu-west-1, endpointUrl: «\"ecr:443:1\" }",
            "endpointUrl",
            "endpointUrl names no address: not an http or https address",
            "write it as https://host"
        ),
        .registry("{ layout: «\"\" }", "layout", "this must not be empty", "write a value, or remove the key"),
        .init(
            "version: 1\nregistries: «{}\nrules: [{ name: r, from: { registry: a, repository: a/b }, to: { registry: a } }]\n",
            "registries",
            "there is no registry",
            "add one: NAME: { account: \"…\", region: … }"
        ),
    ]
}

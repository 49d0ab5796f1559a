import Testing

@testable import Rules

@Suite("Importing a file of skopeo sync")
struct SkopeoImportTests {
    struct File: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var text: String
        var rules: [String]
        var comments: [String] = []
        var leftOut: [String] = []
    }

    static let files = [
        File(
            testDescription: "the example of the manual",
            text: #"""
                registry.example.com:
                    images:
                        busybox: []
                        redis:
                            - "1.0"
                            - "2.0"
                            - "sha256:0000000000000000000000000000000011111111111111111111111111111111"
                    images-by-tag-regex:
                        nginx: ^1\.13\.[12]-alpine-perl$
                    images-by-semver:
                        alpine: ">= 3.12.0"
                    credentials:
                        username: john
                        password: this is a secret
                    tls-verify: true
                    cert-dir: /home/john/certs
                quay.io:
                    tls-verify: false
                    images:
                        coreos/etcd:
                            - latest
                """#,
            rules: [
                "redis: registry.example.com redis -> registry.example.org mirror/{name}:{tag}; match 1.0,2.0; "
                    + "digests 0000; referrers none",
                "busybox: registry.example.com busybox -> registry.example.org mirror/{name}:{tag}; referrers all",
                "nginx: registry.example.com nginx -> registry.example.org mirror/{name}:{tag}; "
                    + #"match re:1\.13\.[12]-alpine-perl; referrers none"#,
                "alpine: registry.example.com alpine -> registry.example.org mirror/{name}:{tag}; semver >=3.12.0; "
                    + "referrers none",
                "coreos-etcd: quay.io coreos/etcd -> registry.example.org mirror/{name}:{tag}; match latest; "
                    + "referrers none",
            ],
            comments: [
                "skopeo sync without --all copies one platform",
                "[\"registry.example.com\"].credentials (line 12): credentials are not copied",
                "[\"registry.example.com\"].cert-dir (line 16): certificates are not copied",
                "[\"quay.io\"].tls-verify (line 18): certificates are always checked",
                "[\"registry.example.com\"].images.busybox (line 3): its tags include signatures",
            ]
        ),
        File(
            testDescription: "Docker Hub, and repositories of which all tags are copied",
            text: #"""
                docker.io:
                  tls-verify: true
                  images:
                    alpine: []
                    grafana/grafana:
                    nginx:
                      - "latest"
                  images-by-tag-regex:
                    httpd: ^2\.4\.[0-9]*-alpine$
                """#,
            rules: [
                "nginx: docker.io library/nginx -> registry.example.org mirror/{name}:{tag}; match latest; referrers none",
                "docker.io: docker.io library/alpine,grafana/grafana -> registry.example.org mirror/{name}:{tag}; "
                    + "referrers all",
                "httpd: docker.io library/httpd -> registry.example.org mirror/{name}:{tag}; "
                    + #"match re:2\.4\.[0-9]*-alpine; referrers none"#,
            ]
        ),
        File(
            testDescription: "expressions, which skopeo finds anywhere in a tag",
            text: #"""
                registry.k8s.io:
                  images-by-tag-regex:
                    pause: '^3\.(8|9)$'
                    etcd: '^v3'
                    coredns/coredns: 'alpha'
                    kube-proxy: '^v1|rc$'
                    kube-apiserver: '^v1\.30\.0$'
                    conformance: 'amd64$'
                    all: ''
                """#,
            rules: [
                "pause: registry.k8s.io pause -> registry.example.org mirror/{name}:{tag}; "
                    + #"match re:3\.(8|9); referrers none"#,
                "etcd: registry.k8s.io etcd -> registry.example.org mirror/{name}:{tag}; match re:v3.*; referrers none",
                "coredns-coredns: registry.k8s.io coredns/coredns -> registry.example.org mirror/{name}:{tag}; "
                    + "match re:.*alpha.*; referrers none",
                "kube-proxy: registry.k8s.io kube-proxy -> registry.example.org mirror/{name}:{tag}; "
                    + "match re:.*(?:^v1|rc$).*; referrers none",
                "kube-apiserver: registry.k8s.io kube-apiserver -> registry.example.org mirror/{name}:{tag}; "
                    + "match v1.30.0; referrers none",
                "conformance: registry.k8s.io conformance -> registry.example.org mirror/{name}:{tag}; "
                    + "match re:.*amd64; referrers none",
                "all: registry.k8s.io all -> registry.example.org mirror/{name}:{tag}; match re:.*; referrers all",
            ]
        ),
        File(
            testDescription: "versions",
            text: """
                ghcr.io:
                  images-by-semver:
                    a/range: ">= v0.22.0, < 1"
                    a/hyphen: "3.12 - 3.13 || >= 3.17"
                    a/not: ">= 1.2, != 1.3.0, != 1.5"
                    a/pre: ">= 1.0.0-0"
                    a/tilde: "~> 2.1"
                    a/wild: 1.x
                    a/any: "*"
                """,
            rules: [
                "a-range: ghcr.io a/range -> registry.example.org mirror/{name}:{tag}; semver >=0.22.0 <1; referrers none",
                "a-hyphen: ghcr.io a/hyphen -> registry.example.org mirror/{name}:{tag}; "
                    + "semver >=3.12 <=3.13 || >=3.17; referrers none",
                "a-not: ghcr.io a/not -> registry.example.org mirror/{name}:{tag}; semver >=1.2; "
                    + "exclude semver:=1.3.0,semver:1.5; referrers none",
                "a-pre: ghcr.io a/pre -> registry.example.org mirror/{name}:{tag}; semver >=1.0.0-0 and pre-releases; "
                    + "referrers none",
                "a-tilde: ghcr.io a/tilde -> registry.example.org mirror/{name}:{tag}; semver ~2.1; referrers none",
                "a-wild: ghcr.io a/wild -> registry.example.org mirror/{name}:{tag}; semver 1; referrers none",
                "a-any: ghcr.io a/any -> registry.example.org mirror/{name}:{tag}; semver *; referrers none",
            ]
        ),
        File(
            testDescription: "hosts with a path, and what is not a host",
            text: """
                quay.io/coreos:
                  images: { etcd: [v1] }
                docker://registry.example.com/app:
                  images: { server: [v1] }
                localhost:5000:
                  images: { app/one: [v1] }
                """,
            rules: [
                "coreos-etcd: quay.io coreos/etcd -> registry.example.org mirror/{name}:{tag}; match v1; referrers none",
                "app-one: localhost:5000 app/one -> registry.example.org mirror/{name}:{tag}; match v1; referrers none",
            ],
            leftOut: [
                "4 [\"docker://registry.example.com/app\"]: left out: 'docker://registry.example.com/app' is not a host"
            ]
        ),
        File(
            testDescription: "lists of what is not a tag, and names that can't be ours",
            text: """
                quay.io:
                  images:
                    a/some: [v1, "1.2+build"]
                    a/none: ["a b"]
                    A/upper: [v1]
                  images-by-tag-regex:
                    a/wrong: "(v"
                  images-by-semver:
                    a/wrong: "one"
                    a/both: "!=1.2 || >3"
                    a/mixed: ">=1.0.0-0 || <0.5"
                  owner: me
                """,
            rules: ["a-some: quay.io a/some -> registry.example.org mirror/{name}:{tag}; match v1; referrers none"],
            comments: [
                "[\"quay.io\"].images[\"a/some\"][1] (line 3): '1.2+build' is neither a tag nor a digest",
                "[\"quay.io\"].owner (line 12): this is not a known key of skopeo",
            ],
            leftOut: [
                "4 [\"quay.io\"].images[\"a/none\"]: left out: none of its tags",
                "5 [\"quay.io\"].images[\"A/upper\"]: left out: 'A/upper' is not the name of a repository",
                "7 [\"quay.io\"].images-by-tag-regex[\"a/wrong\"]: left out: '(v' is an expression that a rule file can't have",
                "9 [\"quay.io\"].images-by-semver[\"a/wrong\"]: left out: 'one' is not a range of versions for skopeo",
                "10 [\"quay.io\"].images-by-semver[\"a/both\"]: left out: '!=1.2 || >3' has != beside ||",
                "11 [\"quay.io\"].images-by-semver[\"a/mixed\"]: left out: '>=1.0.0-0 || <0.5' takes pre-releases in one",
            ]
        ),
        File(
            testDescription: "repositories with the same last name",
            text: """
                quay.io:
                  images:
                    team/app: []
                    other/app: []
                    a/tool: [v1]
                    b/tool: [v1]
                """,
            rules: [
                "a-tool: quay.io a/tool -> registry.example.org mirror/{name}:{tag}; match v1; referrers none",
                "quay.io: quay.io team/app,other/app -> registry.example.org mirror/{name}:{tag}; referrers all",
            ],
            comments: [
                "[\"quay.io\"].images[\"other/app\"] (line 4): it is written to the same place as "
                    + "[\"quay.io\"].images[\"team/app\"]"
            ],
            leftOut: ["6 [\"quay.io\"].images[\"b/tool\"]: left out: in a rule file, this writes mirror/tool:v1"]
        ),
    ]

    @Test("gives rules that copy the same", arguments: files)
    func rules(_ theirs: File) throws {
        let imported = try Imported.skopeo(theirs.text)
        #expect(imported.rules == theirs.rules)
        for beginning in theirs.comments {
            #expect(
                imported.comments.contains { $0.hasPrefix(beginning) },
                "no comment '\(beginning)' in\n\(imported.made.yaml)"
            )
        }
        #expect(imported.leftOut.count == theirs.leftOut.count, "\(imported.leftOut)")
        for (left, beginning) in zip(imported.leftOut, theirs.leftOut) {
            #expect(left.hasPrefix(beginning), "\(left)")
        }
    }

    private static let one = "quay.io:\n  images: { team/app: [v1] }\n"

    @Test(
        "has the destination from the command line",
        arguments: [
            ("registry.example.org", "registry.example.org {name}"),
            ("registry.example.org/", "registry.example.org {name}"),
            ("docker://registry.example.org:5000/a/b/", "registry.example.org:5000 a/b/{name}"),
            ("localhost:5000", "localhost:5000 {name}"),
            ("mirror", "docker.io mirror/{name}"), ("registry.example.org/x", "registry.example.org x/{name}"),
            ("oci:./images", "the layouts in ./images {name}"),
            (
                "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mirror",
                "111122223333.dkr.ecr.eu-west-1.amazonaws.com mirror/{name}"
            ),
            (
                "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com",
                "111122223333.dkr.ecr-fips.us-east-1.amazonaws.com {name}"
            ),
        ]
    )
    func destinations(_ written: String, _ expected: String) throws {
        let imported = try Imported.skopeo(Self.one, to: written)
        #expect(imported.rules == ["team-app: quay.io team/app -> \(expected):{tag}; match v1; referrers none"])
    }

    @Test("follows --scoped and --append-suffix")
    func names() throws {
        let text = "quay.io:\n  images: { team/app: [v1] }\ndocker.io:\n  images: { alpine: ['3'] }\n"
        let imported = try Imported(text, from: .skopeo) { options in
            options.destination = "registry.example.org/copy"
            options.isScoped = true
            options.suffix = "-mirror"
        }
        #expect(
            imported.rules == [
                "team-app: quay.io team/app -> registry.example.org copy/quay.io/{repository}:{tag}-mirror; match v1; "
                    + "referrers none",
                "alpine: docker.io library/alpine -> registry.example.org copy/docker.io/{repository}:{tag}-mirror; "
                    + "match 3; referrers none",
            ]
        )
    }

    @Test(
        "refuses a file with mistakes, with their places",
        arguments: [
            ("quay.io:\n  images: [a]", "2:11 [\"quay.io\"].images: this must be a mapping, and is a list"),
            ("quay.io:\n  images: { a/b: v1 }", "2:18 [\"quay.io\"].images[\"a/b\"]: this must be a list"),
            (
                "quay.io:\n  images-by-semver:\n    a/b: [\">1\"]",
                "3:10 [\"quay.io\"].images-by-semver[\"a/b\"]: this must be a text, and is a list"
            ),
            ("quay.io:\n  images: {}\n", "1:1 : there is no image"),
            ("quay.io:\n  tls-verify: maybe\n  images: { a/b: [] }", "2:15 [\"quay.io\"].tls-verify: this is neither"),
            (
                "quay.io:\n  images: {}\nquay.io:\n  images: {}",
                "3:1 [\"quay.io\"]: the key 'quay.io' is already given in line 1"
            ),
        ]
    )
    func mistakes(_ text: String, _ expected: String) throws {
        let found = try importProblems(text, from: .skopeo).map { "\($0.position) \($0.path): \($0.message)" }
        #expect(found.contains { $0.hasPrefix(expected) }, "\(found)")
    }

    @Test(
        "asks for a destination",
        arguments: [
            (nil, "add it as --to HOST/PREFIX"), ("", "--to '' is not a registry"),
            ("https://registry.example.org", "--to 'https://registry.example.org' is not a registry"),
            ("registry.example.org/A", "'A' is not the name of a repository"),
        ] as [(String?, String)]
    )
    func needsDestination(_ written: String?, _ expected: String) throws {
        let fault = try #require(throws: RuleImport.OptionFault.self) {
            try Imported(Self.one, from: .skopeo) { $0.destination = written }
        }
        #expect(fault.description.contains(expected))
    }
}

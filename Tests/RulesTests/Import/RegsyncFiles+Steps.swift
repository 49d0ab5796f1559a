private let digest = "sha256:" + String(repeating: "ab", count: 32)

extension RegsyncFile {
    /// Files whose steps show one thing each.
    static let single = [
        steps(
            "an image without a tag",
            "- { source: quay.io/team/app, target: ghcr.io/team/app, type: image }",
            ["team-app: quay.io team/app -> ghcr.io {repository}:{tag}; match latest; referrers none"]
        ),
        steps(
            "an image with another tag",
            "- { source: 'quay.io/team/app:v1', target: 'ghcr.io/team/app:stable', type: image }",
            ["team-app: quay.io team/app -> ghcr.io {repository}:stable; match v1; referrers none"]
        ),
        steps(
            "an image by its digest",
            "- { source: 'quay.io/team/app:v1@\(digest)', target: 'ghcr.io/other/app:v1', type: image }",
            ["team-app: quay.io team/app -> ghcr.io other/app:v1; digests abab; referrers none"]
        ),
        steps(
            "a digest of another kind",
            "- { source: 'quay.io/team/app@sha512:0011', target: 'ghcr.io/other/app:v1', type: image }\n"
                + "- { source: 'quay.io/team/b:1', target: 'ghcr.io/team/b:1', type: image }",
            ["team-b: quay.io team/b -> ghcr.io {repository}:{tag}; match 1; referrers none"],
            leftOut: ["2 sync[0]: left out: 'sha512:0011' is not a digest that a rule file knows"]
        ),
        steps(
            "a directory of layouts",
            "- { source: 'quay.io/team/app:v1', target: 'ocidir://var/images/app:v1', type: image }",
            ["team-app: quay.io team/app -> the layouts in var/images app:{tag}; match v1; referrers none"]
        ),
        steps(
            "a registry with filters, below a prefix",
            """
            - source: localreg:5000
              target: localcopy.example.org/mirror
              type: registry
              repos: { allow: ["team/.*", "base"], deny: ["team/scratch-.*"] }
              tags: { deny: ["dev-.*"] }
            """,
            [
                "localreg-5000: localreg:5000 re:team/.*,base without re:team/scratch-.* -> "
                    + "localcopy.example.org mirror/{repository}:{tag}; exclude re:dev-.*; referrers all"
            ]
        ),
        steps(
            "a whole registry into directories",
            "- { source: localhost, target: 'ocidir://images', type: registry }",
            ["localhost: localhost * -> the layouts in images {repository}:{tag}; referrers all"]
        ),
        steps(
            "Docker Hub as a whole, which can't be listed",
            "- { source: docker.io, target: quay.io/hub, type: registry }\n"
                + "- { source: docker.io, target: quay.io/hub, type: registry, repos: { allow: [library/redis] } }",
            ["docker.io: docker.io library/redis -> quay.io hub/{repository}:{tag}; referrers all"],
            leftOut: ["2 sync[0]: left out: in a rule file, Docker Hub does not list its repositories"]
        ),
        steps(
            "a repository step with tags in its names",
            """
            - source: busybox:latest
              target: registry:5000/library/busybox:latest
              type: repository
              tags: { allow: ["latest"] }
              backup: "bkup-{{.Ref.Tag}}"
            """,
            ["busybox: docker.io library/busybox -> registry:5000 {repository}:{tag}; match latest; referrers none"],
            comments: [
                "sync[0].backup (line 6): the image that a tag held before is not copied",
                "sync[0].source, sync[0].target (lines 2, 3): the tag has no meaning in a repository step",
            ]
        ),
        steps(
            "tags of an image step, which regsync does not read",
            "- { source: dhi.io/node, target: quay.io/node/x, type: image, tags: { allow: ['22-slim'] }, repos: { allow: [a] } }",
            ["node: dhi.io node -> quay.io node/x:{tag}; match latest; referrers none"],
            comments: ["sync[0].repos, sync[0].tags (line 2): regsync does not read this in a step of type image"]
        ),
        steps(
            "a target tag from a template",
            """
            - source: quay.io/team/app
              target: ghcr.io/team/app
              type: repository
              tags: { allow: ["v1"] }
              targetTag: '{{ .Source.Tag }}-mirror'
            """,
            ["team-app: quay.io team/app -> ghcr.io {repository}:{tag}-mirror; match v1; referrers none"]
        ),
        steps(
            "a platform, several platforms, and a platform of the machine",
            """
            - { source: quay.io/a/one, target: ghcr.io/a/one, type: image, platform: linux/amd64 }
            - { source: quay.io/a/two, target: ghcr.io/a/two, type: image, platforms: [linux/amd64, linux/arm64] }
            - { source: quay.io/a/three, target: ghcr.io/a/three, type: image, platform: local }
            """,
            [
                "a-one: quay.io a/one -> ghcr.io {repository}:{tag}; match latest; platforms linux/amd64; referrers none",
                "a-two: quay.io a/two -> ghcr.io {repository}:{tag}; match latest; platforms linux/amd64,linux/arm64; "
                    + "referrers none",
            ],
            comments: [
                "sync[1].platforms[0] (line 3): regsync keeps the list of platforms and its digest",
                "sync[2] (line 4) is left out: 'local' is not a platform",
            ],
            leftOut: ["4 sync[2]: left out: 'local' is not a platform that a rule file knows"]
        ),
        steps(
            "alternatives, which regsync binds at the outer ends only",
            "- { source: quay.io/a/b, target: ghcr.io/a/b, type: repository, tags: { allow: ['v1|v2', 'v(3|4)'] } }",
            ["a-b: quay.io a/b -> ghcr.io {repository}:{tag}; match re:.*(?:^v1|v2$).*,re:v(3|4); referrers none"],
            comments: ["sync[0].tags.allow[0] (line 2): regsync binds only the first alternative to the beginning"]
        ),
        steps(
            "dollars and escaped dots",
            #"- { source: quay.io/a/b, target: ghcr.io/a/b, type: repository, tags: { allow: ['1\.2\.3', '.*-slim$'], deny: ['^x$'] } }"#,
            ["a-b: quay.io a/b -> ghcr.io {repository}:{tag}; match 1.2.3,re:.*-slim$; exclude re:^x$; referrers none"]
        ),
        steps(
            "expressions that a rule file can't have",
            #"""
            - { source: quay.io/a/b, target: ghcr.io/a/b, type: repository, tags: { allow: ['\pL+', 'v1'] } }
            - { source: quay.io/a/c, target: ghcr.io/a/c, type: repository, tags: { deny: ['(?!v1)'] } }
            - { source: quay.io/a/d, target: ghcr.io/a/d, type: repository, tags: { allow: ['(v'] } }
            - { source: quay.io/a/e, target: ghcr.io/a/e, type: repository, tagSets: [{ allow: ['(v'] }, { allow: [v1] }] }
            """#,
            [
                "a-b: quay.io a/b -> ghcr.io {repository}:{tag}; match v1; referrers none",
                "a-e: quay.io a/e -> ghcr.io {repository}:{tag}; match v1; referrers none",
            ],
            comments: [
                #"sync[0].tags.allow[0] (line 2): '\pL+' is an expression that a rule file can't have"#,
                "sync[3].tagSets[0] (line 5): these tags are left out: '(v' is an expression that a rule file can't have",
            ],
            leftOut: [
                "3 sync[1]: left out: '(?!v1)' is an expression that a rule file can't have: (?! looks around, which is "
                    + "not supported",
                "4 sync[2]: left out: '(v' is an expression that a rule file can't have: there is a ( without its )",
            ]
        ),
        steps(
            "versions",
            """
            - source: docker.io/library/node
              target: ghcr.io/a/node
              type: repository
              tags: { semverRange: ["^18", ">=20.0"], deny: [".*-rc.*"] }
            - source: docker.io/library/windows
              target: ghcr.io/a/windows
              type: repository
              tags: { semverRange: [">=10.0.17763.2114"] }
            """,
            [
                "node: docker.io library/node -> ghcr.io a/node:{tag}; semver ^18.0.0 || >=20.0.0 and pre-releases; "
                    + "exclude re:.*-rc.*; referrers none"
            ],
            comments: ["sync[0].tags.semverRange[0] (line 5): regsync also takes the pre-releases of an upper bound"],
            leftOut: [
                "6 sync[1]: left out: '>=10.0.17763.2114' has a version of 4 numbers, and a rule file knows three"
            ]
        ),
        steps(
            "sets of tags that need a rule each",
            """
            - source: quay.io/a/b
              target: ghcr.io/a/b
              type: repository
              tagSets: [{ allow: ['v1.*'], deny: ['.*-rc'] }, { allow: [latest] }, { semverRange: [">=2"] }]
            """,
            [
                "a-b: quay.io a/b -> ghcr.io {repository}:{tag}; match re:v1.*; exclude re:.*-rc; include latest; "
                    + "referrers none",
                "a-b-2: quay.io a/b -> ghcr.io {repository}:{tag}; semver >=2.0.0 and pre-releases; referrers none",
            ]
        ),
        steps(
            "a set without conditions, which takes every tag",
            "- { source: quay.io/a/b, target: ghcr.io/a/b, type: repository, tagSets: [{ allow: [v1] }, {}] }",
            ["a-b: quay.io a/b -> ghcr.io {repository}:{tag}; referrers all"],
            comments: ["sync[0] (line 2): its tags include signatures"]
        ),
        steps(
            "two sources of one tag",
            """
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/c/d:v1', type: image }
            - { source: 'quay.io/a/x:v1', target: 'ghcr.io/c/d:v1', type: image }
            """,
            ["a-b: quay.io a/b -> ghcr.io c/d:{tag}; match v1; referrers none"],
            comments: [
                "sync[1] (line 3) is left out: in a rule file, this writes c/d:v1 at ghcr.io, as rule 'a-b' does"
            ],
            leftOut: ["3 sync[1]: left out: in a rule file, this writes c/d:v1 at ghcr.io, as rule 'a-b' does"]
        ),
        steps(
            "names that can't be ours",
            """
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/b:v1', type: image }
            - { source: 'quay.io/A/b:v1', target: 'ghcr.io/a/b:v1', type: image }
            - { source: 'dhi.io/node', target: 'ECR_REGISTRY_1/node', type: image }
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/{name}:v1', type: image }
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/b:{tag}', type: image }
            - { source: 'ocifile://x/a:1', target: 'ghcr.io/a/b:v2', type: image }
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/b@\(digest)', type: image }
            - { source: '111122223333.dkr.ecr.eu-west-9x.amazonaws.com/a/b:v1', target: 'ghcr.io/a/c:v1', type: image }
            - { source: 'quay.io/a/b:v1', target: 'quay.io/a/b:v1', type: image }
            """,
            ["a-b: quay.io a/b -> ghcr.io {repository}:{tag}; match v1; referrers none"],
            leftOut: [
                "3 sync[1]: left out: 'A/b' is not the name of a repository",
                "4 sync[2]: left out: in a rule file, 'ecr_registry_1' is not a host",
                "5 sync[3]: left out: 'a/{name}' is not the name of a repository",
                "6 sync[4]: left out: '{tag}' is not a tag", "7 sync[5]: left out: 'ocifile://' is not a kind of place",
                "8 sync[6]: left out: the target 'ghcr.io/a/b@sha256:abab",
                "9 sync[7]: left out: in a rule file, '111122223333.dkr.ecr.eu-west-9x.amazonaws.com' is not a host",
                "10 sync[8]: left out: in a rule file, this copies quay.io to itself",
            ]
        ),
        steps(
            "templates that only regsync can expand",
            #"""
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/b:v1', type: image }
            - { source: 'quay.io/a/b:v1', target: '{{file "/etc/target"}}/b:v1', type: image }
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/{{ if .X }}b{{ end }}:v1', type: image }
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/b:{{ .Sync.Nothing }}', type: image }
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/{{ env "X" | lower }}:v1', type: image }
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/a/{{ env "X" ', type: image }
            - { source: 'quay.io/a/b:v1', target: 'ghcr.io/{{ "A" | lower }}/{{- "b" -}} :v2', type: image }
            """#,
            [
                "a-b: quay.io a/b -> ghcr.io {repository}:{tag}, ghcr.io {repository}:v2; match v1; referrers none"
            ],
            leftOut: [
                "3 sync[1]: left out: the template function 'file' has no equivalent",
                "4 sync[2]: left out: the template function 'if' has no equivalent",
                "5 sync[3]: left out: the template's value '.Sync.Nothing' is not known from the file",
                "6 sync[4]: left out: the template function 'lower' has no equivalent",
                #"7 sync[5]: left out: the template 'ghcr.io/a/{{ env "X" ' has a {{ without its }}"#,
            ]
        ),
    ]
}

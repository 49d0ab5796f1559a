import Testing

/// A file of regsync, with the rules and comments that are made of it.
struct RegsyncFile: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var text: String
    var rules: [String]
    /// The beginnings of comments, each of which must be there.
    var comments: [String] = []
    /// The steps that have no rule.
    var leftOut: [String] = []

    init(
        _ name: String,
        _ text: String,
        _ rules: [String],
        comments: [String] = [],
        leftOut: [String] = []
    ) {
        (testDescription, self.text, self.rules) = (name, text, rules)
        (self.comments, self.leftOut) = (comments, leftOut)
    }

    /// A file with these steps, in lines from the second on.
    static func steps(
        _ name: String,
        _ text: String,
        _ rules: [String],
        comments: [String] = [],
        leftOut: [String] = []
    ) -> RegsyncFile {
        RegsyncFile(name, "sync:\n" + text, rules, comments: comments, leftOut: leftOut)
    }
}

extension RegsyncFile {
    /// Whole files, as users have them.
    static let whole = [
        RegsyncFile(
            "images, a repository with two sets of tags, and one with signatures",
            #"""
            version: 1
            creds:
              - registry: mirror.example.org
                user: syncuser
                pass: "{{file \"/run/secrets/mirror\"}}"
            defaults:
              interval: 60m
            sync:
              - source: busybox:latest
                target: mirror.example.org/library/busybox:latest
                type: image
              - source: alpine
                target: mirror.example.org/library/alpine
                type: repository
                tagSets:
                  - allow: ["latest", "edge"]
                  - semverRange: [">=3.5.1 <4.0"]
                    allow: ['v\d+\.\d+\.\d+']
              - source: ghcr.io/acme/tool
                target: mirror.example.org/acme/tool
                type: repository
                tags:
                  allow: ["latest", "v[0-9\\.]+"]
                referrers: true
                digestTags: true
                fastCopy: true
            """#,
            [
                "busybox: docker.io library/busybox -> mirror.example.org {repository}:{tag}; match latest; referrers none",
                "alpine: docker.io library/alpine -> mirror.example.org {repository}:{tag}; "
                    + #"match re:v\d+\.\d+\.\d+; semver >=3.5.1 <4.0.0 and pre-releases; include latest,edge; referrers none"#,
                "acme-tool: ghcr.io acme/tool -> mirror.example.org {repository}:{tag}; "
                    + #"match latest,re:v[0-9\.]+; referrers all"#,
            ],
            comments: [
                "creds[0].user, creds[0].pass (lines 4, 5): credentials are not copied",
                "defaults.interval (line 7): a rule has no schedule",
                "sync[1].tagSets[1].semverRange[0] (line 17): regsync also takes the pre-releases",
                "sync[2].fastCopy (line 26): what a registry holds is believed",
            ]
        ),
        RegsyncFile(
            "anchors, merge keys, and templates that take a source apart",
            #"""
            x-nightly: &nightly "15 01 * * *"
            x-hub: &hub
              target: registry:5000/hub/{{ .Sync.Source }}
            x-gcr: &gcr
              target: registry:5000/gcr/{{ index (split .Sync.Source "gcr.io/") 1 }}
              type: repository
              schedule: *nightly
            creds:
              - registry: registry:5000
                tls: disabled
              - registry: docker.io
            sync:
              - <<: *hub
                source: alpine
                type: repository
                tags:
                  allow: [3, 3.9, latest]
              - <<: *gcr
                source: gcr.io/example/repo
            """#,
            [
                "alpine: docker.io library/alpine -> http://registry:5000 hub/alpine:{tag}; match 3,re:3.9,latest; referrers none",
                "example-repo: gcr.io example/repo -> http://registry:5000 gcr/example/repo:{tag}; referrers all",
            ],
            comments: [
                "x-nightly, x-hub, x-gcr (lines 1, 2, 4): regsync ignores such a key",
                "regsync reads tags as expressions, in which a dot is any character",
                "sync[1].schedule (line 7): a rule has no schedule",
                "sync[1] (line 18): its tags include signatures",
            ]
        ),
        RegsyncFile(
            "a host that a variable has",
            #"""
            creds:
            - registry: '{{ env "REGISTRY_ENDPOINT" }}'
              user: '{{ env "REGISTRY_USERNAME" }}'
              pass: '{{ env "REGISTRY_PASSWORD" }}'
              reqConcurrent: 10
            sync:
            - source: docker.io/rancher/gitjob
              target: '{{ env "REGISTRY_ENDPOINT" }}/rancher/gitjob'
              type: repository
              tags:
                allow:
                - v0-1
            - source: docker.io/{{ env "ORG" }}/node:22
              target: '{{env "REGISTRY_ENDPOINT"}}/{{ env "TEAM" | default "base" }}/node:22'
              type: image
            """#,
            [
                "rancher-gitjob: docker.io rancher/gitjob -> mirror.test {repository}:{tag}; match v0-1; referrers none",
                "ORG-node: docker.io acme/node -> mirror.test base/node:{tag}; match 22; referrers none",
            ],
            comments: [
                "creds[0].user, creds[0].pass (lines 3, 4): credentials are not copied",
                "creds[0].reqConcurrent (line 5): requests are paced",
            ]
        ),
        RegsyncFile(
            "a generated file, with a step for each tag and target",
            """
            sync:
            - { source: "amazon/aws-cli:2.0.52", target: "docker.io/rancher/mirrored-cli:2.0.52", type: image }
            - { source: "amazon/aws-cli:2.8.5", target: "docker.io/rancher/mirrored-cli:2.8.5", type: image }
            - { source: "amazon/aws-cli:2.0.52", target: "registry.example.com/rancher/mirrored-cli:2.0.52", type: image }
            - { source: "amazon/aws-cli:2.8.5", target: "registry.example.com/rancher/mirrored-cli:2.8.5", type: image }
            - { source: "amazon/aws-cli:2.8.5", target: "registry.example.com/rancher/mirrored-cli:2.8.5", type: image }
            - { source: "bats/bats:v1.4.1", target: "docker.io/rancher/bats:v1.4.1", type: image }
            """,
            [
                "amazon-aws-cli: docker.io amazon/aws-cli -> docker.io rancher/mirrored-cli:{tag}, "
                    + "registry.example.com rancher/mirrored-cli:{tag}; match 2.0.52,2.8.5; referrers none",
                "bats-bats: docker.io bats/bats -> docker.io rancher/bats:{tag}; match v1.4.1; referrers none",
            ],
            comments: ["sync[4] (line 6): this copies what sync[2] copies"]
        ),
        RegsyncFile(
            "tags that several steps share, and several targets",
            #"""
            ---
            x-tags: &tags
              allow:
                - latest
                - "v\\d+\\.\\d+\\.\\d+"
              deny:
                - "v0.*"
                - ".*-rc"
            version: 1
            defaults: { parallel: 3, ratelimit: { min: 100, retry: 5m } }
            sync:
              - source: ghcr.io/acme/agent
                target: us-east1-docker.pkg.dev/acme/acme/agent
                type: repository
                tags: *tags
              - source: ghcr.io/acme/agent
                target: docker.io/acme/agent
                type: repository
                tags: *tags
            """#,
            [
                "acme-agent: ghcr.io acme/agent -> us-east1-docker.pkg.dev acme/acme/agent:{tag}, "
                    + #"docker.io {repository}:{tag}; match latest,re:v\d+\.\d+\.\d+; exclude re:v0.*,re:.*-rc; referrers none"#
            ],
            comments: [
                "defaults.parallel (line 10): requests are paced", "defaults.ratelimit (line 10): a step does not wait",
            ]
        ),
        RegsyncFile(
            "ECR in China, and ECR Public",
            """
            creds:
              - { registry: 111122223333.dkr.ecr.cn-northwest-1.amazonaws.com.cn, user: AWS, pass: "{{env \\"P\\"}}" }
            sync:
              - source: public.ecr.aws/docker/library/nginx:1.26
                target: 111122223333.dkr.ecr.cn-northwest-1.amazonaws.com.cn/dockerhub/library/nginx:1.26
                type: image
            """,
            [
                "docker-library-nginx: public.ecr.aws docker/library/nginx -> "
                    + "111122223333.dkr.ecr.cn-northwest-1.amazonaws.com.cn dockerhub/library/nginx:{tag}; match 1.26; "
                    + "referrers none"
            ],
            comments: ["creds[0].user, creds[0].pass (line 2): credentials are not copied; ECR is asked with AWS"]
        ),
        RegsyncFile(
            "settings of registries",
            """
            creds:
              - { registry: mirror.example.org, hostname: "10.0.0.7:5000", tls: disabled, pathPrefix: proxy/hub }
              - { registry: other.example.org, tls: insecure, regcert: "-----BEGIN", mirrors: [mirror.example.org] }
              - { registry: unused.example.org, repoAuth: true }
            sync:
              - { source: "mirror.example.org/team/app:v1", target: "other.example.org/team/app:v1", type: image }
            """,
            [
                "proxy-hub-team-app: http://10.0.0.7:5000 proxy/hub/team/app -> other.example.org team/app:{tag}; "
                    + "match v1; referrers none"
            ],
            comments: [
                "creds[1].regcert (line 3): certificates are not copied; pass the file with --ca-bundle",
                "creds[1].mirrors (line 3): a registry has no mirrors",
                "creds[1].tls (line 3): certificates are always checked",
                "creds[2].repoAuth (line 4): a token is always asked for one repository",
            ]
        ),
        RegsyncFile(
            "referrers by default, of which a step wants none",
            """
            defaults: { referrers: true, digestTags: true, mediaTypes: [application/vnd.oci.image.index.v1+json] }
            sync:
              - { source: ghcr.io/a/b, target: quay.io/a/b, type: repository, tags: { allow: [v1] } }
              - source: ghcr.io/a/c
                target: quay.io/a/c
                type: repository
                referrers: false
                digestTags: false
                tags: { allow: [v1] }
                referrerFilters: [{ artifactType: application/spdx }]
            """,
            [
                "a-b: ghcr.io a/b -> quay.io {repository}:{tag}; match v1; referrers all",
                "a-c: ghcr.io a/c -> quay.io {repository}:{tag}; match v1; referrers none",
            ],
            comments: [
                "defaults.mediaTypes (line 1): images of every media type are copied",
                "sync[1].referrerFilters (line 10): referrers are copied all or none",
            ]
        ),
    ]
}

import Content
import Testing

private let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

@Suite("Image references")
struct ReferenceTests {
    struct ECRForm: Sendable, CustomTestStringConvertible {
        var host: String
        var region: String
        var partition = Partition.aws
        var fips = false
        var dualStack = false
        var testDescription: String { host }
    }

    /// Every form of a registry's host (docs/facts/ecr-hosts.md#registry-hosts).
    static let forms = [
        ECRForm(host: "000011112222.dkr.ecr.eu-west-1.amazonaws.com", region: "eu-west-1"),
        ECRForm(host: "000011112222.dkr.ecr-fips.us-east-1.amazonaws.com", region: "us-east-1", fips: true),
        ECRForm(host: "000011112222.dkr-ecr.eu-west-1.on.aws", region: "eu-west-1", dualStack: true),
        ECRForm(host: "000011112222.dkr-ecr-fips.us-east-2.on.aws", region: "us-east-2", fips: true, dualStack: true),
        ECRForm(host: "000011112222.dkr.ecr.cn-north-1.amazonaws.com.cn", region: "cn-north-1", partition: .china),
        ECRForm(
            host: "000011112222.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
            region: "cn-north-1",
            partition: .china,
            dualStack: true
        ),
        ECRForm(
            host: "000011112222.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
            region: "us-gov-west-1",
            partition: .government,
            fips: true
        ),
        ECRForm(host: "000011112222.dkr.ecr.us-iso-east-1.c2s.ic.gov", region: "us-iso-east-1", partition: .iso),
        ECRForm(host: "000011112222.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", region: "us-isob-east-1", partition: .isoB),
        ECRForm(host: "000011112222.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", region: "eu-isoe-west-1", partition: .isoE),
        ECRForm(
            host: "000011112222.dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
            region: "us-isof-south-1",
            partition: .isoF
        ),
        ECRForm(
            host: "000011112222.dkr.ecr.eusc-de-east-1.amazonaws.eu",
            region: "eusc-de-east-1",
            partition: .european
        ),
    ]

    @Test("in ECR name account, region and partition, and are parsed from their own text", arguments: forms)
    func ecr(form: ECRForm) throws {
        for suffix in ["", ":v1.2", "@sha256:\(hex)", ":v1.2@sha256:\(hex)"] {
            let text = "\(form.host)/team/app\(suffix)"
            let reference = try ImageReference(parsing: text)
            guard case .ecr(let host) = reference.registry else {
                Issue.record("\(text) is no ECR registry")
                return
            }
            #expect(host.account.value == "000011112222")
            #expect(host.region == form.region)
            #expect(host.partition == form.partition)
            #expect(host.usesFIPS == form.fips)
            #expect(host.usesDualStack == form.dualStack)
            #expect(host.localAuthority == nil)
            #expect(host.name == form.host)
            #expect(reference.repository.value == "team/app")
            #expect(reference.tag?.value == (suffix.hasPrefix(":") ? "v1.2" : nil))
            #expect(reference.digest?.hex == (suffix.contains("@") ? hex : nil))
            #expect(reference.description == text)
            #expect(try ImageReference(parsing: reference.description) == reference)
        }
    }

    @Test(
        "name the same registry in every form of its host",
        arguments: [
            "000011112222.DKR.ECR.EU-WEST-1.AmazonAWS.com/team/app:v1",
            "https://000011112222.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
            "000011112222.dkr.ecr.eu-west-1.amazonaws.com:443/team/app:v1",
            "arn:aws:ecr:eu-west-1:000011112222:repository/team/app:v1",
        ]
    )
    func sameRegistry(text: String) throws {
        #expect(
            try ImageReference(parsing: text).description == "000011112222.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"
        )
    }

    @Test(
        "may be ARNs of every partition",
        arguments: [
            ("arn:aws:ecr:eu-west-1:000011112222:repository/ab", "000011112222.dkr.ecr.eu-west-1.amazonaws.com/ab"),
            (
                "arn:aws-cn:ecr:cn-north-1:000011112222:repository/a/b:t@sha256:\(hex)",
                "000011112222.dkr.ecr.cn-north-1.amazonaws.com.cn/a/b:t@sha256:\(hex)"
            ),
            (
                "arn:aws-us-gov:ecr:us-gov-east-1:000011112222:repository/ab@sha256:\(hex)",
                "000011112222.dkr.ecr.us-gov-east-1.amazonaws.com/ab@sha256:\(hex)"
            ),
            (
                "arn:aws-eusc:ecr:eusc-de-east-1:000011112222:repository/ab",
                "000011112222.dkr.ecr.eusc-de-east-1.amazonaws.eu/ab"
            ),
        ]
    )
    func arns(text: String, expected: String) throws {
        #expect(try ImageReference(parsing: text).description == expected)
    }

    @Test("may name a local cloud, whose host and port are kept")
    func localCloud() throws {
        for text in [
            "000011112222.dkr.ecr.eu-west-1.localhost:4566/team/app:v1", "000011112222.dkr.ecr.eu-west-1.localhost/ab",
        ] {
            for scheme in ["", "http://", "https://"] {
                let reference = try ImageReference(parsing: scheme + text)
                guard case .ecr(let host) = reference.registry else {
                    Issue.record("\(text) is no ECR registry")
                    continue
                }
                #expect(host.account.value == "000011112222")
                #expect(host.region == "eu-west-1")
                #expect(host.localAuthority == text.split(separator: "/").first.map(String.init))
                #expect(reference.description == text)
            }
        }
    }

    @Test(
        "without a host are in the caller's own account",
        arguments: [
            "app", "app:v1", "team/app", "team/app@sha256:\(hex)", "team/app:v1@sha256:\(hex)", "localhost:v1",
            "app:5000",
        ]
    )
    func callersOwn(text: String) throws {
        let reference = try ImageReference(parsing: text)
        #expect(reference.registry == .callersOwn)
        #expect(reference.description == text)
    }

    @Test(
        "with any other host are in a plain registry",
        arguments: [
            ("localhost/app", "localhost", nil, "app"), ("localhost:5000/app", "localhost:5000", nil, "app"),
            ("127.0.0.1:5000/team/app", "127.0.0.1:5000", nil, "team/app"),
            ("[::1]:5000/app", "[::1]:5000", nil, "app"), ("[::1]/app", "[::1]", nil, "app"),
            ("http://registry/app", "registry", .http, "app"), ("https://r.example/app", "r.example", .https, "app"),
            ("public.ecr.aws/docker/library/busybox", "public.ecr.aws", nil, "docker/library/busybox"),
            ("registry:65535/app", "registry:65535", nil, "app"),
            ("my_host.example/app", "my_host.example", nil, "app"),
            // Hosts that only look like ECR's.
            (
                "000011112222.dkr.ecr.eu-west-1.amazonaws.com.evil.example/app",
                "000011112222.dkr.ecr.eu-west-1.amazonaws.com.evil.example", nil, "app"
            ),
            ("evil.example.dkr.ecr/app", "evil.example.dkr.ecr", nil, "app"),
        ] as [(String, String, PlainRegistry.Scheme?, String)]
    )
    func plain(text: String, authority: String, scheme: PlainRegistry.Scheme?, repository: String) throws {
        for suffix in ["", ":v1", "@sha256:\(hex)", ":v1@sha256:\(hex)"] {
            let reference = try ImageReference(parsing: text + suffix)
            #expect(reference.registry == .plain(PlainRegistry(authority: authority, scheme: scheme)))
            #expect(reference.repository.value == repository)
            #expect(reference.tag?.value == (suffix.hasPrefix(":") ? "v1" : nil))
            #expect(reference.description == text + suffix)
        }
    }

    @Test(
        "in Docker Hub name one registry by any of its names, and short names are in library/",
        arguments: [
            ("docker.io/alpine:3", "docker.io/library/alpine:3"),
            ("docker.io/library/alpine:3", "docker.io/library/alpine:3"),
            ("index.docker.io/alpine", "docker.io/library/alpine"), ("Docker.IO/me/app", "docker.io/me/app"),
            ("registry-1.docker.io/me/app@sha256:\(hex)", "docker.io/me/app@sha256:\(hex)"),
            ("https://docker.io/alpine", "https://docker.io/library/alpine"),
        ]
    )
    func dockerHub(text: String, expected: String) throws {
        let reference = try ImageReference(parsing: text)
        #expect(reference.description == expected)
        #expect(try ImageReference(parsing: expected) == reference)
        guard case .plain(let registry) = reference.registry else {
            Issue.record("\(text) is in no plain registry")
            return
        }
        #expect(registry.isDockerHub && registry.endpointAuthority == "registry-1.docker.io")
        #expect(try DestinationReference(parsing: "docker.io/alpine").description == "docker.io/library/alpine")
        // The hosts of other registries are kept.
        let other = PlainRegistry(authority: "docker.io.example:5000")
        #expect(!other.isDockerHub && other.endpointAuthority == "docker.io.example:5000")
    }

    @Test(
        "may name a layout, whose path may contain anything except a colon at its end",
        arguments: [
            ("oci:images", "images", nil, false), ("oci:/srv/images:v1", "/srv/images", "v1", false),
            ("oci:./a:b/images", "./a:b/images", nil, false), ("oci:../x/", "../x", nil, false),
            ("oci:a:b//", "a:b/", nil, false), ("oci:a/:v1", "a", "v1", false),
            ("oci:/:v1", "/", "v1", false), ("oci:a b/é@home:v1", "a b/é@home", "v1", false),
            ("oci:images@sha256:\(hex)", "images", nil, true), ("oci:images:v1@sha256:\(hex)", "images", "v1", true),
            ("oci:C:", "C", "", false),
        ] as [(String, String, String?, Bool)]
    )
    func layouts(text: String, path: String, tag: String?, hasDigest: Bool) throws {
        guard tag != "" else {
            #expect(throws: ReferenceError.self) { try ImageReference(parsing: text) }
            return
        }
        let reference = try ImageReference(parsing: text)
        #expect(reference.registry == .layout(ImageLayout(path: path)))
        #expect(reference.registry.isLayout && reference.tag?.value == tag)
        #expect(reference.digest?.hex == (hasDigest ? hex : nil))
        #expect(try ImageReference(parsing: reference.description) == reference)
        #expect(reference.bare.description == "oci:\(path)")
        if !hasDigest {
            let destination = try DestinationReference(parsing: text)
            #expect(destination.repository(for: reference).tagged(destination.tag) == reference)
        }
    }

    @Test(
        "may name an archive, which is never a destination",
        arguments: [
            ("oci-archive:app.tar", ImageLayout(path: "app.tar", form: .ociArchive), nil),
            ("oci-archive:/srv/app.tar:v1", ImageLayout(path: "/srv/app.tar", form: .ociArchive), "v1"),
            ("docker-archive:app.tar:v1", ImageLayout(path: "app.tar", form: .dockerArchive), "v1"),
            (
                "docker-archive:app.tar:docker.io/library/app:v1",
                ImageLayout(path: "app.tar:docker.io/library/app", form: .dockerArchive), "v1"
            ),
            ("docker-archive:a@b.tar@sha256:\(hex)", ImageLayout(path: "a@b.tar", form: .dockerArchive), nil),
        ] as [(String, ImageLayout, String?)]
    )
    func archives(text: String, layout: ImageLayout, tag: String?) throws {
        let reference = try ImageReference(parsing: text)
        #expect(reference.registry == .layout(layout) && reference.tag?.value == tag)
        #expect(reference.registry.isLayout && reference.registry.isArchive && reference.description == text)
        let bare = text.split(separator: "@sha256:").first.map(String.init) ?? text
        let error = #expect(throws: ReferenceError.self) { try DestinationReference(parsing: bare) }
        #expect("\(try #require(error))".contains("can't be written to archives"))
    }

    @Test(
        "may begin with skopeo's docker://, after which docker's short names are valid",
        arguments: [
            ("docker://r.example/team/app:v1", "r.example/team/app:v1"),
            ("docker://localhost:5000/app", "localhost:5000/app"), ("docker://[::1]:5000/app", "[::1]:5000/app"),
            ("docker://alpine:3", "docker.io/library/alpine:3"), ("docker://bitnami/redis", "docker.io/bitnami/redis"),
            ("docker://docker.io/alpine", "docker.io/library/alpine"),
            ("docker://alpine@sha256:\(hex)", "docker.io/library/alpine@sha256:\(hex)"),
            (
                "docker://111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
                "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"
            ),
        ]
    )
    func dockerPrefix(text: String, plain: String) throws {
        let reference = try ImageReference(parsing: text)
        #expect(reference == (try ImageReference(parsing: plain)) && reference.description == plain)
        if reference.digest == nil { #expect(try DestinationReference(parsing: text).description == plain) }
    }

    @Test("may be a host alone after docker://, as a destination")
    func dockerPrefixedHost() throws {
        #expect(try DestinationReference(parsing: "docker://r.example/").description == "r.example/")
        #expect(throws: ReferenceError.self) { try ImageReference(parsing: "docker://") }
    }

    @Test(
        "with another prefix of skopeo's are refused with an alternative",
        arguments: [
            ("docker-daemon:app:v1", "docker save"), ("containers-storage:app", "podman save"),
            ("dir:/srv/app", "skopeo copy --all dir:DIR"), ("sif:./app.sif", "push the image"),
        ]
    )
    func otherTransports(text: String, advice: String) throws {
        let error = #expect(throws: ReferenceError.self) { try ImageReference(parsing: text) }
        #expect("\(try #require(error))".contains(advice))
        // The caller's own registry may have a repository with this name.
        #expect(try ImageReference(parsing: "dir:v1").repository.value == "dir")
    }

    @Test("have hosts in lowercase")
    func capitals() throws {
        #expect(try ImageReference(parsing: "Registry.Example:5000/app").description == "registry.example:5000/app")
    }

    @Test("can be changed to another tag, or to none")
    func turning() throws {
        let reference = try ImageReference(parsing: "r.example/app:v1@sha256:\(hex)")
        #expect(reference.bare.description == "r.example/app")
        #expect(reference.tagged(try Tag(parsing: "v2")).description == "r.example/app:v2")
        #expect(reference.tagged(nil, digest: reference.digest).description == "r.example/app@sha256:\(hex)")
    }
}

@Suite("Destinations")
struct DestinationReferenceTests {
    @Test(
        "may take the repository or the tag from the source",
        arguments: [
            ("localhost:5000/", "localhost:5000/team/app"), ("r.example/", "r.example/team/app"),
            ("r.example/other", "r.example/other"), ("other", "other"),
            ("000011112222.dkr.ecr.eu-west-1.amazonaws.com/", "000011112222.dkr.ecr.eu-west-1.amazonaws.com/team/app"),
            ("arn:aws:ecr:eu-west-1:000011112222:repository/", "000011112222.dkr.ecr.eu-west-1.amazonaws.com/team/app"),
        ]
    )
    func filledIn(text: String, expected: String) throws {
        let source = try ImageReference(parsing: "000011112222.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1")
        let destination = try DestinationReference(parsing: text)
        #expect(destination.tag == nil)
        #expect(destination.repository(for: source).description == expected)
        #expect(try DestinationReference(parsing: destination.description) == destination)
    }

    @Test("keep the tag they name")
    func tag() throws {
        let destination = try DestinationReference(parsing: "r.example/app:v2")
        #expect(destination.tag?.value == "v2")
        #expect(destination.description == "r.example/app:v2")
    }

    @Test("have no digest")
    func digest() {
        let text = "r.example/app@sha256:\(hex)"
        #expect(
            throws: ReferenceError.malformedReference(
                text,
                reason: "a destination can't have a digest: the source decides what is copied"
            )
        ) { try DestinationReference(parsing: text) }
    }
}

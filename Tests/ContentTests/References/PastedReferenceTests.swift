import Testing

@testable import Content

private let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

/// Tests pasted texts that are almost the image that the user means.
@Suite("Pasted references")
struct PastedReferenceTests {
    private static let account = "111122223333"
    private static let ireland = "\(account).dkr.ecr.eu-west-1.amazonaws.com"

    /// A mistyped host, and a part of the error.
    static let mistyped: [(String, String)] = [
        (
            "\(account).dkr.ecr.cn-north-1.amazonaws.com",
            "\(account).dkr.ecr.cn-north-1.amazonaws.com.cn: names in cn-north-1 end in amazonaws.com.cn"
        ),
        ("\(account).dkr.ecr.eu-west-1.amazonaws.com.cn", "\(ireland): names in eu-west-1 end in amazonaws.com"),
        ("\(account).dkr.ecr.eusc-de-east-1.amazonaws.com", "\(account).dkr.ecr.eusc-de-east-1.amazonaws.eu"),
        ("\(account).dkr.ecr.us-iso-east-1.amazonaws.com", "\(account).dkr.ecr.us-iso-east-1.c2s.ic.gov"),
        ("\(account).dkr.ecr.eu-west-1.amazonaws.eu", ireland),
        ("\(account).dkr.ecr.cn-north-1.amazonaws.cn", "\(account).dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("\(account).dkr.ecr.eu-west-1.amazon.com", ireland),
        ("\(account).dkr.ecr.eu-west-1.aws.amazon.com", ireland),
        ("\(account).dkr.ecr.eu-west-1.amazonaws.co", ireland),
        ("\(account).dkr.ecr.eu-west-1.amazonws.com", ireland),
        ("\(account).dkr.ecr.eu-west-1.amazonaws", ireland),
        ("\(account).dkr.ecr.eu-west-1.amazonaws.com.", ireland),
        ("\(account).dkr.ecr.eu-west-1.aws.com", ireland),
        (
            "\(account).dkr.ecr.amazonaws.com",
            "it names no region; the host of an ECR registry is written \(account).dkr.ecr.REGION.amazonaws.com"
        ),
        ("\(account).ecr.eu-west-1.amazonaws.com", ireland),
        ("\(account).dkr.eu-west-1.amazonaws.com", ireland),
        ("\(account).eu-west-1.amazonaws.com", ireland),
        ("\(account).drk.ecr.eu-west-1.amazonaws.com", ireland),
        ("\(account).ecr.dkr.eu-west-1.amazonaws.com", ireland),
        ("\(account).dkr.eu-west-1.ecr.amazonaws.com", ireland),
        ("eu-west-1.dkr.ecr.\(account).amazonaws.com", ireland),
        (
            "dkr.ecr.eu-west-1.amazonaws.com",
            "it names no account; the host of an ECR registry is written ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"
        ),
        (
            "ecr.eu-west-1.amazonaws.com",
            "that is the host of ECR's API; the host of an ECR registry is written ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"
        ),
        ("api.ecr.eu-west-1.amazonaws.com", "ACCOUNT.dkr.ecr.eu-west-1.amazonaws.com"),
        ("api.ecr.cn-north-1.amazonaws.com.cn", "ACCOUNT.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("ecr.eu-west-1.api.aws", "ACCOUNT.dkr-ecr.eu-west-1.on.aws"),
        ("\(account).dkr.ecr.eu-west-1.on.aws", "\(account).dkr-ecr.eu-west-1.on.aws"),
        (
            "\(account).dkr-ecr.eu-west-1.amazonaws.com",
            "\(ireland), with dual stack \(account).dkr-ecr.eu-west-1.on.aws"
        ),
        ("\(account).ecr-fips.us-east-1.amazonaws.com", "\(account).dkr.ecr-fips.us-east-1.amazonaws.com"),
        ("\(account).ecr.eu-west-1a.amazonaws.com", ireland),
        ("11122223333.ecr.eu-west-1.amazonaws.com", "011122223333.dkr.ecr.eu-west-1.amazonaws.com"),
        ("api.ecr-public.us-east-1.amazonaws.com", "public.ecr.aws/ALIAS/NAME"),
    ]

    @Test("with a mistyped ECR host are refused with the right host", arguments: mistyped)
    func names(host: String, right: String) throws {
        for text in ["\(host)/team/app:v1", "https://\(host)/team/app", host.uppercased() + "/team/app"] {
            let error = try #require(throws: ReferenceError.self, "\(text)") { try ImageReference(parsing: text) }
            #expect("\(error)".contains(right), "\(text)")
        }
        #expect(throws: ReferenceError.self) { try ImageReference(parsing: host) }
        #expect(throws: ReferenceError.self) { try DestinationReference(parsing: host + "/") }
    }

    /// Hosts that resemble ECR's and are registries of their own.
    static let registries = [
        "\(account).dkr.ecr.eu-west-1.corp.example", "\(account).dkr.ecr.eu-west-1.amazonaws.com.corp.example",
        "\(account).dkr.ecr.eu-west-1.amazonaws.test", "\(account).dkr.ecr.eu-west-1.amazonaws.internal",
        "\(account).dkr.ecr.us-east-1.localhost.localstack.cloud:4566", "\(account).dkr.ecr.eu-west-1.aws.acme.com",
        "\(account).dkr.ecr.eu-west-1.aws.hp.com", "\(account).dkr.ecr.eu-west-1.amazonws.com:5000",
        "ecr.corp.example", "dkr.ecr.corp.example", "ecr.amazonaws.corp.example", "public.ecr.aws",
        "ecr-public.aws.com",
        "vpce-0a1b-2c3d.dkr.ecr.eu-west-1.vpce.amazonaws.com", "ecr-mirror-123.eu-west-1.elb.amazonaws.com",
        "ec2-1-2-3-4.eu-west-1.compute.amazonaws.com", "registry.amazonaws.com", "\(account).amazonaws.com",
        "abc.lambda-url.eu-west-1.on.aws", "registry.on.aws", "amazonaws.com", "\(account).example.com",
        "console.example.com", "gallery.example.com",
    ]

    @Test("of plain registries with hosts that resemble ECR's are accepted", arguments: registries)
    func plain(host: String) throws {
        let reference = try ImageReference(parsing: "\(host)/ecr/repositories/private:v1")
        #expect(reference.registry == .plain(PlainRegistry(authority: host)))
    }

    static let right = [
        ireland, "\(ireland):443", "\(account).dkr.ecr-fips.us-east-1.amazonaws.com",
        "\(account).dkr-ecr.eu-west-1.on.aws",
        "\(account).dkr-ecr-fips.us-east-1.on.aws", "\(account).dkr.ecr.cn-north-1.amazonaws.com.cn",
        "\(account).dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "\(account).dkr.ecr.us-gov-west-1.amazonaws.com",
        "\(account).dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "\(account).dkr.ecr.eusc-de-east-1.amazonaws.eu",
        "\(account).dkr.ecr.eu-west-1.localhost:4566",
    ]

    @Test("of ECR registries are accepted in all forms", arguments: right)
    func taken(host: String) throws {
        guard case .ecr = try ImageReference(parsing: "\(host)/team/app:v1").registry else {
            Issue.record("\(host) is a plain registry")
            return
        }
    }

    /// A malformed account, and the suggestion in the error.
    static let accounts: [(String, String)] = [
        ("11122223333", "its leading zero was lost, as happens when it is read as a number: write 011122223333"),
        ("1122223333", "write 001122223333"),
        ("1111-2222-3333", "write its 12 digits without hyphens: 111122223333"),
        ("1.11122E+11", "it was rounded to a number, as spreadsheets do: write its 12 digits, and keep them as text"),
        ("1.11122223333E+11", "it was written as a number: write 111122223333"),
        ("1.1122223333e10", "it was written as a number: write 011122223333"),
        ("111122223333.0", "it was written as a number: write 111122223333"),
    ]

    @Test("with an account that was read as a number are refused with its digits", arguments: accounts)
    func proposed(account: String, advice: String) throws {
        let texts = [
            "\(account).dkr.ecr.eu-west-1.amazonaws.com/team/app", "\(account).dkr-ecr.eu-west-1.on.aws/team/app",
            "arn:aws:ecr:eu-west-1:\(account):repository/team/app",
        ]
        for text in texts {
            let error = try #require(throws: ReferenceError.self, "\(text)") { try ImageReference(parsing: text) }
            #expect("\(error)".hasPrefix("'\(account)' is not an AWS account: "), "\(text)")
            #expect("\(error)".hasSuffix(advice), "\(text)")
        }
    }

    @Test(
        "without a recognizable account are refused without a suggestion",
        arguments: ["1111222233334", "00001111222", "123", "1.5E+3", "1.2.3", "x"]
    )
    func unproposed(account: String) {
        #expect(AccountID.advice(for: account) == "write its 12 digits")
    }

    @Test("in the form of Inspector and Security Hub are images with that digest")
    func inspector() throws {
        let arn = "arn:aws:ecr:eu-west-1:\(Self.account):repository/team/app"
        let meant = try ImageReference(parsing: "\(Self.ireland)/team/app@sha256:\(hex)")
        #expect(try ImageReference(parsing: "\(arn)/sha256:\(hex)") == meant)
        #expect(try ImageReference(parsing: "\(arn)@sha256:\(hex)") == meant)
        #expect(try ImageReference(parsing: "\(arn):v1") == ImageReference(parsing: "\(Self.ireland)/team/app:v1"))
        #expect(throws: ReferenceError.malformedDigest("sha256:abc")) {
            try ImageReference(parsing: "\(arn)/sha256:abc")
        }
        #expect(throws: ReferenceError.self) { try DestinationReference(parsing: "\(arn)/sha256:\(hex)") }
        #expect(throws: ReferenceError.self) { try ImageReference(parsing: "\(arn)/sha256:\(hex)@sha256:\(hex)") }
    }

    @Test("with a digest in place of a tag are refused with the right form")
    func digestAsTag() throws {
        let texts = [
            "team/app/sha256:\(hex)", "team/app:sha256:\(hex)", "\(Self.ireland)/team/app/sha256:\(hex)",
            "r.example/team/app/sha256:\(hex)",
        ]
        for text in texts {
            let error = try #require(throws: ReferenceError.self, "\(text)") { try ImageReference(parsing: text) }
            #expect("\(error)".hasSuffix("the digest must follow an @: write team/app@sha256:\(hex)"), "\(text)")
        }
        for text in ["sha256:\(hex)", "sha256:44136fa355b3"] {
            let error = try #require(throws: ReferenceError.self) { try ImageReference(parsing: text) }
            #expect("\(error)".hasSuffix("it is a digest alone; write REPOSITORY@\(text)"))
        }
        #expect(try ImageReference(parsing: "tools/sha256:v1").tag == Tag(parsing: "v1"))
        #expect(try ImageReference(parsing: "tools/mysha256:\(hex)").tag == Tag(parsing: hex))
    }

    /// The address of a page, and the suggested image.
    static let pages: [(String, String)] = [
        (
            "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/111122223333/team/app?region=eu-west-1",
            "\(ireland)/team/app"
        ),
        (
            "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/111122223333/team%2Fapp",
            "\(ireland)/team/app"
        ),
        ("eu-west-1.console.aws.amazon.com/ecr/repositories/private/111122223333/team/app", "\(ireland)/team/app"),
        (
            "https://console.aws.amazon.com/ecr/repositories/private/111122223333/app?foo=1&region=eu-west-1#x",
            "\(ireland)/app"
        ),
        (
            "https://eu-west-1.console.aws.amazon.com/ecr/repositories/private/111122223333/team/app/_/image/sha256:\(hex)/details?region=eu-west-1",
            "\(ireland)/team/app@sha256:\(hex)"
        ),
        (
            "https://cn-north-1.console.amazonaws.cn/ecr/repositories/private/111122223333/app?region=cn-north-1",
            "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/app"
        ),
        ("https://eu-west-1.console.aws.amazon.com/ecr/home", "ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG"),
        ("https://gallery.ecr.aws/nginx/nginx", "public.ecr.aws/nginx/nginx"),
        ("https://hub.docker.com/_/nginx", "docker.io/library/nginx"),
        ("https://hub.docker.com/r/grafana/loki/tags", "docker.io/grafana/loki"),
        ("hub.docker.com/library/nginx:1", "docker.io/library/nginx:1"),
        ("https://quay.io/repository/team/app?tab=tags", "quay.io/team/app"),
        ("https://github.com/orgs/Team/packages/container/package/app", "ghcr.io/team/app"),
        ("https://github.com/Team/app/pkgs/container/app/123?tag=v1", "ghcr.io/team/app"),
    ]

    /// An image with other pasted characters, and the error.
    static let pastes: [(String, String)] = [
        ("r.test/team/app:v1\n", "it has a line break around it; write r.test/team/app:v1"),
        ("r.test/team/app:v1\r\n", "it has a line break around it; write r.test/team/app:v1"),
        (" r.test/team/app:v1", "it has a blank or an invisible character around it; write r.test/team/app:v1"),
        ("\u{FEFF}r.test/app", "it has a blank or an invisible character around it; write r.test/app"),
        ("r.test/app\u{A0}", "it has a blank or an invisible character around it; write r.test/app"),
        ("\"r.test/app\"", "it has quotes around it; write r.test/app"),
        ("“r.test/app”", "it has quotes around it; write r.test/app"),
        ("oci:/tmp/lay:v1\n", "it has a line break around it; write oci:/tmp/lay:v1"),
        (" oci:/tmp/lay:v1", "it has a blank or an invisible character around it; write oci:/tmp/lay:v1"),
        ("ocidir:///tmp/lay:v1", "an image layout is written oci:/tmp/lay:v1"),
        ("oci-layout://lay:v1", "an image layout is written oci:lay:v1"),
        ("OCI:/tmp/lay", "an image layout is written oci:/tmp/lay"),
        ("/tmp/lay:v1", "a path of this machine is written oci:/tmp/lay:v1"),
        ("./app.tar", "a path of this machine is written oci-archive:./app.tar or docker-archive:./app.tar"),
        ("oci:///tmp/lay", "the path follows the colon: write oci:/tmp/lay"),
        ("oci:~/lay:v1", "the shell expands ~ only at the start of a word; write oci:$HOME/lay"),
        ("oci:/tmp/lay@SHA256:\(hex.uppercased())", "write the digest in lowercase"),
        ("r.test/app@sha256:\(hex.uppercased())", "lowercase"),
    ]

    @Test("with surrounding characters are refused with the right form", arguments: pastes)
    func paste(text: String, reason: String) throws {
        let error = try #require(throws: ReferenceError.self) { try ImageReference(parsing: text) }
        #expect("\(error)".contains(reason), "\(error)")
        #expect(!"\(error)".contains("\n"))
    }

    @Test("with a scheme in capitals are parsed")
    func scheme() throws {
        #expect(
            try ImageReference(parsing: "HTTPS://r.test/app:v1") == ImageReference(parsing: "https://r.test/app:v1")
        )
    }

    @Test("of pages of the console are refused with the image that is meant", arguments: pages)
    func page(address: String, image: String) throws {
        let error = try #require(throws: ReferenceError.self) { try ImageReference(parsing: address) }
        #expect("\(error)".hasSuffix("image is written \(image)"))
    }

    /// A malformed region, and the error.
    static let regions: [(String, String)] = [
        ("eu-west-1\n", "has a line break in it; write eu-west-1"),
        ("eu-west-1\r\n", "has a line break in it; write eu-west-1"),
        ("eu-west-1 ", "has a blank in it; write eu-west-1"), ("eu-west-1\u{A0}", "has a blank in it; write eu-west-1"),
        ("\u{FEFF}eu-west-1", "has an invisible character in it; write eu-west-1"),
        ("eu-west-1\u{200B}", "has an invisible character in it; write eu-west-1"),
        ("\"eu-west-1\"", "has quotes in it; write eu-west-1"), ("“eu-west-1”", "has quotes in it; write eu-west-1"),
        ("eu-west-1 # Ireland", "has a comment in it; write eu-west-1"),
        ("eu-west-1;x", "has a comment in it; write eu-west-1"),
        ("EU-WEST-1", "has capitals; write eu-west-1"),
        ("eu-west-1a", "is an availability zone; write eu-west-1, its region"),
        ("us-west-2-lax-1a", "is an availability zone; write us-west-2, its region"),
        ("us-gov-west-1b", "is an availability zone; write us-gov-west-1, its region"),
        ("euw1-az1", "is the id of an availability zone; write its region, as eu-west-1"),
        ("https://api.ecr.eu-west-1.amazonaws.com", "is an address, not the name of a region; write eu-west-1"),
        ("AWS_REGION=eu-west-1", "is not the name of a region; write eu-west-1"),
        ("eu-west-1,us-east-1", "is not the name of a region; write it as eu-west-1"),
        ("", "is empty; write it as eu-west-1"), ("eu_west_1", "is not the name of a region; write it as eu-west-1"),
    ]

    @Test("with a wrong region are refused with the reason", arguments: regions)
    func region(text: String, fault: String) {
        #expect(RegionText.fault(in: text).map { "\($0)" } == fault)
    }

    @Test(
        "accept every region, also future ones",
        arguments: [
            "eu-west-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1", "ap-southeast-7", "mx-central-1", "local",
            "us-east-10",
        ]
    )
    func isRegion(text: String) {
        #expect(RegionText.fault(in: text) == nil)
    }
}

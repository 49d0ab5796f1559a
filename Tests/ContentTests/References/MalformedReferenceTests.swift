import Content
import Testing

private let hex = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
private let parts = "each part between slashes is lowercase letters and digits, joined by . _ __ or hyphens"
private let ecr = "111122223333.dkr.ecr.us-east-1.amazonaws.com"
private let local = "111122223333.dkr.ecr.us-east-1.localhost"
private let noSlash = "it is a registry: add the repository; as a destination, HOST/ keeps the source's repository name"
private let arn = "an ARN is written arn:PARTITION:ecr:REGION:ACCOUNT:repository/NAME"

@Suite("Malformed references")
struct MalformedReferenceTests {
    /// A text, and the whole error for it.
    static let table: [(String, String)] = [
        ("", "'' is not an image reference: it is empty"),
        (
            "r.example/app v1",
            "'r.example/app v1' is not an image reference: it has spaces or characters that no registry allows"
        ),
        (
            "r.example/äpp",
            "'r.example/äpp' is not an image reference: it has spaces or characters that no registry allows"
        ),
        (
            "r.example/app\u{1B}[2J",
            "'r.example/app?[2J' is not an image reference: it has spaces or characters that no registry allows"
        ),
        ("oci:", "'oci:' is not an image reference: a directory must follow oci:"),
        ("oci::v1", "'oci::v1' is not an image reference: a directory must follow oci:"),
        (
            "oci://r.example/chart",
            "'oci://r.example/chart' is not an image reference: oci: names a directory; a registry is written without it"
        ),
        (
            "oci:a\u{1B}b",
            "'oci:a?b' is not an image reference: it is not a path: it is too long, or has control characters in it"
        ),
        (
            "oci:dir:v1+b",
            "'v1+b' is not a tag: only letters, digits and _ . - are allowed; Helm pushes this version as v1_b"
        ),
        (
            "oci:dir@sha256:abc",
            "'sha256:abc' is not a digest: write sha256: and 64 lowercase hexadecimal characters"
        ),
        ("r.example/", "'r.example/' is not an image reference: it names a registry but no repository"),
        (ecr, "'\(ecr)' is not an image reference: \(noSlash)"),
        ("\(ecr):v1", "'\(ecr):v1' is not an image reference: \(noSlash)"),
        ("\(local):5000", "'\(local):5000' is not an image reference: \(noSlash)"),
        ("localhost", "'localhost' is not an image reference: \(noSlash)"),
        ("localhost:5000", "'localhost:5000' is not an image reference: \(noSlash)"),
        ("r.example/:v1", "'r.example/:v1' is not an image reference: it names no repository"),
        ("r.example/@sha256:\(hex)", "'r.example/@sha256:\(hex)' is not an image reference: it names no repository"),
        (":v1", "':v1' is not an image reference: it names no repository"),
        ("@sha256:\(hex)", "'@sha256:\(hex)' is not an image reference: it names no repository"),
        ("r.example/App", "'App' is not a repository name: \(parts)"),
        ("r.example//app", "'/app' is not a repository name: \(parts)"),
        ("/app", "'/app' is not a repository name: \(parts)"),
        ("r.example/app/", "'app/' is not a repository name: \(parts)"),
        ("r.example/../app", "'../app' is not a repository name: \(parts)"),
        ("r.example/app?x=y", "'app?x=y' is not a repository name: \(parts)"),
        ("r.example/app#x", "'app#x' is not a repository name: \(parts)"),
        ("r.example/app:v1:v2", "'app:v1' is not a repository name: \(parts)"),
        ("a", "'a' is not a repository name: it must have 2 to 256 characters"),
        ("app:", "'' is not a tag: a tag has 1 to 300 characters; this has 0"),
        ("r.example/app:", "'' is not a tag: a tag has 1 to 128 characters; this has 0"),
        ("r.example/app:.v1", "'.v1' is not a tag: a tag can't begin with . or -"),
        (
            "app:v1+b",
            "'v1+b' is not a tag: only letters, digits and _ . - are allowed; Helm pushes this version as v1_b"
        ),
        ("app@", "'' is not a digest: write sha256: and 64 lowercase hexadecimal characters"),
        ("app@sha256:abc", "'sha256:abc' is not a digest: write sha256: and 64 lowercase hexadecimal characters"),
        (
            "app@sha256:\(hex)@sha256:\(hex)",
            "'sha256:\(hex)@sha256:\(hex)' is not a digest: write sha256: and 64 lowercase hexadecimal characters"
        ),
        (
            "app@sha256:\(hex):v1",
            "'sha256:\(hex):v1' is not a digest: write sha256: and 64 lowercase hexadecimal characters"
        ),
        (
            "team:v1/app",
            "'team:v1/app' is not an image reference: 'team:v1' is not a host name with an optional port"
        ),
        (
            "r.example:0/app",
            "'r.example:0/app' is not an image reference: 'r.example:0' is not a host name with an optional port"
        ),
        (
            "r.example:65536/app",
            "'r.example:65536/app' is not an image reference: 'r.example:65536' is not a host name with an optional port"
        ),
        (
            "r.example:+80/app",
            "'r.example:+80/app' is not an image reference: 'r.example:+80' is not a host name with an optional port"
        ),
        (
            "r.example:/app",
            "'r.example:/app' is not an image reference: 'r.example:' is not a host name with an optional port"
        ),
        ("a:b:c/app", "'a:b:c/app' is not an image reference: 'a:b:c' is not a host name with an optional port"),
        (
            ".example/app",
            "'.example/app' is not an image reference: '.example' is not a host name with an optional port"
        ),
        ("-r.ex/app", "'-r.ex/app' is not an image reference: '-r.ex' is not a host name with an optional port"),
        ("r%41.ex/app", "'r%41.ex/app' is not an image reference: 'r%41.ex' is not a host name with an optional port"),
        ("[::1/app", "'[::1/app' is not an image reference: '[::1' is not a host name with an optional port"),
        ("[]:1/app", "'[]:1/app' is not an image reference: '[]:1' is not a host name with an optional port"),
        (
            "[::1]x:1/app",
            "'[::1]x:1/app' is not an image reference: '[::1]x:1' is not a host name with an optional port"
        ),
        (
            "[::1%25lo]/app",
            "'[::1%25lo]/app' is not an image reference: '[::1%25lo]' is not a host name with an optional port"
        ),
        (
            "http://000011112222.dkr.ecr.eu-west-1.amazonaws.com/app",
            "'http://000011112222.dkr.ecr.eu-west-1.amazonaws.com/app' is not an image reference: "
                + "ECR answers on https only; leave out http://"
        ),
        ("http://app", "'http://app' is not an image reference: a repository must follow http://HOST/"),
        ("https:///app", "'https:///app' is not an image reference: '' is not a host name with an optional port"),
        (
            "ftp://r.example/app",
            "'ftp://r.example/app' is not an image reference: 'ftp:' is not a host name with an optional port"
        ),
        (
            "arn:aws:ecr:eu-west-1:000011112222:app",
            "'arn:aws:ecr:eu-west-1:000011112222:app' is not an image reference: \(arn)"
        ),
        ("arn:aws:s3:::bucket/app", "'arn:aws:s3:::bucket/app' is not an image reference: \(arn)"),
        ("arn:aws", "'arn:aws' is not an image reference: \(arn)"),
        (
            "arn:aws:ecr:cn-north-1:000011112222:repository/app",
            "'arn:aws:ecr:cn-north-1:000011112222:repository/app' is not an image reference: "
                + "region 'cn-north-1' is not in partition 'aws'; write arn:aws-cn:ecr:…"
        ),
        (
            "arn:aws:ecr::000011112222:repository/app",
            "'arn:aws:ecr::000011112222:repository/app' is not an image reference: '' is empty; write it as eu-west-1"
        ),
        ("arn:aws:ecr:eu-west-1:0000111122:repository/app", "'0000111122' is not an AWS account: write its 12 digits"),
        ("00001111222.dkr.ecr.eu-west-1.amazonaws.com/app", "'00001111222' is not an AWS account: write its 12 digits"),
        ("registry.dkr.ecr.eu-west-1.amazonaws.com/app", "'registry' is not an AWS account: write its 12 digits"),
        (
            "000011112222.dkr.ecr.eu-west-1.amazonaws.com:8443/app",
            "'000011112222.dkr.ecr.eu-west-1.amazonaws.com:8443' is not an image reference: ECR answers on port 443 only"
        ),
        (
            "000011112222.dkr.ecr.-.amazonaws.com/app",
            "'000011112222.dkr.ecr.-.amazonaws.com' is not an image reference: "
                + "'-' is not the name of a region; write it as eu-west-1"
        ),
    ]

    @Test("are refused with the reason", arguments: table)
    func message(text: String, message: String) {
        let error = #expect(throws: ReferenceError.self) { try ImageReference(parsing: text) }
        #expect(error.map { "\($0)" } == message)
    }

    @Test("of any length are refused at once, and not quoted completely")
    func length() throws {
        let text = String(repeating: "a/", count: 5_000_000)
        let error = try #require(throws: ReferenceError.self) { try ImageReference(parsing: text) }
        #expect("\(error)".hasSuffix("…' is not an image reference: it has more than 1024 characters"))
        #expect("\(error)".utf8.count < 400)
    }

    @Test("are refused without repeating a password in front of the host")
    func credentials() throws {
        for text in ["https://user:hunter2@r.example/app", "user:hunter2@r.example/app"] {
            let error = try #require(throws: ReferenceError.self) { try ImageReference(parsing: text) }
            #expect(!"\(error)".contains("hunter2"))
        }
    }
}

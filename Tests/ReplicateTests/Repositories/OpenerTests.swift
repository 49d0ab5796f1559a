import Content
import FoundationEssentials
import HTTPTypes
import Platform
import Reporting
import TestClouds
import TestPrograms
import Testing
import Wire

@testable import Replicate

/// Answers every API request as ECR would, and records where each was sent.
final class RecordingAWS: HTTPSending {
    private let seen = Lock<[(operation: String, url: HTTPURL)]>([])
    let proxyEndpoint: String
    let refusals: [String: (status: Int, body: String)]

    /// The number of requests that fail first, without an answer.
    let unreachable: Int
    /// For each operation, how often the connection is closed first.
    let cuts: [String: Int]

    init(
        proxyEndpoint: String,
        refusing refusals: [String: (status: Int, body: String)] = [:],
        unreachable: Int = 0,
        cutting cuts: [String: Int] = [:]
    ) {
        (self.proxyEndpoint, self.refusals, self.unreachable) = (proxyEndpoint, refusals, unreachable)
        self.cuts = cuts
    }

    var operations: [String] { seen.withLock { $0.map(\.operation) } }
    var origins: Set<String> { seen.withLock { Set($0.map(\.url.origin)) } }

    func send(_ request: WireRequest) async throws -> WireResponse {
        let target = HTTPField.Name("X-Amz-Target").flatMap { request.fields[$0] }
        let text = String(decoding: request.body, as: UTF8.self)
        let operation: String
        if let name = target?.split(separator: ".").last {
            operation = String(name)
        } else if text.contains("GetCallerIdentity") {
            operation = "GetCallerIdentity"
        } else {
            operation = "\(request.method) \(request.url.path)"
        }
        let (count, same) = seen.withLock { seen in
            seen.append((operation, request.url))
            return (seen.count, seen.count { $0.operation == operation })
        }
        guard count > unreachable else { throw WireError(.unreachable, "refused", url: request.url) }
        guard same > cuts[operation] ?? 0 else { throw WireError(.disconnected, "cut", url: request.url) }
        if let (status, body) = refusals[operation] {
            return WireResponse(status: .init(code: status), body: Array(body.utf8))
        }
        return WireResponse(status: .init(code: 200), fields: fields(operation), body: Array(body(operation).utf8))
    }

    private func fields(_ operation: String) -> HTTPFields {
        operation.hasPrefix("POST /v2/") ? [.location: "/v2/team/app/blobs/uploads/1"] : [:]
    }

    private func body(_ operation: String) -> String {
        switch operation {
        case "GetAuthorizationToken":
            #"{"authorizationData":[{"authorizationToken":"QVdTOng=","expiresAt":4102444800,"#
                + #""proxyEndpoint":"\#(proxyEndpoint)"}]}"#
        case "GetCallerIdentity":
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/u</Arn>"
                + "<UserId>U</UserId><Account>111122223333</Account></GetCallerIdentityResult>"
                + "</GetCallerIdentityResponse>"
        default: #"{"repositories":[]}"#
        }
    }
}

@Suite("Opening registries")
struct OpenerTests {
    private func opener(
        _ aws: RecordingAWS,
        _ more: [String: String] = [:],
        attempts: Int = 1
    ) -> RepositoryOpener {
        var variables = [
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-west-1",
        ]
        variables.merge(more) { $1 }
        return .forTests(aws, RetryPolicy(attempts: attempts, clock: InstantClock()), variables: variables)
    }

    private let blob = FakeImage.blob("layer")
    private let local = ["AWS_ENDPOINT_URL": "http://127.0.0.1:4566"]
    private let localProxy = "http://999988887777.dkr.ecr.eu-west-1.localhost:4566"

    private func open(
        _ opener: RepositoryOpener,
        _ text: String,
        _ options: SideOptions = SideOptions()
    ) async throws -> any ImageRepository {
        try await opener.open(ImageReference(parsing: text), side: .destination, options)
    }

    @Test("An opener is released with its tokens after its last use")
    func released() async throws {
        weak var released: RepositoryOpener?
        do {
            let opener = opener(RecordingAWS(proxyEndpoint: localProxy), local)
            released = opener
            let repository = try await open(opener, "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
            _ = try await repository.receive(SentBlob(blob))
        }
        #expect(released == nil)
    }

    @Test("An image missing from ECR's answer is an incomplete answer, not a missing image")
    func silence() async throws {
        let aws = RecordingAWS(
            proxyEndpoint: localProxy,
            refusing: ["BatchGetImage": (200, #"{"images":[],"failures":[]}"#)]
        )
        let repository = try await open(opener(aws), "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
        let error = await #expect(throws: CopyError.self) {
            try await repository.read(manifests: [], digests: [.tag(Tag(parsing: "v1"))])
        }
        #expect(error?.cause.contains("the answer does not mention") == true)
        #expect(error?.place.hasSuffix("/team/app:v1") == true)
        #expect(aws.operations.count == 3, "requested again before it fails")
    }

    @Test("An image without its manifest is an incomplete answer, not a missing image")
    func manifestLeftOut() async throws {
        let digest = Digest.ofNothing
        let aws = RecordingAWS(
            proxyEndpoint: localProxy,
            refusing: [
                "BatchGetImage": (200, #"{"images":[{"imageId":{"imageDigest":"\#(digest)"}}],"failures":[]}"#)
            ]
        )
        let repository = try await open(opener(aws), "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
        let error = await #expect(throws: CopyError.self) { try await repository.read([.digest(digest)]) }
        #expect(error?.cause.contains("has no manifest") == true)
        #expect(aws.operations.count == 3, "requested again before it fails")
        let known = try await repository.read(manifests: [], digests: [.digest(digest)])
        #expect(known.digests == [.digest(digest): digest], "a read of digests needs no manifest")
    }

    @Test("Opening sends no request, and the API needs no token")
    func lazily() async throws {
        let aws = RecordingAWS(proxyEndpoint: localProxy)
        let repository = try await open(opener(aws, local), "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
        #expect(aws.operations.isEmpty)
        _ = try await repository.immutability()
        #expect(aws.operations == ["DescribeRepositories"])
        #expect(aws.origins == ["http://127.0.0.1:4566"])
    }

    @Test("One token serves all repositories of an identity and region")
    func oneToken() async throws {
        let aws = RecordingAWS(proxyEndpoint: localProxy)
        let opener = opener(aws, local)
        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
        let repositories = [
            try await open(opener, "\(host)/team/app"), try await open(opener, "\(host)/team/other"),
            try await open(opener, "444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/app"),
        ]
        try await repositories.forEachConcurrently(limit: 3) { [blob] in
            for _ in 0..<3 { _ = try await $0.receive(SentBlob(blob)) }
        }
        #expect(aws.operations.count { $0 == "GetAuthorizationToken" } == 1)
        #expect(aws.operations.count { $0.hasPrefix("POST /v2/") } == 9)
        #expect(
            aws.origins == [
                "http://127.0.0.1:4566", "http://111122223333.dkr.ecr.eu-west-1.localhost:4566",
                "http://444455556666.dkr.ecr.eu-west-1.localhost:4566",
            ],
            "the token's registry, with the label of each reference's account"
        )
        let far = RecordingAWS(proxyEndpoint: "http://999988887777.dkr.ecr.us-east-1.localhost:4566")
        let elsewhere = try await open(self.opener(far, local), "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app")
        _ = try await elsewhere.receive(SentBlob(blob))
        #expect(far.operations.contains("GetAuthorizationToken"), "another region needs another token")
    }

    @Test("Only repositories that share quotas share a pacer")
    func pacers() async throws {
        let opener = opener(RecordingAWS(proxyEndpoint: localProxy), local)
        func pacer(_ text: String, _ side: CopyError.Side = .destination) async throws -> ObjectIdentifier? {
            let repository = try await opener.open(ImageReference(parsing: text), side: side, SideOptions())
            let pacer = (repository as? ECRImageRepository)?.pacer ?? (repository as? PlainImageRepository)?.pacer
            return pacer.map { ObjectIdentifier($0) }
        }
        let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
        let one = try await pacer("\(host)/team/app")
        #expect(try await pacer("\(host)/team/other", .source) == one, "sides and repositories share one")
        #expect(try await pacer("444455556666.dkr.ecr.eu-west-1.amazonaws.com/team/app") != one)
        #expect(try await pacer("111122223333.dkr.ecr.us-east-1.amazonaws.com/team/app") != one)
        let plain = try await pacer("localhost:5000/team/app")
        #expect(try await pacer("localhost:5000/other", .source) == plain)
        #expect(try await pacer("localhost:5001/team/app") != plain)
        let budget = opener.budgets.of(.destination, host)
        #expect(opener.budgets.of(.destination, host) === budget)
        #expect(opener.budgets.of(.source, host) !== budget, "each side has its own")
        #expect(opener.budgets.of(.destination, "localhost:5000") !== budget, "each registry has its own")
    }

    @Test("AWS registries use the endpoint names of AWS")
    func awsByRule() async throws {
        let aws = RecordingAWS(proxyEndpoint: "https://999988887777.dkr.ecr.eu-west-1.amazonaws.com")
        let repository = try await open(opener(aws), "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
        _ = try await repository.receive(SentBlob(blob))
        #expect(
            aws.origins == [
                "https://api.ecr.eu-west-1.amazonaws.com:443",
                "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com:443",
            ]
        )
    }

    @Test("--registry-endpoint overrides the registry of the token")
    func registryEndpoint() async throws {
        let aws = RecordingAWS(proxyEndpoint: "https://999988887777.dkr.ecr.eu-west-1.amazonaws.com")
        let repository = try await open(
            opener(aws, local),
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app",
            SideOptions(registryEndpoint: "vpce.test")
        )
        _ = try await repository.receive(SentBlob(blob))
        #expect(aws.origins == ["http://127.0.0.1:4566", "https://vpce.test:443"])
    }

    @Test("A registry on *.localhost serves its own API unless an endpoint is given")
    func localRegistry() async throws {
        let host = "111122223333.dkr.ecr.eu-west-1.localhost:4599"
        let aws = RecordingAWS(proxyEndpoint: "http://\(host)")
        let repository = try await open(opener(aws), "\(host)/team/app")
        _ = try await repository.immutability()
        _ = try await repository.receive(SentBlob(blob))
        #expect(aws.origins == ["http://\(host)"])
    }

    @Test("STS is asked once for the account of all bare names")
    func bareNames() async throws {
        let aws = RecordingAWS(proxyEndpoint: localProxy)
        let opener = opener(aws, local)
        let names = ["team/app", "team/app", "team/other"]
        let opened = try await names.mapConcurrently(limit: 3) { try await open(opener, $0).reference.description }
        #expect(aws.operations == ["GetCallerIdentity"])
        #expect(opened[2] == "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/other")

        let told = RecordingAWS(proxyEndpoint: localProxy)
        let known = try await open(
            self.opener(told, local.merging(["AWS_ACCOUNT_ID": "444455556666"]) { $1 }),
            "team/app",
            SideOptions(region: "us-east-1")
        )
        #expect(told.operations.isEmpty)
        #expect(known.reference.description == "444455556666.dkr.ecr.us-east-1.amazonaws.com/team/app")
    }

    @Test("Keys that STS refuses count as missing permission")
    func badKeys() async throws {
        let body =
            "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"
        let aws = RecordingAWS(proxyEndpoint: localProxy, refusing: ["GetCallerIdentity": (403, body)])
        let error = await #expect(throws: CopyError.self) { try await open(opener(aws, local), "team/app") }
        #expect(error?.kind == .notPermitted && error?.operation == "GetCallerIdentity")
        #expect(error?.side == .destination && error?.place == "team/app")
    }

    @Test("A denied GetCallerIdentity names the permission", arguments: ["AccessDenied", "AccessDeniedException"])
    func forbidden(code: String) async throws {
        let body = "<ErrorResponse><Error><Code>\(code)</Code><Message>no</Message></Error></ErrorResponse>"
        let aws = RecordingAWS(proxyEndpoint: localProxy, refusing: ["GetCallerIdentity": (403, body)])
        let error = await #expect(throws: CopyError.self) { try await open(opener(aws, local), "team/app") }
        #expect(error?.reason == .denied(action: "sts:GetCallerIdentity", text: "no"))
    }

    @Test("A plain registry is probed once, and its denials don't mention IAM")
    func plain() async throws {
        let aws = RecordingAWS(proxyEndpoint: "", refusing: ["GET /v2/team/app/manifests/v1": (403, "{}")])
        let opener = opener(aws)
        let repository = try await open(opener, "localhost:5000/team/app")
        _ = try await open(opener, "localhost:5000/team/other")
        #expect(aws.operations == ["GET /v2/"])
        let error = await #expect(throws: CopyError.self) {
            try await repository.read([.tag(Tag(parsing: "v1"))])
        }
        #expect(error?.cause == "not allowed to read the manifest: {}" && error?.kind == .notPermitted)
        #expect(
            error?.remedy
                == "log in with: docker login localhost:5000 (or podman login), with an account that has permission"
        )
        #expect(error?.place == "localhost:5000/team/app:v1")
    }

    private static let post = "POST /v2/team/app/blobs/uploads/"
    private static let place = "444455556666.dkr.ecr.us-east-1.amazonaws.com/team/app"

    private static func refusal(_ code: String, _ message: String) -> (status: Int, body: String) {
        (400, #"{"__type":"\#(code)","message":"\#(message)"}"#)
    }

    @Test(
        "A closed upload is explained by one API request and then retried",
        arguments: [true, false]
    )
    func cutOnce(mayAsk: Bool) async throws {
        let aws = RecordingAWS(
            proxyEndpoint: "",
            refusing: mayAsk ? [:] : ["DescribeRepositories": Self.refusal("AccessDeniedException", "no")],
            cutting: [Self.post: 1]
        )
        let repository = try await open(opener(aws, attempts: 4), Self.place)
        _ = try await repository.receive(SentBlob(blob))
        #expect(aws.operations == ["GetAuthorizationToken", Self.post, "DescribeRepositories", Self.post])
    }

    @Test("A closed upload to a missing repository names the repository after one retry")
    func cutForRepository() async throws {
        let aws = RecordingAWS(
            proxyEndpoint: "",
            refusing: ["DescribeRepositories": Self.refusal("RepositoryNotFoundException", "gone")],
            cutting: [Self.post: 9]
        )
        let repository = try await open(opener(aws, attempts: 4), Self.place)
        let error = await #expect(throws: CopyError.self) {
            try await repository.receive(SentBlob(blob))
        }
        #expect(error?.reason == .repositoryMissing)
        #expect(aws.operations == ["GetAuthorizationToken", Self.post, "DescribeRepositories", Self.post])
    }

    @Test(
        "An upload closed twice is started with the API, which tells whether it is allowed",
        arguments: [true, false]
    )
    func cutForPermission(isAllowed: Bool) async throws {
        let sentence = "User: arn:aws:iam::1:user/u is not authorized to perform: ecr:InitiateLayerUpload"
        let aws = RecordingAWS(
            proxyEndpoint: "",
            refusing: [
                "InitiateLayerUpload": isAllowed
                    ? (200, #"{"uploadId":"u","partSize":10485760}"#)
                    : Self.refusal("AccessDeniedException", sentence)
            ],
            cutting: [Self.post: 9]
        )
        let repository = try await open(opener(aws, attempts: 4), Self.place)
        let error = await #expect(throws: CopyError.self) {
            try await repository.receive(SentBlob(blob))
        }
        let asked = ["GetAuthorizationToken", Self.post, "DescribeRepositories", Self.post, "InitiateLayerUpload"]
        if isAllowed {
            #expect(error?.reason.name == "unreachable" && error?.kind == .failed)
            #expect(aws.operations == asked + [Self.post, Self.post])
        } else {
            #expect(error?.reason == .denied(action: "ecr:InitiateLayerUpload", text: sentence))
            #expect(aws.operations == asked)
        }
    }

    @Test("A plain registry that is starting is retried")
    func starting() async throws {
        let aws = RecordingAWS(proxyEndpoint: "", unreachable: 5)
        let repository = try await open(opener(aws, attempts: 6), "localhost:5000/team/app")
        #expect(repository.registryKey == "https://localhost:5000")
        #expect(aws.operations == Array(repeating: "GET /v2/", count: 6))

        let error = await #expect(throws: CopyError.self) {
            try await open(opener(RecordingAWS(proxyEndpoint: "", unreachable: 6), attempts: 6), "localhost:5000/a/b")
        }
        #expect(error?.reason.name == "unreachable")
    }

    @Test("Missing credentials are an error that names the side")
    func noCredentials() async throws {
        let aws = RecordingAWS(proxyEndpoint: localProxy)
        let opener = opener(aws, ["AWS_ACCESS_KEY_ID": "", "AWS_EC2_METADATA_DISABLED": "true"])
        let error = await #expect(throws: CopyError.self) {
            try await open(opener, "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
        }
        #expect(error?.kind == .notPermitted && error?.side == .destination)
        #expect(aws.operations.isEmpty)
    }

    @Test(
        "Missing credentials mention a docker login that can't be used, and why",
        arguments: [
            (
                #"{"auths":{"HOST":{"auth":"QVdTOng="}}}"#,
                "(HOST in FILE), which is not used: it is a 12-hour password"
            ),
            (
                #"{"credHelpers":{"HOST":"ecr-login"}}"#,
                "(credHelpers in FILE names docker-credential-ecr-login), which is not used: the helper itself needs AWS"
            ), (#"{"auths":{"r.example":{"auth":"QVdTOng="}}}"#, nil), ("broken", nil), (nil, nil),
        ] as [(String?, String?)]
    )
    func unusedLogin(config: String?, words: String?) async throws {
        try await withScratchDirectory { folder in
            let host = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
            if let config { try write(config.replacing("HOST", with: host), to: "\(folder)/config.json") }
            let aws = RecordingAWS(proxyEndpoint: localProxy)
            let opener = opener(
                aws,
                ["AWS_ACCESS_KEY_ID": "", "AWS_EC2_METADATA_DISABLED": "true", "DOCKER_CONFIG": folder]
            )
            let error = await #expect(throws: CopyError.self) { try await open(opener, "\(host)/team/app") }
            let cause = try #require(error?.cause)
            #expect(cause.hasPrefix("there are no AWS credentials"))
            let file = "\(folder)/config.json"
            if let words {
                #expect(cause.contains(words.replacing("HOST", with: host).replacing("FILE", with: file)), "\(cause)")
            } else {
                #expect(!cause.contains("docker"), "\(cause)")
            }
            #expect(error?.remedy.contains("AWS_ACCESS_KEY_ID") == true && aws.operations.isEmpty)
        }
    }

    @Test("An empty blob is refused before an upload is opened")
    func emptyBlob() async throws {
        let aws = RecordingAWS(proxyEndpoint: localProxy)
        let repository = try await open(opener(aws, local), "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
        let empty = Descriptor(mediaType: .ociLayer, digest: .ofNothing, size: 0)
        for attempt in [0, 1] {
            let error = await #expect(throws: CopyError.self) {
                if attempt == 0 { _ = try await repository.missing([empty]) }
                _ = try await repository.receive(SentBlob(empty))
            }
            #expect(error?.reason == .emptyBlob(.ofNothing))
        }
        #expect(aws.operations.isEmpty)
    }

    @Test("A layer missing at the source is named")
    func lostLayer() async throws {
        let body = #"{"__type":"LayersNotFoundException","message":"no such layer"}"#
        let aws = RecordingAWS(proxyEndpoint: localProxy, refusing: ["GetDownloadUrlForLayer": (400, body)])
        let repository = try await open(opener(aws, local), "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app")
        let error = await #expect(throws: CopyError.self) { _ = try await repository.source(of: blob) }
        #expect(error?.reason == .blobMissing(blob.digest) && error?.operation == "GetDownloadUrlForLayer")
    }
}

@Suite("Registry endpoints")
struct RegistryHostTests {
    private func url(_ proxy: String, api: String) throws -> String {
        let host = try #require(try ECRHost(authority: "111122223333.dkr.ecr.eu-west-1.amazonaws.com"))
        return try RegistryHost.url(proxyEndpoint: proxy, for: host, apiEndpoint: HTTPURL(api)).text
    }

    @Test(
        "The endpoint is the token's proxyEndpoint with the reference's account",
        arguments: [
            (
                "http://999988887777.dkr.ecr.eu-west-1.localhost:4566", "http://127.0.0.1:4566",
                "http://111122223333.dkr.ecr.eu-west-1.localhost:4566/"
            ),
            ("http://127.0.0.1:5001", "http://127.0.0.1:4566", "http://127.0.0.1:5001/"),
            ("registry.test", "https://api.test", "https://registry.test/"),
            ("https://999988887777.registry.test", "https://api.test", "https://111122223333.registry.test/"),
            (
                "https://999988887777.dkr.ecr.eu-west-1.amazonaws.com", "https://vpce-1.ecr.test",
                "https://111122223333.dkr.ecr.eu-west-1.amazonaws.com/"
            ),
        ]
    )
    func named(_ proxy: String, _ api: String, _ wanted: String) throws {
        #expect(try url(proxy, api: api) == wanted)
    }

    @Test(
        "An endpoint to which a token should not be sent is refused",
        arguments: [
            ("", "http://127.0.0.1:4566", "names no registry"),
            ("https://999988887777.dkr.ecr.eu-west-1.amazonaws.com", "http://127.0.0.1:4566", "is AWS"),
            ("https://999988887777.dkr.ecr.eu-west-1.amazonaws.com", "http://ecr.localhost:4566", "is AWS"),
            (
                "https://999988887777.dkr.ecr.us-east-1.amazonaws.com", "https://vpce-1.ecr.test",
                "registry in us-east-1"
            ),
            ("http://999988887777.dkr.ecr.us-east-1.localhost:1", "http://127.0.0.1:1", "registry in us-east-1"),
        ]
    )
    func refused(_ proxy: String, _ api: String, _ words: String) throws {
        let error = try #require(#expect(throws: WireError.self) { try url(proxy, api: api) })
        #expect(error.reason == .badURL && error.detail.contains(words), "\(error)")
    }
}

import AWSIdentity
import Content
import ECRAPI
import FoundationEssentials
import HTTPTypes
import Platform
import TestInputs
import TestPrograms
import Testing
import Wire

/// ministack checks signatures, trust policies and identity policies with code that this project doesn't share.
@Suite("ministack, which checks identities", .timeLimit(.minutes(1)), .needs(.ministack))
struct MinistackTests {
    /// A change of one byte that a proxy could make to a request.
    private enum Change: String, CaseIterable {
        case body, signature, date, target, contentType, region, service, keyID, query, signedHeaders

        @Sendable func apply(_ request: inout WireRequest) {
            let authorization = request.fields[.authorization] ?? ""
            func replace(_ text: String, _ other: String) {
                request.fields[.authorization] = authorization.replacing(text, with: other)
            }
            func change(_ name: HTTPField.Name?, at offset: Int? = nil) {
                guard let name, let value = request.fields[name] else { return }
                request.fields[name] = value.changed(at: offset ?? value.count - 1)
            }
            switch self {
            case .body: request.body[request.body.count / 2] ^= 1
            case .signature: change(.authorization)
            case .date: change(Self.amzDate, at: 14)
            case .target: change(Self.amzTarget)
            case .contentType: change(.contentType)
            case .region: replace("/eu-west-1/", "/eu-west-2/")
            case .service: replace("/ecr/aws4_request", "/ecs/aws4_request")
            case .keyID: change(.authorization, at: "AWS4-HMAC-SHA256 Credential=".count + 6)
            case .query: request.url = request.url.appending(query: "x")
            case .signedHeaders: replace("SignedHeaders=content-type;", "SignedHeaders=")
            }
        }

        private static let amzDate = HTTPField.Name("X-Amz-Date")
        private static let amzTarget = HTTPField.Name("X-Amz-Target")
    }

    @Test("accepts our signatures, and refuses them if a byte is changed")
    func signatures() async throws {
        try await LocalCloud.ministack { cloud in
            let account = try AccountID(parsing: Cloud.build)
            let describe = DescribeRepositories(registryId: account)
            let user = try await cloud.user(in: Cloud.build)
            let resolver = try cloud.resolver("", user)
            #expect(try await cloud.sts(resolver).getCallerIdentity().account == Cloud.build)
            let name = try RepositoryName(parsing: "team/app")
            let made = try await cloud.ecr(resolver).send(CreateRepository(registryId: account, repositoryName: name))
            #expect(made.repository.registryId == account)
            #expect(try await cloud.ecr(resolver).send(describe).repositories.map(\.repositoryName) == [name])

            for change in Change.allCases {
                let sender = ChangingSender(transport: cloud.transport, change: change.apply)
                let error = await #expect(throws: ECRError.self, "\(change)") {
                    try await cloud.ecr(resolver, sender: sender).send(describe)
                }
                let code = error?.code.rawValue ?? ""
                #expect(Self.refusals.contains(code), "\(change): \(code)")
                guard change == .body || change == .signature else { continue }
                let refused = await #expect(throws: STSError.self, "\(change)") {
                    try await cloud.sts(resolver, sender: sender).getCallerIdentity()
                }
                #expect(refused?.code == "SignatureDoesNotMatch")
            }
            reportCases("requests that ministack refused for one byte", Change.allCases.count + 2)

            let wrong = try cloud.resolver("", user.merging(["AWS_SECRET_ACCESS_KEY": "another"]) { $1 })
            let error = await #expect(throws: ECRError.self) { try await cloud.ecr(wrong).send(describe) }
            #expect(error?.code.rawValue == "InvalidSignatureException")
            #expect(
                error.map { "\($0)" }?.contains("aws4_request") == false,
                "the canonical request stays out of errors"
            )
        }
    }

    /// The codes for a wrong signature, for an unknown key, and for another service.
    private static let refusals: Set<String> = [
        "InvalidSignatureException", "SignatureDoesNotMatch", "UnrecognizedClientException",
        "IncompleteSignatureException",
    ]

    @Test("corrects the clock of a machine that is hours off, once")
    func clock() async throws {
        try await LocalCloud.ministack { cloud in
            let user = try await cloud.user(in: Cloud.build)
            for hours in [-3.0, 20] {
                let sent = Lock(0)
                let counting = ChangingSender(transport: cloud.transport) { _ in sent.withLock { $0 += 1 } }
                let resolver = try cloud.resolver("", user, sender: counting) { Date() + hours * 3_600 }
                _ = try await cloud.sts(resolver, sender: counting).getCallerIdentity()
                #expect(sent.withLock { $0 } == 2)
                let describe = DescribeRepositories(registryId: try AccountID(parsing: Cloud.build))
                _ = try await cloud.ecr(resolver, sender: counting).send(describe)
                #expect(sent.withLock { $0 } == 3, "ECR is signed by what STS said")
            }
        }
    }

    /// The role `hub` of the build account may assume production's `promoter` with the external id.
    private static func config(_ user: [String: String], externalID: String?) -> String {
        """
        [profile build]
        aws_access_key_id = \(user["AWS_ACCESS_KEY_ID"] ?? "")
        aws_secret_access_key = \(user["AWS_SECRET_ACCESS_KEY"] ?? "")
        [profile hub]
        role_arn = arn:aws:iam::\(Cloud.build):role/hub
        source_profile = build
        [profile promoter]
        role_arn = \(Cloud.promoter)
        source_profile = hub
        \(externalID.map { "external_id = \($0)" } ?? "")
        """
    }

    /// Creates the build account's `hub`, and production's `promoter`, which only `hub` may assume, with the external
    /// id.
    private func makeRoles(_ cloud: LocalCloud) async throws {
        func make(
            _ name: String,
            in account: String,
            trusting principal: String,
            if condition: String = "",
            allowing action: String
        ) async throws {
            let trust = """
                {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"\(principal)"},\
                "Action":"sts:AssumeRole"\(condition)}]}
                """
            let policy = """
                {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"\(action)","Resource":"*"}]}
                """
            let role = ["RoleName": name]
            _ = try await cloud.iam("CreateRole", as: account, role.merging(["AssumeRolePolicyDocument": trust]) { $1 })
            let inline = ["PolicyName": "all", "PolicyDocument": policy]
            _ = try await cloud.iam("PutRolePolicy", as: account, role.merging(inline) { $1 })
        }
        let root = "arn:aws:iam::\(Cloud.build):root"
        try await make("hub", in: Cloud.build, trusting: root, allowing: "sts:AssumeRole")
        try await make(
            "promoter",
            in: Cloud.production,
            trusting: "arn:aws:iam::\(Cloud.build):role/hub",
            if: #","Condition":{"StringEquals":{"sts:ExternalId":"ex-1"}}"#,
            allowing: "ecr:*"
        )
    }

    @Test("allows a chain of roles into another account only with the right external id")
    func promotion() async throws {
        try await LocalCloud.ministack { cloud in
            let user = try await cloud.user(in: Cloud.build)
            try await makeRoles(cloud)
            let resolver = try cloud.resolver(Self.config(user, externalID: "ex-1"))
            let caller = try await cloud.sts(resolver, profile: "promoter").getCallerIdentity()
            #expect(caller.account == Cloud.production)
            #expect(caller.arn.hasPrefix("arn:aws:sts::\(Cloud.production):assumed-role/promoter/ecr-replicate-"))

            let production = try AccountID(parsing: Cloud.production)
            let name = try RepositoryName(parsing: "prod/app")
            let promoter = try cloud.ecr(resolver, profile: "promoter")
            let made = try await promoter.send(CreateRepository(registryId: production, repositoryName: name))
            #expect(made.repository.registryId == production)
            let image = try Manifest(bytes: Array(Self.manifest.utf8))
            let put = try await promoter.send(
                PutImage(registryId: production, repositoryName: name, manifest: image, tag: Tag(parsing: "v1"))
            )
            #expect(put.image.imageId?.imageDigest == image.digest.description)
            let build = try cloud.ecr(resolver, profile: "build")
            let own = try await build.send(DescribeRepositories(registryId: AccountID(parsing: Cloud.build)))
            #expect(own.repositories.isEmpty, "the build account has none of its own")

            for wrong in ["ex-2", nil] {
                let stranger = try cloud.resolver(Self.config(user, externalID: wrong))
                let error = await #expect(throws: IdentityError.self) {
                    try await cloud.sts(stranger, profile: "promoter").getCallerIdentity()
                }
                #expect(
                    error?.problem.hasPrefix("the role \(Cloud.promoter) could not be assumed: AccessDenied") == true
                )
                #expect(error.map { "\($0)" }?.contains("ex-2") == false)
                #expect(error?.remedy.contains("external id") == true)
            }
        }
    }

    @Test("stores an image that is promoted by such a chain, and nothing with another external id", .needs(.umoci))
    func command() async throws {
        try await LocalCloud.ministack { cloud in
            let user = try await cloud.user(in: Cloud.build)
            try await makeRoles(cloud)
            let layout = "\(cloud.directory)/layout"
            let script =
                "umoci init --layout $1 && umoci new --image $1:v1 && umoci insert --rootless --image $1:v1 $2 /x"
            try write("some bytes", to: "\(cloud.directory)/file")
            let made = try await run(.shell, ["-c", script, "sh", layout, "\(cloud.directory)/file"])
            try #require(made.exitCode == 0, "\(made.errors)")
            // ministack takes the account from the host's name; AWS takes it from the token.
            let port = cloud.endpoint.split(separator: ":").last ?? ""
            let registry = "http://\(Cloud.production).dkr.ecr.\(LocalCloud.region).localhost:\(port)"
            let place = "\(Cloud.production).dkr.ecr.\(LocalCloud.region).amazonaws.com/prod/app:v1"

            func promote(externalID: String?) async throws -> Ended {
                let file = "\(cloud.directory)/\(UUID().uuidString)"
                try write(Self.config(user, externalID: externalID), to: file)
                return try await run(
                    .ecrReplicate,
                    [
                        "promote", "oci:\(layout):v1", place, "--create-repository", "defaults",
                        "--destination-profile",
                        "promoter", "--destination-registry-endpoint", registry,
                    ],
                    environment: ["AWS_CONFIG_FILE": file, "AWS_ENDPOINT_URL": cloud.endpoint]
                )
            }
            for wrong in ["ex-2", nil] {
                let refused = try await promote(externalID: wrong)
                #expect(refused.exitCode == 4, "\(refused.errors)")
                #expect(refused.errors.contains("AccessDenied"), "\(refused.errors)")
                #expect(!refused.errors.contains("ex-2"))
            }
            let promoted = try await promote(externalID: "ex-1")
            #expect(promoted.exitCode == 0, "\(promoted.errors)")
            #expect(promoted.lines.count == 1 && promoted.output.hasPrefix("\(place)@sha256:"))
            let caller = "caller: arn:aws:sts::\(Cloud.production):assumed-role/promoter/ecr-replicate-"
            #expect(promoted.errors.contains(caller), "\(promoted.errors)")
            let again = try await promote(externalID: "ex-1")
            #expect(again.exitCode == 0 && again.output == promoted.output, "\(again.errors)")
        }
    }

    static let manifest = """
        {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":\
        "application/vnd.oci.image.config.v1+json","digest":\
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2},"layers":[]}
        """
}

extension String {
    /// Returns the text with another character at an offset.
    fileprivate func changed(at offset: Int) -> String {
        var text = self
        let place = text.index(startIndex, offsetBy: offset)
        text.replaceSubrange(place...place, with: self[place] == "1" ? "2" : "1")
        return text
    }
}

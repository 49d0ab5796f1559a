import AWSIdentity
import Content
import ECRAPI
import FoundationEssentials
import HTTPTypes
import Logging
import TestPrograms
import Wire

/// Another project's emulator of AWS while it runs: all services and accounts are on one port of this machine.
struct LocalCloud {
    static let region = "eu-west-1"

    let endpoint: String
    let transport: Transport
    /// A directory for files.
    let directory: String

    /// ministack, which checks every signature except the root user's, whose key id is the account's.
    static func ministack(_ body: (LocalCloud) async throws -> Void) async throws {
        // Port 0 means any free port.
        let variables = [
            "AUTH": "true", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": "0", "IOT_MTLS_ENABLED": "0",
        ]
        try await run(.ministack, ["-m", "ministack.app"], variables, body)
    }

    /// moto, which accepts every signature, and takes the account from an assumed role's key.
    static func moto(_ body: (LocalCloud) async throws -> Void) async throws {
        try await run(.moto, ["-m", "moto.server", "-H", "127.0.0.1", "-p", "0"], [:], body)
    }

    private static func run(
        _ program: Program,
        _ arguments: [String],
        _ variables: [String: String],
        _ body: (LocalCloud) async throws -> Void
    ) async throws {
        try await withScratchDirectory { directory in
            let environment = variables.merging(["TMPDIR": directory, "PYTHONUNBUFFERED": "1"]) { $1 }
            _ = try await withChild(program, arguments, environment: environment, directory: directory) { child in
                let line = try await child.errors.first { $0.contains("Running on http://127.0.0.1:") }
                let port = line.split(separator: "http://127.0.0.1:").last?.prefix(while: \.isNumber) ?? ""
                try await withTransport { transport in
                    try await body(
                        LocalCloud(endpoint: "http://127.0.0.1:\(port)", transport: transport, directory: directory)
                    )
                }
            }
        }
    }

    /// Returns a resolver on a machine with that config file.
    func resolver(
        _ config: String = "",
        _ variables: [String: String] = [:],
        sender: (any HTTPSending)? = nil,
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws -> IdentityResolver {
        let home = "\(directory)/\(UUID().uuidString)"
        try makeDirectory("\(home)/.aws")
        try write(config, to: "\(home)/.aws/config")
        return IdentityResolver(
            environment: AWSEnvironment(
                variables: variables.merging(["AWS_ENDPOINT_URL": endpoint]) { $1 },
                home: home
            ),
            sender: sender ?? transport,
            retry: RetryPolicy(attempts: 1),
            logger: Self.silent,
            now: now
        )
    }

    /// Returns a client for ECR's API with a profile's identity.
    func ecr(
        _ resolver: IdentityResolver,
        profile: String? = nil,
        sender: (any HTTPSending)? = nil
    ) throws -> ECRClient {
        let options = IdentityOptions(profile: profile)
        return ECRClient(
            endpoint: try resolver.endpoint(.ecr, region: Self.region, options: options).url,
            region: Self.region,
            credentials: try resolver.provider(for: options, stsRegion: Self.region),
            sender: sender ?? transport,
            retry: RetryPolicy(attempts: 1),
            logger: Self.silent,
            clocks: resolver.clocks
        )
    }

    func sts(
        _ resolver: IdentityResolver,
        profile: String? = nil,
        sender: (any HTTPSending)? = nil
    ) throws -> STSClient {
        let options = IdentityOptions(profile: profile)
        return STSClient(
            endpoint: try resolver.endpoint(.sts, region: Self.region, options: options).url,
            region: Self.region,
            credentials: try resolver.provider(for: options, stsRegion: Self.region),
            sender: sender ?? transport,
            retry: RetryPolicy(attempts: 1),
            clocks: resolver.clocks
        )
    }

    /// Creates a user who may do everything, and returns the user's keys as variables.
    func user(in account: String) async throws -> [String: String] {
        let user = ["UserName": "tester"]
        _ = try await iam("CreateUser", as: account, user)
        let all = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#
        _ = try await iam(
            "PutUserPolicy",
            as: account,
            user.merging(["PolicyName": "all", "PolicyDocument": all]) { $1 }
        )
        let answer = try await iam("CreateAccessKey", as: account, user)
        func text(_ tag: String) -> String {
            String((answer.split(separator: "<\(tag)>").last ?? "").prefix { $0 != "<" })
        }
        return ["AWS_ACCESS_KEY_ID": text("AccessKeyId"), "AWS_SECRET_ACCESS_KEY": text("SecretAccessKey")]
    }

    /// Calls an operation of IAM as an account's root user.
    func iam(_ action: String, as account: String, _ parameters: [String: String]) async throws -> String {
        let form = parameters.merging(["Action": action, "Version": "2010-05-08"]) { $1 }
            .map { "\($0)=\($1.utf8.map { "%" + hexadecimal([$0]) }.joined())" }
            .joined(separator: "&")
        var request = WireRequest(.post, try HTTPURL(endpoint), body: Array(form.utf8))
        request.fields[.contentType] = "application/x-www-form-urlencoded"
        let keys = AWSCredentials(accessKeyID: account, secretAccessKey: "test", source: "test")
        RequestSigner(service: "iam", region: "us-east-1").sign(&request, with: keys, at: Date())
        let answer = try await transport.send(request)
        guard answer.status == .ok else { throw ChildError("\(action): \(answer.excerpt())") }
        return answer.excerpt(4_096)
    }

    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// A sender that changes requests after they were signed, and records what it sends.
struct ChangingSender: HTTPSending {
    let transport: any HTTPSending
    let change: @Sendable (inout WireRequest) -> Void

    func send(_ request: WireRequest) async throws -> WireResponse {
        var request = request
        change(&request)
        return try await transport.send(request)
    }
}

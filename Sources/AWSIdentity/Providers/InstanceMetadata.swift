internal import FoundationEssentials
internal import HTTPTypes
internal import Logging
internal import Wire

/// A client of the metadata service, which gives an EC2 instance the keys of its role.
///
/// It requests a session token first (IMDSv2). It requests keys without a token (IMDSv1) only if the service doesn't know
/// such tokens or doesn't answer, as when the hop limit of 1 keeps the answer from a container, and only if IMDSv1 isn't
/// disabled. botocore also does so after any other answer except 400, for example after 500.
///
/// - Source: docs/facts/identity.md#instance-metadata; botocore 1.x, `utils.py`, `IMDSFetcher`
struct InstanceMetadata: Sendable {
    let endpoint: HTTPURL
    let context: ProviderContext
    /// The clock of STS, by which the keys expire.
    private let clock: ServiceClock
    private let deadline: Duration
    private let attempts: Int
    private let allowsIMDSv1: Bool

    static let disabledVariable = "AWS_EC2_METADATA_DISABLED"
    private static let endpoints = ["ipv4": "http://169.254.169.254", "ipv6": "http://[fd00:ec2::254]"]
    /// The lifetime of a session token, in seconds.
    private static let tokenLifetime = "21600"
    private static let rolePath = "/latest/meta-data/iam/security-credentials/"

    /// Reads the settings from the environment and the profile.
    ///
    /// - Throws: ``IdentityError`` when a setting is invalid.
    init(_ context: ProviderContext, _ profile: SharedConfig.Profile?, clock: ServiceClock) throws {
        self.context = context
        self.clock = clock
        func setting(_ variable: String, _ key: String) -> String? {
            context.environment[variable] ?? profile?[key]
        }
        let mode = setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode") ?? "ipv4"
        guard let usual = Self.endpoints[mode.lowercased()] else {
            throw IdentityError(
                "'\(mode.prefix(40))' is not a mode of the instance metadata service",
                remedy: "set AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE to IPv4 or IPv6"
            )
        }
        let named = setting("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")
        do {
            endpoint = try HTTPURL(named ?? usual)
        } catch {
            throw IdentityError(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT is not a URL: \(error.detail)",
                remedy: "write it as http://169.254.169.254"
            )
        }
        let seconds = setting("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout").flatMap { Double($0) } ?? 1
        deadline = .seconds(min(max(seconds, 0.01), 300))
        let times = setting("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts").flatMap { Int($0) }
        attempts = min(max(times ?? 1, 1), 20)
        allowsIMDSv1 =
            setting("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled")?.lowercased() != "true"
    }

    /// Requests the keys of the instance's role.
    ///
    /// - Throws: ``Absence`` if the service doesn't answer or the instance has no role; `CancellationError`.
    func credentials() async throws -> AWSCredentials {
        let token = try await token()
        let roles = try await get(Self.rolePath, token)
        if token == nil, roles.status == .unauthorized {
            throw Absence(
                "requires a token, and its answer to the request for one is lost",
                remedy: Self.hopAdvice
            )
        }
        let named = String(decoding: roles.body, as: UTF8.self).split(whereSeparator: \.isNewline).first
        // A text that isn't a role name comes from another server, and may quote the token.
        guard roles.status.code == 200, let role = named.map({ roles.secrets.cut(from: String($0)) }), Self.isName(role)
        else {
            throw Absence(
                roles.status.code == 404
                    ? "the instance has no role" : "answered \(roles.status.code) to the request for the role"
            )
        }
        let answer = try await get(Self.rolePath + percentEncoded(role.utf8), token)
        guard answer.status.code == 200,
            let credentials = RoleKeys(answer.body)?.credentials(source: "instance role \(role)")
        else {
            throw Absence(
                "answered \(answer.status.code)\(RoleKeysRefusal.summary(of: answer)) for the role \(role)",
                remedy: RoleKeysRefusal.code(answer) == Self.untrusted ? Self.trustAdvice(role) : nil
            )
        }
        return credentials.extended(
            ifExpiringWithin: RefreshingCredentials.mandatory,
            by: clock,
            from: "the instance metadata service",
            context.logger
        )
    }

    /// The service's error code when EC2 may not assume the instance's role.
    ///
    /// - Source: EC2 User Guide, "Troubleshoot: AssumeRoleUnauthorizedAccess" (iam/info and security-credentials)
    private static let untrusted = "AssumeRoleUnauthorizedAccess"

    private static func trustAdvice(_ role: String) -> String {
        "allow the principal ec2.amazonaws.com in the trust policy of the role \(role) (`aws iam get-role --role-name "
            + "\(role)` shows it), and check that the role was not deleted and created again; the instance gets keys "
            + "some minutes later"
    }

    /// The remedy for a lost answer to a token request: it may travel one hop only, and a container's network is
    /// another.
    ///
    /// - Source: EC2 User Guide, "Configure the Instance Metadata Service options";
    ///   github.com/awslabs/amazon-ecr-credential-helper/issues/323
    private static let hopAdvice =
        "with a hop limit of 1 a container never gets the token: raise the limit with `aws ec2 "
        + "modify-instance-metadata-options --instance-id INSTANCE --http-put-response-hop-limit 2 --http-endpoint enabled`, "
        + "or run the container in the host's network"

    /// Whether a text may be the name of a role.
    ///
    /// - Source: IAM API Reference, `RoleName`
    private static func isName(_ text: String) -> Bool {
        (1...64).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy(STSClient.AssumeRole.sessionCharacters.contains)
    }

    /// Requests a session token.
    ///
    /// - Returns: `nil` if keys are to be requested without a token.
    private func token() async throws -> String? {
        var request = request(.put, "/latest/api/token")
        if let name = HTTPField.Name("x-aws-ec2-metadata-token-ttl-seconds") {
            request.fields[name] = Self.tokenLifetime
        }
        do {
            let response = try await send(request)
            switch response.status.code {
            case 200 where response.body.isEmpty:
                return try withoutToken("answered the request for a token without one")
            case 200: return String(decoding: response.body, as: UTF8.self)
            case 403, 404, 405: return try withoutToken("answered \(response.status.code) to the request for a token")
            default: throw Absence("answered \(response.status.code) to the request for a token")
            }
        } catch let error as WireError {
            guard [.deadline, .stalled].contains(error.reason) else { throw Absence("\(error)") }
            return try withoutToken("\(error)", remedy: Self.hopAdvice)
        }
    }

    private func withoutToken(_ problem: String, remedy: String? = nil) throws -> String? {
        guard allowsIMDSv1 else {
            throw Absence("\(problem), and AWS_EC2_METADATA_V1_DISABLED forbids requests without one", remedy: remedy)
        }
        return nil
    }

    private func get(_ path: String, _ token: String?) async throws -> WireResponse {
        var request = request(.get, path)
        if let token, let name = HTTPField.Name("x-aws-ec2-metadata-token") { request.fields[name] = token }
        do {
            return try await send(request)
        } catch let error as WireError {
            throw Absence("\(error)")
        }
    }

    private func request(_ method: HTTPRequest.Method, _ path: String) -> WireRequest {
        var request = WireRequest(method, endpoint.at(path: path), deadline: deadline)
        request.bypassesProxy = true
        request.allowsPlainHTTP = true
        request.fields[.userAgent] = UserAgent.value
        return request
    }

    /// Sends a request, with as many attempts as configured; by default one, since most machines aren't EC2 instances.
    private func send(_ request: WireRequest) async throws -> WireResponse {
        var attempt = 1
        while true {
            do {
                let response = try await context.sender.answer(to: request)
                guard response.status.code >= 500, attempt < attempts else { return response }
            } catch let error as WireError {
                guard attempt < attempts else { throw error }
            }
            attempt += 1
        }
    }

    /// The reason why the service gave no keys.
    struct Absence: Error {
        let problem: String
        /// The remedy, if the service's answers tell one.
        let remedy: String?

        init(_ problem: String, remedy: String? = nil) { (self.problem, self.remedy) = (problem, remedy) }
    }
}

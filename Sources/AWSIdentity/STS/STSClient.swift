internal import Content
public import FoundationEssentials
internal import HTTPTypes
internal import Logging
public import Wire

/// The account, ARN and user id of a set of credentials, as STS reports them.
public struct CallerIdentity: Sendable, Hashable {
    public let account: String
    public let arn: String
    public let userID: String
}

/// An error that STS answered.
public struct STSError: Error, Sendable, Equatable {
    public let operation: String
    /// STS's code, for example `AccessDenied`; the HTTP status if the answer isn't from STS.
    public let code: String
    public let message: String
    public let status: Int
    public let requestID: String?
    let retryAfter: Duration?
    /// The advice for signing keys whose form shows that they don't belong together.
    package var pairingAdvice: String?
}

extension STSError: CustomStringConvertible {
    public var description: String {
        "\(operation): \(code): \(message)" + (requestID.map { " (request \($0))" } ?? "")
    }
}

extension STSError: RetryAdvising {
    /// - Source: docs/facts/quotas.md#retries
    public var retryAdvice: RetryAdvice {
        let isTransient =
            status == 429 || status >= 500 || code == Self.unreadable
            || [
                "Throttling", "ThrottlingException", "RequestLimitExceeded", "RequestTimeout",
                "RequestTimeoutException", "IDPCommunicationError", "SlowDown", "TooManyRequestsException",
            ].contains(code)
        guard isTransient else { return .never }
        return retryAfter.map { .wait($0) } ?? .backOff
    }
}

/// A client of AWS's Security Token Service, with the calls that this program needs.
///
/// - Source: docs/facts/identity.md#sts
public struct STSClient: Sendable {
    /// The parameters of a request to assume a role.
    public struct AssumeRole: Sendable, Hashable {
        public var roleARN: String
        /// - Limit: 2 to 64 of `[A-Za-z0-9_+=,.@-]`.
        public var sessionName: String
        public var externalID: String?
        /// In seconds, 900 to 43,200; at most 3,600 if a role assumes a role; `nil` is STS's default, an hour.
        public var duration: Int?
        /// The MFA device whose code opens the session.
        public var serialNumber: String?
        /// The code that the device shows now: six digits.
        var tokenCode: String?

        public init(
            roleARN: String,
            sessionName: String,
            externalID: String? = nil,
            duration: Int? = nil,
            serialNumber: String? = nil
        ) {
            self.roleARN = roleARN
            self.sessionName = sessionName
            self.externalID = externalID
            self.duration = duration
            self.serialNumber = serialNumber
        }
    }

    private let endpoint: HTTPURL
    private let credentials: any CredentialsProviding
    private let sender: any HTTPSending
    private let retry: RetryPolicy
    private let signer: RequestSigner
    /// The clock of STS, by which the keys expire.
    let clock: ServiceClock

    /// - Parameter clocks: The clocks to share; without them the client learns the time anew, starting from `now`.
    public init(
        endpoint: HTTPURL,
        region: String,
        credentials: any CredentialsProviding,
        sender: any HTTPSending,
        retry: RetryPolicy,
        now: @escaping @Sendable () -> Date = { Date() },
        clocks: ServiceClocks? = nil
    ) {
        self.endpoint = endpoint
        self.credentials = credentials
        self.sender = sender
        self.retry = retry
        clock = (clocks ?? ServiceClocks(now)).clock(of: endpoint)
        signer = RequestSigner(service: "sts", region: region)
    }

    /// Assumes a role, for an hour or the requested duration.
    ///
    /// - Throws: ``STSError``, `WireError`, or the ``IdentityError`` of the signing credentials.
    public func assumeRole(_ role: AssumeRole) async throws -> AWSCredentials {
        var parameters = [("RoleArn", role.roleARN), ("RoleSessionName", role.sessionName)]
        if let duration = role.duration { parameters.append(("DurationSeconds", String(duration))) }
        if let externalID = role.externalID { parameters.append(("ExternalId", externalID)) }
        if let serial = role.serialNumber { parameters.append(("SerialNumber", serial)) }
        if let code = role.tokenCode { parameters.append(("TokenCode", code)) }
        let secrets = [role.externalID, role.tokenCode].compactMap { $0 }
        return try await send("AssumeRole", parameters, keeping: secrets) {
            Self.session("AssumeRoleResult/", $0, role)
        }
    }

    /// Assumes a role with a token of an identity provider that the role trusts, by an unsigned request.
    ///
    /// - Throws: ``STSError``, `WireError`.
    func assumeRoleWithWebIdentity(_ role: AssumeRole, token: String) async throws -> AWSCredentials {
        let parameters = [
            ("RoleArn", role.roleARN), ("RoleSessionName", role.sessionName), ("WebIdentityToken", token),
        ]
        return try await send("AssumeRoleWithWebIdentity", parameters, keeping: [token], isSigned: false) {
            Self.session("AssumeRoleWithWebIdentityResult/", $0, role)
        }
    }

    private static func session(_ result: String, _ answer: STSAnswer, _ role: AssumeRole) -> AWSCredentials? {
        let keys = result + "Credentials/"
        guard let id = answer[keys + "AccessKeyId"], let secret = answer[keys + "SecretAccessKey"],
            let token = answer[keys + "SessionToken"],
            let expiration = answer[keys + "Expiration"].flatMap(AWSTime.parse)
        else { return nil }
        return AWSCredentials(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: token,
            expiration: expiration,
            accountID: answer[result + "AssumedRoleUser/Arn"].flatMap { ARN($0)?.account },
            source: "role \(role.roleARN)"
        )
    }

    /// Returns the identity of the credentials; the call needs no permission.
    ///
    /// - Throws: ``STSError``, `WireError`, ``IdentityError``.
    public func getCallerIdentity() async throws -> CallerIdentity {
        try await send("GetCallerIdentity", []) { answer in
            let result = "GetCallerIdentityResult/"
            guard let account = answer[result + "Account"], let arn = answer[result + "Arn"] else { return nil }
            return CallerIdentity(account: account, arn: arn, userID: answer[result + "UserId"] ?? "")
        }
    }

    private func send<Value: Sendable>(
        _ action: String,
        _ parameters: [(String, String)],
        keeping secrets: [String] = [],
        isSigned: Bool = true,
        _ read: (STSAnswer) -> Value?
    ) async throws -> Value {
        let form = ([("Action", action)] + parameters + [("Version", "2011-06-15")])
            .sorted { $0.0 < $1.0 }
            .map { "\($0.0)=\(percentEncoded($0.1.utf8))" }
            .joined(separator: "&")
        return try await retry.run { _ in
            var mayCorrect = true
            var mayDiscard = isSigned
            while true {
                let keys = isSigned ? try await credentials.credentials() : nil
                // The time is read after the keys are there: fetching them may take minutes, or correct the clock.
                let time = clock.now()
                let response = try await sender.answer(to: request(form, keeping: secrets, at: time, signedWith: keys))
                if !isSigned { clock.learn(from: response) }
                let answer = STSAnswer(response.body)
                if response.status.kind == .successful, let value = answer.flatMap(read) { return value }
                var error = STSError(action, response, answer)
                error.pairingAdvice = keys?.pairingAdvice
                if mayCorrect, clock.corrects(error.code, response, signedAt: time) {
                    mayCorrect = false
                } else if mayDiscard, let keys, Self.expiries.contains(error.code), await credentials.discard(keys) {
                    // STS decides about the expiry, not our clock.
                    mayDiscard = false
                } else {
                    throw error
                }
            }
        }
    }

    /// The codes with which STS refuses expired keys.
    private static let expiries: Set<String> = ["ExpiredToken", "ExpiredTokenException"]

    private func request(
        _ form: String,
        keeping secrets: [String],
        at time: Date,
        signedWith keys: AWSCredentials?
    ) -> WireRequest {
        var request = WireRequest(.post, endpoint, body: Array(form.utf8))
        request.secretsInBody = secrets
        // AWS's own endpoints always use https; the user named any other.
        request.allowsPlainHTTP = true
        request.fields[.contentType] = "application/x-www-form-urlencoded; charset=utf-8"
        request.fields[.userAgent] = UserAgent.value
        if let keys { signer.sign(&request, with: keys, at: time) }
        return request
    }
}

extension STSError {
    /// This program's own code for an incomplete answer.
    private static let unreadable = "UnreadableAnswer"

    init(_ action: String, _ response: WireResponse, _ answer: STSAnswer?) {
        operation = action
        status = response.status.code
        let isSuccess = response.status.kind == .successful
        // An incomplete document with the content type of XML was cut in transit.
        let isCut = answer == nil && response.fields[.contentType]?.contains("xml") == true
        code =
            (answer?["Error/Code"]).map { presentable($0, without: response.secrets) }
            ?? (isSuccess || isCut ? Self.unreadable : String(response.status.code))
        // An unreadable success may contain keys, so it is never quoted.
        message =
            isSuccess
            ? "the answer was not complete"
            : presentable(answer?["Error/Message"] ?? response.excerpt(), without: response.secrets)
        requestID =
            (answer?["RequestId"]).map { presentable($0, without: response.secrets) } ?? response.quoted(.amzRequestID)
        retryAfter = response.retryAfter
    }
}

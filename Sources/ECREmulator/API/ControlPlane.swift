internal import Content
internal import FoundationEssentials
internal import Platform

/// One call of ECR's API with a known caller.
struct APICall: Sendable {
    let aws: EmulatedAWS
    let operation: String
    let input: Parameters
    let caller: Principal
    let region: String
    /// The host with which the client addressed the API, with the port.
    var host = ""
    /// Whether a fault makes URLs that are issued now expire at once.
    var issuesExpiredURLs = false

    var key: RegistryKey { RegistryKey(account: input.registryId ?? caller.account, region: region) }

    /// The call's targets for permission checks: repositories, or a whole registry.
    ///
    /// - Throws: `InvalidParameterException`
    var targets: [(RegistryKey, String?)] {
        get throws(ServiceFault) {
            if let arn = input.resourceArn {
                let (key, name) = try Self.repository(named: arn)
                return [(key, name)]
            }
            // Without a registry id, the call is for the caller's own registry.
            let key = operation == "GetAuthorizationToken" ? RegistryKey(account: caller.account, region: region) : key
            if let names = input.repositoryNames, !names.isEmpty { return names.map { (key, $0) } }
            return [(key, input.repositoryName)]
        }
    }

    /// Changes the addressed repository.
    func change<Result>(_ body: (inout EmulatedRepository) throws -> Result) throws -> Result {
        let name = try input.required("repositoryName", \.repositoryName)
        return try aws.state.withLock { try $0.cloud.change(name, in: key, body) }
    }

    /// Creates a missing repository from a template, if one applies to pushes to it.
    func createOnPush() throws {
        guard let name = input.repositoryName else { return }
        let now = aws.now
        if try aws.state.withLock({ try $0.cloud.createOnPush(name, in: key, at: now) }) { aws.save() }
    }

    /// Returns the addressed repository.
    func repository() throws -> EmulatedRepository {
        let name = try input.required("repositoryName", \.repositoryName)
        return try aws.state.withLock { try $0.cloud.repository(name, in: key) }
    }
}

/// Serves ECR's JSON API over HTTP.
///
/// - Source: docs/facts/ecr-api.md#protocol
struct ControlPlane: Sendable {
    static let targetPrefix = "AmazonEC2ContainerRegistry_V20150921."

    let aws: EmulatedAWS

    func answer(_ exchange: Exchange, operation: String, issuesExpiredURLs: Bool) async throws -> Answer {
        let body = try await exchange.message()
        var answer: Answer
        do {
            answer = try call(exchange, operation, body, issuesExpiredURLs)
        } catch let fault as ServiceFault {
            answer = Self.answer(fault)
        }
        answer.bytesIn = Int64(body.count)
        return answer
    }

    static func answer(_ fault: ServiceFault) -> Answer {
        let type = fault.code
        let body = JSON.object(
            [.init(name: "__type", value: .text(type)), .init(name: "message", value: .text(fault.message))]
                + fault.details
        )
        var answer = Answer(
            status: fault.code == "ServerException" ? 500 : fault.status,
            headers: [("Content-Type", "application/x-amz-json-1.1")],
            body: .bytes(body.bytes),
            errorCode: fault.code
        )
        if let seconds = fault.retryAfter { answer.headers.append(("Retry-After", "\(seconds)")) }
        return answer
    }

    private func call(
        _ exchange: Exchange,
        _ operation: String,
        _ body: [UInt8],
        _ issuesExpiredURLs: Bool
    ) throws -> Answer {
        let (caller, claim) = try authenticate(exchange, body, aws: aws)
        guard claim.service == "ecr" else {
            throw ServiceFault("InvalidSignatureException", "Credential should be scoped to correct service: 'ecr'.")
        }
        let input = try Parameters(reading: body.isEmpty ? Array("{}".utf8) : body)
        if let id = input.registryId, (try? AccountID(parsing: id)) == nil {
            throw ServiceFault.invalidParameter(
                "registryId",
                "Member must satisfy regular expression pattern: [0-9]{12}"
            )
        }
        let call = APICall(
            aws: aws,
            operation: operation,
            input: input,
            caller: caller,
            region: claim.region,
            host: exchange.headers["host"] ?? "",
            issuesExpiredURLs: issuesExpiredURLs
        )
        var answer: Answer
        do {
            try permit(call)
            answer = Answer(
                status: 200,
                headers: [("Content-Type", "application/x-amz-json-1.1")],
                body: .bytes(try call.perform().bytes)
            )
        } catch let fault as ServiceFault {
            answer = Self.answer(fault)
        }
        answer.key = call.key
        answer.repository = input.repositoryName
        return answer
    }

    private func permit(_ call: APICall) throws {
        let now = aws.now
        let targets = try call.targets
        try aws.state.withLock { state in
            for (key, repository) in targets {
                if call.operation == "ListImageReferrers" {
                    // The operation has no action of its own (docs/facts/ecr-api.md#listimagereferrers), but a test may
                    // deny it by its name.
                    try state.permit("BatchGetImage", repository, in: key, by: call.caller)
                    guard !state.isDenied(call.operation, repository, to: call.caller) else {
                        throw EmulatorState.refusal(of: call.operation, repository, in: key, by: call.caller)
                    }
                } else {
                    try state.permit(call.operation, repository, in: key, by: call.caller)
                }
                if call.operation == "CreateRepository", call.input.tags?.isEmpty == false {
                    try state.permit("TagResource", repository, in: key, by: call.caller)
                }
            }
            let rate = aws.configuration.requestRates[call.operation]
            try state.spend(call.operation, in: call.key, rate: rate, now: now)
        }
    }
}

/// Verifies a request's signature and returns its caller.
///
/// - Throws: The faults of ``SignedRequest`` and ``Identities``.
func authenticate(
    _ exchange: Exchange,
    _ body: [UInt8],
    aws: EmulatedAWS
) throws -> (caller: Principal, claim: SignedRequest.Claim) {
    let request = SignedRequest(
        method: exchange.method,
        path: exchange.path,
        query: exchange.query,
        headers: exchange.headers,
        bodyHash: sha256Hex(body)
    )
    let claim = try request.claim()
    let now = aws.now
    let token = exchange.headers["x-amz-security-token"]
    let (secret, caller) = try aws.state.withLock {
        let known = try $0.identities.credentials(of: claim.accessKeyID, token: token, now: now)
        try $0.identities.admit(known.principal, to: claim.region)
        return known
    }
    if let host = ServiceHost(exchange.headers["host"] ?? ""), host.region != claim.region {
        throw ServiceFault(
            "InvalidSignatureException",
            "Credential should be scoped to a valid region, not '\(claim.region)'."
        )
    }
    try request.check(claim, secret: secret, now: now)
    return (caller, claim)
}

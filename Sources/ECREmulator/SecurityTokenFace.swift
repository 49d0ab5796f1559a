internal import Content
internal import FoundationEssentials
internal import Platform

/// STS over the query protocol: AssumeRole and GetCallerIdentity.
///
/// - Source: facts/ecr.md E.3
struct SecurityTokenFace: Sendable {
    let aws: EmulatedAWS

    static func operation(in body: [UInt8]) -> String {
        Exchange.decodeForm(String(decoding: body, as: UTF8.self)).first { $0.name == "Action" }?.value ?? "STS"
    }

    func answer(_ exchange: Exchange, body: [UInt8]) -> Answer {
        var answer: Answer
        do {
            let (caller, claim) = try authenticate(exchange, body, aws: aws)
            guard claim.service == "sts" else {
                throw ServiceFault("SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'.")
            }
            answer = Answer(
                status: 200,
                headers: [("Content-Type", "text/xml")],
                body: .bytes(Array(try perform(body, by: caller).utf8))
            )
            answer.key = RegistryKey(account: caller.account, region: claim.region)
        } catch let fault as ServiceFault {
            answer = Self.answer(fault)
        } catch {
            answer = Self.answer(ServiceFault("InternalFailure", "\(error)", status: 500))
        }
        answer.bytesIn = Int64(body.count)
        return answer
    }

    /// STS has other names than ECR for what is wrong with a signature.
    static func answer(_ fault: ServiceFault) -> Answer {
        let names = [
            "UnrecognizedClientException": ("InvalidClientTokenId", 403),
            "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
            "ExpiredTokenException": ("ExpiredToken", 403),
            "MissingAuthenticationTokenException": ("MissingAuthenticationToken", 403),
            "IncompleteSignatureException": ("IncompleteSignature", 403),
            "ThrottlingException": ("Throttling", 400),
        ]
        let (code, status) = names[fault.code] ?? (fault.code, fault.status)
        let xml =
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"
            + "<Type>\(status < 500 ? "Sender" : "Receiver")</Type><Code>\(escaped(code))</Code>"
            + "<Message>\(escaped(fault.message))</Message></Error>"
            + "<RequestId>\(UUID().uuidString.lowercased())</RequestId></ErrorResponse>"
        return Answer(
            status: status,
            headers: [("Content-Type", "text/xml")],
            body: .bytes(Array(xml.utf8)),
            errorCode: code
        )
    }

    private func perform(_ body: [UInt8], by caller: Principal) throws -> String {
        let form = Exchange.decodeForm(String(decoding: body, as: UTF8.self))
        func value(_ name: String) -> String? { form.first { $0.name == name }?.value }
        switch value("Action") {
        case "GetCallerIdentity":
            return Self.result(
                "GetCallerIdentity",
                "<Arn>\(Self.escaped(caller.arn))</Arn><UserId>\(Self.escaped(caller.userID))</UserId>"
                    + "<Account>\(caller.account)</Account>"
            )
        case "AssumeRole":
            let request = AssumeRoleRequest(
                roleARN: value("RoleArn") ?? "",
                sessionName: value("RoleSessionName") ?? "",
                externalID: value("ExternalId"),
                seconds: value("DurationSeconds").flatMap { Int($0) } ?? 3_600
            )
            let now = aws.now
            let (id, session) = try aws.state.withLock { try $0.identities.assume(request, by: caller, now: now) }
            return Self.result(
                "AssumeRole",
                "<AssumedRoleUser><AssumedRoleId>\(Self.escaped(session.principal.userID))</AssumedRoleId>"
                    + "<Arn>\(Self.escaped(session.principal.arn))</Arn></AssumedRoleUser><Credentials>"
                    + "<AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>\(session.secret)</SecretAccessKey>"
                    + "<SessionToken>\(session.token)</SessionToken>"
                    + "<Expiration>\(Instant.extended(session.expires))</Expiration></Credentials>"
                    + "<PackedPolicySize>6</PackedPolicySize>"
            )
        default: throw ServiceFault("InvalidAction", "Could not find operation \(value("Action") ?? "") for version")
        }
    }

    private static func result(_ name: String, _ members: String) -> String {
        "<\(name)Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><\(name)Result>\(members)</\(name)Result>"
            + "<ResponseMetadata><RequestId>\(UUID().uuidString.lowercased())</RequestId></ResponseMetadata>"
            + "</\(name)Response>"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}

internal import Content
internal import FoundationEssentials
internal import Platform

/// Serves STS over the query protocol: AssumeRole, AssumeRoleWithWebIdentity and GetCallerIdentity.
///
/// - Source: docs/facts/identity.md#sts
struct SecurityTokenAPI: Sendable {
    let aws: EmulatedAWS

    static func operation(in body: [UInt8]) -> String {
        Exchange.decodeForm(String(decoding: body, as: UTF8.self)).first { $0.name == "Action" }?.value ?? "STS"
    }

    func answer(_ exchange: Exchange, body: [UInt8]) -> Answer {
        var answer: Answer
        do {
            // The caller has a token but no keys yet, so this operation is unsigned.
            if Self.operation(in: body) == "AssumeRoleWithWebIdentity" {
                answer = try assumeRoleWithWebIdentity(Form(body), at: exchange.headers["host"] ?? "")
            } else {
                answer = try answerSigned(exchange, body)
            }
        } catch let fault as ServiceFault {
            answer = Self.answer(fault)
        } catch {
            answer = Self.answer(ServiceFault("InternalFailure", "\(error)", status: 500))
        }
        answer.bytesIn = Int64(body.count)
        return answer
    }

    /// Answers a fault, with STS's own names for a bad signature.
    static func answer(_ fault: ServiceFault) -> Answer {
        let names = [
            "UnrecognizedClientException": ("InvalidClientTokenId", 403),
            "InvalidSignatureException": ("SignatureDoesNotMatch", 403),
            "ExpiredTokenException": ("ExpiredToken", 403),
            WebIdentityToken.expiry: ("ExpiredTokenException", 400),
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

    private func answerSigned(_ exchange: Exchange, _ body: [UInt8]) throws -> Answer {
        let (caller, claim) = try authenticate(exchange, body, aws: aws)
        guard claim.service == "sts" else {
            throw ServiceFault("SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'.")
        }
        let form = Form(body)
        var answer: Answer
        switch form["Action"] {
        case "GetCallerIdentity":
            answer = Self.result(
                "GetCallerIdentity",
                "<Arn>\(Self.escaped(caller.arn))</Arn><UserId>\(Self.escaped(caller.userID))</UserId>"
                    + "<Account>\(caller.account)</Account>"
            )
        case "AssumeRole": answer = try assumeRole(form, by: caller, in: claim.region)
        default: throw ServiceFault("InvalidAction", "Could not find operation \(form["Action"] ?? "") for version")
        }
        answer.key = RegistryKey(account: caller.account, region: claim.region)
        return answer
    }

    private func assumeRole(_ form: Form, by caller: Principal, in region: String) throws -> Answer {
        guard form["PolicyArns.member.1.arn"] == nil else {
            // If the member were ignored, the session would have more permissions than on AWS.
            throw ServiceFault(
                "ValidationError",
                "The emulator doesn't support PolicyArns; pass the policy itself as Policy"
            )
        }
        var furtherActions: [String] = []
        if form["Tags.member.1.Key"] != nil { furtherActions.append("sts:TagSession") }
        if form["SourceIdentity"] != nil { furtherActions.append("sts:SetSourceIdentity") }
        let request = AssumeRoleRequest(
            roleARN: form["RoleArn"] ?? "",
            sessionName: form["RoleSessionName"] ?? "",
            externalID: form["ExternalId"],
            seconds: try form.seconds,
            policy: form["Policy"],
            serial: form["SerialNumber"],
            code: form["TokenCode"],
            furtherActions: furtherActions
        )
        let now = aws.now
        let (id, session) = try aws.state.withLock { state in
            try state.identities.assume(request, by: caller, now: now, rules: state.rules, region: region)
        }
        return Self.result("AssumeRole", Self.members(id, session))
    }

    private func assumeRoleWithWebIdentity(_ form: Form, at host: String) throws -> Answer {
        let request = WebIdentityRequest(
            roleARN: form["RoleArn"] ?? "",
            sessionName: form["RoleSessionName"] ?? "",
            token: form["WebIdentityToken"] ?? "",
            seconds: try form.seconds,
            policy: form["Policy"]
        )
        let now = aws.now
        // The request is unsigned, so only an AWS host name tells the region.
        let region = ServiceHost(host)?.region
        let (id, session, token) = try aws.state.withLock {
            try $0.identities.assume(request, now: now, region: region)
        }
        var answer = Self.result(
            "AssumeRoleWithWebIdentity",
            Self.members(id, session)
                + "<SubjectFromWebIdentityToken>\(Self.escaped(token.subject))</SubjectFromWebIdentityToken>"
                + "<Audience>\(Self.escaped(token.audiences.first ?? ""))</Audience>"
                + "<Provider>\(Self.escaped(token.issuer))</Provider>"
        )
        answer.key = RegistryKey(account: session.principal.account, region: region ?? aws.configuration.homeRegion)
        return answer
    }

    private static func members(_ id: String, _ session: Identities.Session) -> String {
        "<AssumedRoleUser><AssumedRoleId>\(escaped(session.principal.userID))</AssumedRoleId>"
            + "<Arn>\(escaped(session.principal.arn))</Arn></AssumedRoleUser><Credentials>"
            + "<AccessKeyId>\(id)</AccessKeyId><SecretAccessKey>\(session.secret)</SecretAccessKey>"
            + "<SessionToken>\(session.token)</SessionToken>"
            + "<Expiration>\(Instant.extended(session.expires))</Expiration></Credentials>"
            + "<PackedPolicySize>6</PackedPolicySize>"
    }

    private static func result(_ name: String, _ members: String) -> Answer {
        let xml =
            "<\(name)Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><\(name)Result>\(members)"
            + "</\(name)Result><ResponseMetadata><RequestId>\(UUID().uuidString.lowercased())</RequestId>"
            + "</ResponseMetadata></\(name)Response>"
        return Answer(status: 200, headers: [("Content-Type", "text/xml")], body: .bytes(Array(xml.utf8)))
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}

/// The members of a request in the query protocol.
private struct Form {
    private let items: [(name: String, value: String)]

    init(_ body: [UInt8]) { items = Exchange.decodeForm(String(decoding: body, as: UTF8.self)) }

    subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    var seconds: Int {
        get throws(ServiceFault) {
            guard let text = self["DurationSeconds"] else { return 3_600 }
            if let seconds = Int(text) { return seconds }
            throw ServiceFault("MalformedInput", "DurationSeconds is not a number")
        }
    }
}

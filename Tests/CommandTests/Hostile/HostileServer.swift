import Content
import Foundation
import Platform
import TestPrograms

@testable import ECREmulator

/// All services that a copy contacts, at one address; one of the operations is hostile.
///
/// The other operations answer correctly, and their answers contain secrets too.
final class HostileServer: Sendable {
    /// The operation that is hostile.
    enum Operation: String, CaseIterable, Sendable {
        case assumeRole, assumeRoleWithWebIdentity, getCallerIdentity
        case getRoleCredentials, createToken, container, metadataRole, metadataCredentials
        case ecrAPI, getAuthorizationToken, ecrUpload
        /// An upload to a registry that takes user and password itself.
        case basic
        case tokenByPassword, tokenByRefresh, manifest, blob, storage, startUpload, putBlob
    }

    /// The kind of the hostile answer.
    enum Shape: String, CaseIterable, Sendable { case document, page }

    enum Encoding: String, CaseIterable, Sendable { case plain, base64, hexadecimal, percent }

    enum Habit: Sendable {
        /// A refusal that quotes the whole request, in its fields too.
        case quotes(Shape, Encoding, status: Int)
        /// 200 with half of the answer, including its secrets.
        case breaksOff
        /// 200 with a different content.
        case babbles
        case resets
        /// No answer.
        case stalls
    }

    private let operation: Operation
    private let habit: Habit
    private let server = Lock<ScriptedServer?>(nil)
    private let ready = Lock(0)
    /// The requests to the hostile operation, as received.
    private let met = Lock<[String]>([])
    private let signal: AsyncStream<Void>.Continuation
    let struck: AsyncStream<Void>

    init(_ operation: Operation, _ habit: Habit) throws {
        (self.operation, self.habit) = (operation, habit)
        (struck, signal) = AsyncStream.makeStream()
        let made = try ScriptedServer { [weak self] connection in
            while true {
                let head = try connection.readHead()
                let body = try connection.read(head.contentLength)
                try self?.answer(Asked(head, body), on: connection)
            }
        }
        server.withLock { $0 = made }
        ready.withLock { $0 = made.port }
    }

    var authority: String { "127.0.0.1:\(port)" }
    private var port: Int { ready.withLock { $0 } }
    var url: String { "http://\(authority)" }
    /// The requests that got a hostile answer.
    var requests: [String] { met.withLock { $0 } }

    /// Removed once, because the next socket may have the same number.
    func stop() {
        server.withLock { $0.take()?.stop() }
        signal.finish()
    }

    /// Ends ``struck``: no more requests will come.
    func expectNoMore() { signal.finish() }

    // MARK: Answering

    private func answer(_ asked: Asked, on connection: Connection) throws {
        let isBasic = operation == .basic && asked.authorization?.hasPrefix("Basic ") == true
        guard asked.operation == operation || isBasic else { return try answerWell(asked, on: connection) }
        met.withLock { $0.append(asked.text) }
        signal.yield()
        switch habit {
        case .quotes(let shape, let encoding, let status): try quote(asked, shape, encoding, status, on: connection)
        case .breaksOff:
            let whole = goodAnswer(asked).body
            try connection.answer(
                "200 OK",
                ["Content-Type: \(asked.contentType)"],
                whole.utf8.dropLast(whole.utf8.count / 8)
            )
        case .babbles: try connection.answer("200 OK", ["Content-Type: text/html"], Array("<p>\(asked.text)</p>".utf8))
        case .resets:
            connection.resetWhenClosed()
            throw SocketFailure.closed
        case .stalls: connection.stall()
        }
    }

    private func quote(
        _ asked: Asked,
        _ shape: Shape,
        _ encoding: Encoding,
        _ status: Int,
        on connection: Connection
    ) throws {
        let quoted = asked.quoted(encoding)
        // A header line can't be that long.
        let short = quoted.prefix(500).replacing("\r", with: " ").replacing("\n", with: " ")
        let fields = [
            "x-amzn-RequestId: \(short)", "x-amz-request-id: \(short)", "x-request-id: \(short)",
            "Content-Type: \(shape == .page ? "text/html" : asked.contentType)",
        ]
        let body = shape == .page ? "<pre>\(quoted)</pre>" : asked.refusal(saying: quoted)
        try connection.answer("\(status) Refused", fields, Array(body.utf8))
    }

    private func answerWell(_ asked: Asked, on connection: Connection) throws {
        let answer = goodAnswer(asked)
        let fields = ["Content-Type: \(answer.type ?? asked.contentType)"] + answer.fields
        try connection.answer(answer.status, fields, Array(asked.method == "HEAD" ? "".utf8 : answer.body.utf8))
    }

    struct Good {
        var status = "200 OK"
        var fields: [String] = []
        var type: String?
        var body = ""
    }

    private func goodAnswer(_ asked: Asked) -> Good {
        let later = "2099-01-01T00:00:00Z"
        switch asked.operation {
        case .assumeRole, .assumeRoleWithWebIdentity:
            let name = asked.operation == .assumeRole ? "AssumeRole" : "AssumeRoleWithWebIdentity"
            return Good(
                body: """
                    <\(name)Response><\(name)Result><AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/r/s</Arn>\
                    </AssumedRoleUser><Credentials><AccessKeyId>\(Seed.roleID.text)</AccessKeyId><SecretAccessKey>\
                    \(Seed.roleSecret.text)</SecretAccessKey><SessionToken>\(Seed.roleToken.text)</SessionToken><Expiration>\
                    \(later)</Expiration></Credentials></\(name)Result></\(name)Response>
                    """
            )
        case .getCallerIdentity:
            return Good(
                body: """
                    <GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/u</Arn>\
                    <UserId>AIDA</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>
                    """
            )
        case .getRoleCredentials:
            return Good(
                body:
                    #"{"roleCredentials":{"accessKeyId":"\#(Seed.roleID.text)","secretAccessKey":"\#(Seed.roleSecret.text)","#
                    + #""sessionToken":"\#(Seed.roleToken.text)","expiration":4070908800000}}"#
            )
        case .createToken:
            return Good(
                body: #"{"accessToken":"\#(Seed.renewedAccess.text)","expiresIn":3600,"#
                    + #""refreshToken":"\#(Seed.renewedRefresh.text)"}"#
            )
        case .container, .metadataCredentials:
            return Good(
                body:
                    #"{"Code":"Success","AccessKeyId":"\#(Seed.roleID.text)","SecretAccessKey":"\#(Seed.roleSecret.text)","#
                    + #""Token":"\#(Seed.roleToken.text)","Expiration":"\#(later)"}"#
            )
        case .metadataRole: return Good(body: "promoter")
        case .getAuthorizationToken:
            let token = Data("AWS:\(Seed.registryPassword.text)".utf8).base64EncodedString()
            return Good(
                body: #"{"authorizationData":[{"authorizationToken":"\#(token)","expiresAt":4070908800,"#
                    + #""proxyEndpoint":"\#(url)"}]}"#
            )
        case .ecrAPI:
            return Good(status: "400 Bad Request", body: #"{"__type":"AccessDeniedException","message":"no"}"#)
        case .tokenByPassword, .tokenByRefresh: return Good(body: #"{"token":"\#(Seed.bearer.text)"}"#)
        case .manifest: return manifest
        case .blob:
            guard asked.method == "GET" else { return Good(status: "404 Not Found") }
            let query = "X-Amz-Credential=\(Seed.presignedID.text)&X-Amz-Signature=\(Seed.signature.text)"
            return Good(status: "307 Temporary Redirect", fields: ["Location: \(url)/storage/layer?\(query)"])
        case .storage: return Good(type: "application/octet-stream", body: Self.layer)
        case .startUpload:
            let location = "/v2/team/app/blobs/uploads/1?_state=\(Seed.uploadState.text)"
            return Good(status: "202 Accepted", fields: ["Location: \(location)"])
        case .putBlob: return Good(status: "201 Created")
        case .ecrUpload, .basic, nil:
            if asked.path.hasPrefix("/v2/"), asked.authorization == nil {
                let challenge = operation == .basic ? "Basic realm=\"r\"" : "Bearer realm=\"\(url)/auth\",service=\"s\""
                return Good(status: "401 Unauthorized", fields: ["WWW-Authenticate: \(challenge)"])
            }
            return asked.path.hasPrefix("/latest/api/token")
                ? Good(type: "text/plain", body: Seed.metadataToken.text) : Good(status: "404 Not Found")
        }
    }

    static let layer = "a layer, or what passes for one"

    private var manifest: Good {
        let digest = Digest(of: Self.layer.utf8)
        let descriptor = #""digest":"\#(digest)","size":\#(Self.layer.utf8.count)"#
        let body =
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"#
            + #""application/vnd.oci.image.config.v1+json",\#(descriptor)},"layers":[]}"#
        return Good(type: "application/vnd.oci.image.manifest.v1+json", body: body)
    }
}

extension SocketFailure {
    /// Ends a script, and with it the script's connection.
    fileprivate static let closed = SocketFailure(0)
}

/// One request, as received.
private struct Asked {
    let head: ReceivedHead
    let body: [UInt8]

    init(_ head: ReceivedHead, _ body: [UInt8]) { (self.head, self.body) = (head, body) }

    var method: String { head.method }
    var path: String { head.path }
    var authorization: String? { head["Authorization"] }

    /// The request with its secrets first, because some services quote only the beginning.
    var text: String {
        let first = head.fields.filter { field in
            let name = field.prefix { $0 != ":" }.lowercased()
            return name == "authorization" || name.hasSuffix("token")
        }
        return (first + [String(decoding: body.prefix(4_096), as: UTF8.self), head.line] + head.fields)
            .joined(separator: "; ")
    }

    func quoted(_ encoding: HostileServer.Encoding) -> String {
        switch encoding {
        case .plain: text
        case .base64: Data(text.utf8).base64EncodedString()
        case .hexadecimal: text.utf8.map { String(format: "%02x", $0) }.joined()
        case .percent: text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        }
    }

    var operation: HostileServer.Operation? {
        let body = String(decoding: body, as: UTF8.self)
        if let target = head["X-Amz-Target"] {
            return target.hasSuffix("GetAuthorizationToken") ? .getAuthorizationToken : .ecrAPI
        }
        if body.contains("Action=AssumeRoleWithWebIdentity") { return .assumeRoleWithWebIdentity }
        if body.contains("Action=AssumeRole") { return .assumeRole }
        if body.contains("Action=GetCallerIdentity") { return .getCallerIdentity }
        let path = path.prefix { $0 != "?" }
        switch path {
        case "/federation/credentials": return .getRoleCredentials
        case "/token": return .createToken
        case "/container": return .container
        case "/latest/meta-data/iam/security-credentials/": return .metadataRole
        case "/auth": return method == "POST" ? .tokenByRefresh : .tokenByPassword
        case "/storage/layer": return .storage
        default: break
        }
        if path.hasPrefix("/latest/meta-data/") { return .metadataCredentials }
        guard path.hasPrefix("/v2/") else { return nil }
        // Without credentials, every path answers with a challenge.
        guard let authorization else { return nil }
        if authorization.hasPrefix("Basic "), path.contains("/uploads/") { return .ecrUpload }
        if path.contains("/uploads/") { return method == "POST" ? .startUpload : .putBlob }
        if path.contains("/blobs/") { return .blob }
        return path.contains("/manifests/") ? .manifest : nil
    }

    var contentType: String {
        switch operation {
        case .assumeRole, .assumeRoleWithWebIdentity, .getCallerIdentity: "text/xml"
        case .storage: "application/xml"
        default: "application/json"
        }
    }

    /// Returns a refusal in the service's format, with the text in every member that can hold text.
    func refusal(saying text: String) -> String {
        let xml = text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
        switch operation {
        case .assumeRole, .assumeRoleWithWebIdentity, .getCallerIdentity:
            return "<ErrorResponse><Error><Code>AccessDenied</Code><Message>\(xml)</Message></Error>"
                + "<RequestId>\(xml)</RequestId></ErrorResponse>"
        case .storage: return "<Error><Code>AccessDenied</Code><Message>\(xml)</Message></Error>"
        default:
            let names = ["__type", "message", "Code", "Message", "error", "error_description", "kmsError"]
            var document: [String: Any] = ["errors": [["code": text, "message": text]]]
            for name in names { document[name] = text }
            let encoded = try? JSONSerialization.data(withJSONObject: document)
            return String(decoding: encoded ?? Data(), as: UTF8.self)
        }
    }
}

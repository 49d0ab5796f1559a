internal import Content
internal import FoundationEssentials
internal import Platform

/// Serves ECR's registry API: `/v2` with its deviations from the specification.
///
/// - Source: docs/facts/ecr-registry.md
struct RegistryAPI: Sendable {
    let aws: EmulatedAWS
    let key: RegistryKey
    /// The host and port with which the client addressed the registry.
    let host: String

    func answer(_ exchange: Exchange, _ route: RegistryRoute, issuesExpiredURLs: Bool) async throws -> Answer {
        var answer: Answer
        do {
            let caller = try authenticate(exchange)
            try permit(route, exchange, caller)
            answer = try await dispatch(exchange, route, caller, issuesExpiredURLs)
        } catch let fault as ServiceFault {
            if cutsConnection(fault, exchange.method, route) { throw ConnectionCut() }
            answer = self.answer(fault)
            // The body is read to its end, or the next request on this connection would begin in the middle of it.
            answer.bytesIn = try await exchange.forEachChunk { _ in }
        }
        answer.key = key
        answer.repository = route.repository
        answer.headers.append(("Docker-Distribution-Api-Version", "registry/2.0"))
        return answer
    }

    private func dispatch(
        _ exchange: Exchange,
        _ route: RegistryRoute,
        _ caller: Principal,
        _ issuesExpiredURLs: Bool
    ) async throws -> Answer {
        switch (exchange.method, route) {
        case ("GET", .base), ("HEAD", .base): return Answer(status: 200)
        case ("GET", .catalog): return try catalog(exchange)
        case ("GET", .tags(let name)): return try tags(exchange, name)
        case ("GET", .referrers(let name, let digest)): return try referrers(exchange, name, digest)
        case ("GET", .manifest(let name, let reference)), ("HEAD", .manifest(let name, let reference)):
            return try manifest(exchange, name, reference, caller)
        case ("PUT", .manifest(let name, let reference)): return try await putManifest(exchange, name, reference)
        case ("DELETE", .manifest(let name, let reference)): return try deleteManifest(name, reference)
        case ("HEAD", .blob(let name, let digest)): return try headBlob(name, digest)
        case ("GET", .blob(let name, let digest)):
            return try getBlob(name, digest, lifetime: issuesExpiredURLs ? 0 : aws.configuration.downloadLifetime)
        case ("POST", .uploads(let name)): return try await beginUpload(exchange, name, caller)
        case ("PATCH", .upload(let name, let id)): return try await patchUpload(exchange, name, id)
        case ("PUT", .upload(let name, let id)): return try await finishUpload(exchange, name, id)
        case ("GET", .upload(let name, let id)): return try uploadStatus(name, id)
        case ("DELETE", .upload(let name, let id)): return try cancelUpload(name, id)
        case (_, .unknown): throw ServiceFault("NameUnknown", "The path is not a registry path", status: 404)
        default: throw ServiceFault("UnsupportedMethod", "The operation is unsupported.", status: 405)
        }
    }

    /// - Returns: `nil` if these aren't Basic credentials of ECR's one user.
    static func password(in header: String) -> String? {
        guard header.lowercased().hasPrefix("basic "),
            let decoded = Data(base64Encoded: String(header.dropFirst(6)).filter { $0 != " " }),
            let text = String(data: decoded, encoding: .utf8), text.hasPrefix("AWS:")
        else { return nil }
        return String(text.dropFirst(4))
    }

    /// Checks Basic credentials, which may come from any registry in this region.
    private func authenticate(_ exchange: Exchange) throws -> Principal {
        let missing = ServiceFault("NoBasicAuth", "no basic auth credentials", status: 401)
        guard let password = exchange.headers["authorization"].flatMap(Self.password) else { throw missing }
        let now = aws.now
        guard let token = aws.state.withLock({ $0.tokens[password] }), token.region == key.region else { throw missing }
        guard token.expires > now else {
            throw ServiceFault(
                "TokenExpired",
                "Your authorization token has expired. Reauthenticate and try again.",
                status: 403
            )
        }
        return token.principal
    }

    private func permit(_ route: RegistryRoute, _ exchange: Exchange, _ caller: Principal) throws {
        guard let action = route.action(exchange.method) else { return }
        let now = aws.now
        try aws.state.withLock { state in
            try state.permit(action, route.repository, in: key, by: caller)
            // AWS requires UploadLayerPart for every push. A PUT that has the bytes uploads a part and completes the
            // upload (docs/facts/permissions.md#writing).
            let hasBytes =
                exchange.headers["transfer-encoding"] != nil || exchange.headers["content-length"] ?? "0" != "0"
            if action == "CompleteLayerUpload", hasBytes {
                try state.permit("UploadLayerPart", route.repository, in: key, by: caller)
            }
            try state.spend(action, in: key, rate: aws.configuration.requestRates[action], now: now)
        }
    }

    private func cutsConnection(_ fault: ServiceFault, _ method: String, _ route: RegistryRoute) -> Bool {
        guard aws.configuration.cutsRefusedUploads, fault.code == "AccessDeniedException", method == "POST" else {
            return false
        }
        if case .uploads = route { return true }
        return false
    }

    func repository(_ name: String) throws -> EmulatedRepository {
        try aws.state.withLock { try $0.cloud.repository(name, in: key) }
    }

    func change<Result>(_ name: String, _ body: (inout EmulatedRepository) throws -> Result) throws -> Result {
        try aws.state.withLock { try $0.cloud.change(name, in: key, body) }
    }

    /// Creates a missing repository from a template, if one applies to pushes to it.
    func createOnPush(_ name: String) throws {
        let now = aws.now
        if try aws.state.withLock({ try $0.cloud.createOnPush(name, in: key, at: now) }) { aws.save() }
    }

    /// Answers a fault of the API in the registry's format.
    ///
    /// - Source: docs/facts/ecr-registry.md#error-answers
    func answer(_ fault: ServiceFault) -> Answer {
        let (status, code): (Int, String) =
            switch fault.code {
            case "InvalidParameterException": (405, "UNSUPPORTED")
            case "UnsupportedMethod": (405, "UNSUPPORTED")
            case "RepositoryNotFoundException", "NameUnknown": (404, "NAME_UNKNOWN")
            case "ImageNotFound", "ImageInaccessible", "ImageNotFoundException": (404, "MANIFEST_UNKNOWN")
            case "LayersNotFound", "LayerInaccessibleException": (404, "BLOB_UNKNOWN")
            case "ImageTagAlreadyExistsException": (400, "TAG_INVALID")
            case "LayersNotFoundException", "ReferencedImagesNotFoundException": (404, "MANIFEST_BLOB_UNKNOWN")
            case "InvalidLayerPartException": (416, "BLOB_UPLOAD_INVALID")
            case "InvalidLayerException", "EmptyUploadException", "LayerPartTooSmallException":
                (400, "BLOB_UPLOAD_INVALID")
            case "UploadNotFoundException": (404, "BLOB_UPLOAD_UNKNOWN")
            case "ImageDigestDoesNotMatchException": (400, "DIGEST_INVALID")
            case "AccessDeniedException", "TokenExpired": (403, "DENIED")
            case "NoBasicAuth": (401, "UNAUTHORIZED")
            case "ThrottlingException": (429, "TOOMANYREQUESTS")
            case "ServerException": (500, "UNKNOWN")
            default: (fault.status, fault.code)
            }
        let body = JSON.members([
            "errors": .list([.members(["code": .text(code), "message": .text(fault.message)])])
        ])
        var answer = Answer(
            status: status,
            headers: [("Content-Type", "application/json; charset=utf-8")],
            body: .bytes(body.bytes),
            errorCode: code
        )
        if status == 401 {
            answer.headers.append(("Www-Authenticate", "Basic realm=\"http://\(host)/\",service=\"ecr.amazonaws.com\""))
        }
        if let seconds = fault.retryAfter { answer.headers.append(("Retry-After", "\(seconds)")) }
        return answer
    }
}

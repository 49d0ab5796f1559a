internal import Content
internal import FoundationEssentials
internal import Platform

/// Answers every request: selects the API that serves it, applies faults, writes the log.
struct RequestHandler: Sendable {
    let aws: EmulatedAWS

    /// The classification of a request, before its credentials and content are checked.
    struct RoutedRequest: Sendable {
        var api: LoggedRequest.API
        var operation: String
        var key: RegistryKey?
        var route = RegistryRoute.unknown
        var identity: IdentityRoute?
        var host = ""
        var caller: Principal?
        /// The body of an STS request, which names the operation and is therefore read first.
        var form: [UInt8]?
    }

    func respond(to request: IncomingRequest, at port: PortKind) async throws -> HTTPListener.Outcome {
        let number = aws.state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        var routed = routed(request, port)
        routed.caller = caller(request)
        if routed.api == .sts {
            let form = try await Exchange(request).message()
            routed.operation = SecurityTokenAPI.operation(in: form)
            routed.form = form
        }
        let operation = routed.operation
        let fault = aws.state.withLock { $0.faults.fault(for: operation) }
        do {
            if fault == .resetBefore {
                log(Answer(status: 0), routed, number, bytesOut: 0)
                return .reset
            }
            if fault == .stall {
                try await request.body.waitForPeerToClose()
                throw ConnectionCut()
            }
            let answer = try await answer(request, routed, fault)
            if fault == .loseAnswer { throw ConnectionCut() }
            return .answer(try response(answer, routed, number, fault, isHead: request.method == "HEAD"))
        } catch is ConnectionCut {
            log(Answer(status: 0), routed, number, bytesOut: 0)
            return .cut
        } catch {
            // A failed request is logged too, so that it can be found.
            log(Answer(status: 0, errorCode: "\(error)"), routed, number, bytesOut: 0)
            throw error
        }
    }

    private func routed(_ request: IncomingRequest, _ port: PortKind) -> RoutedRequest {
        if case .download = port { return RoutedRequest(api: .download, operation: "\(request.method) layer") }
        let headers = request.headers
        let path = request.path
        let host = headers["host"] ?? ""
        if path == "/v2" || path.hasPrefix("/v2/") {
            let route = RegistryRoute(path: path)
            return RoutedRequest(
                api: .registry,
                operation: route.operation(request.method),
                key: key(host: host, port),
                route: route,
                host: host
            )
        }
        if let target = headers["x-amz-target"] {
            let prefix = ControlPlane.targetPrefix
            let operation = target.hasPrefix(prefix) ? String(target.dropFirst(prefix.count)) : target
            return RoutedRequest(api: .controlPlane, operation: operation)
        }
        if let route = IdentityRoute(method: request.method, path: path) {
            return RoutedRequest(api: .identity, operation: route.operation, identity: route)
        }
        if headers["content-type"]?.hasPrefix("application/x-www-form-urlencoded") == true {
            return RoutedRequest(api: .sts, operation: "STS")
        }
        return RoutedRequest(api: .controlPlane, operation: "\(request.method) \(path == "/" ? "/" : "unknown")")
    }

    /// Returns the principal that a request claims to come from.
    private func caller(_ request: IncomingRequest) -> Principal? {
        guard let header = request.headers["authorization"] else { return nil }
        if let password = RegistryAPI.password(in: header) {
            return aws.state.withLock { $0.tokens[password]?.principal }
        }
        let field = header.firstRange(of: "Credential=").map { header[$0.upperBound...] }
        guard let id = field?.prefix(while: { $0 != "/" && $0 != "," }), !id.isEmpty else { return nil }
        return aws.state.withLock { $0.identities.holder(of: String(id)) }
            ?? Principal(account: "", arn: "", userID: "", accessKeyID: String(id))
    }

    /// Returns the registry that a host names, else the registry of the port, else the first.
    private func key(host: String, _ port: PortKind) -> RegistryKey {
        if let named = ServiceHost(host), case .registry(let account) = named.service {
            return RegistryKey(account: account, region: named.region)
        }
        if case .registry(let key) = port { return key }
        return RegistryKey(account: aws.configuration.accounts.first?.id ?? "", region: aws.configuration.homeRegion)
    }

    private func answer(
        _ request: IncomingRequest,
        _ routed: RoutedRequest,
        _ fault: Fault.Kind?
    ) async throws -> Answer {
        if case .skew(let seconds) = fault { aws.setSkew(seconds) }
        let now = aws.now
        if fault == .expireToken { aws.state.withLock { $0.expireTokens(now: now) } }
        if fault == .expireURL { aws.state.withLock { $0.expireDownloads(now: now) } }
        let exchange = Exchange(
            request,
            bodyLimit: Self.bodyLimit(fault, routed),
            drip: drip(fault, routed)
        )
        if let injected = injectedAnswer(fault, routed) {
            var answer = injected
            answer.bytesIn = try await exchange.forEachChunk { _ in }
            answer.key = routed.key
            answer.repository = routed.route.repository
            return answer
        }
        switch routed.api {
        case .controlPlane:
            return try await ControlPlane(aws: aws)
                .answer(exchange, operation: routed.operation, issuesExpiredURLs: fault == .expireURL)
        case .sts: return SecurityTokenAPI(aws: aws).answer(exchange, body: routed.form ?? [])
        case .download: return DownloadServer(aws: aws).answer(exchange)
        case .identity:
            guard let route = routed.identity else { throw ConnectionCut() }
            return try await CredentialServices(aws: aws, route: route).answer(exchange)
        case .registry:
            guard let key = routed.key else { throw ConnectionCut() }
            return try await RegistryAPI(aws: aws, key: key, host: routed.host)
                .answer(exchange, routed.route, issuesExpiredURLs: fault == .expireURL)
        }
    }

    /// Returns the limit at which an upload is cut as it arrives; answers are cut while they are sent.
    private static func bodyLimit(_ fault: Fault.Kind?, _ routed: RoutedRequest) -> Int64? {
        guard case .cutBody(let count) = fault, isUpload(routed) else { return nil }
        return count
    }

    /// Returns the pace of an upload that arrives slowly; answers are slowed while they are sent.
    private func drip(_ fault: Fault.Kind?, _ routed: RoutedRequest) -> Drip? {
        guard case .drip(let count) = fault, Self.isUpload(routed) else { return nil }
        return Drip(byteCount: count)
    }

    static func isUpload(_ routed: RoutedRequest) -> Bool {
        ["PATCH upload", "PUT blob", "UploadLayerPart"].contains(routed.operation)
    }

    /// Returns the answer that a fault gives in place of the real one.
    private func injectedAnswer(_ fault: Fault.Kind?, _ routed: RoutedRequest) -> Answer? {
        let service: ServiceFault
        switch fault {
        case .refuse where routed.api == .identity:
            service = ServiceFault("ForbiddenException", "No access", status: 403)
        case .refuse where routed.api == .sts:
            let account = aws.configuration.accounts.first
            let partition = account?.partition ?? .commercial
            service = ServiceFault(
                "AccessDenied",
                "User: arn:\(partition.rawValue):iam::\(account?.id ?? ""):user/emulator is not authorized to perform: "
                    + "sts:\(routed.operation)",
                status: 403
            )
        case .refuse:
            let partition = AWSPartition(ofRegion: routed.key?.region ?? "")
            let caller = Principal(
                account: "",
                arn: "arn:\(partition.rawValue):iam::\(routed.key?.account ?? ""):user/emulator",
                userID: ""
            )
            service = EmulatorState.refusal(
                of: routed.route.action(String(routed.operation.prefix { $0 != " " })) ?? routed.operation,
                routed.route.repository,
                in: routed.key ?? RegistryKey(account: "", region: ""),
                by: caller
            )
        case .error(let code, let message, let status): service = ServiceFault(code, message, status: status)
        case .throttle(let seconds):
            var throttled = ServiceFault.throttled
            throttled.retryAfter = seconds
            service = throttled
        case .status(let status, let seconds):
            return Answer(
                status: status,
                headers: [("Content-Type", "text/html")] + (seconds.map { [("Retry-After", "\($0)")] } ?? []),
                body: .bytes(Array("<html><body>\(status)</body></html>".utf8)),
                errorCode: "\(status)"
            )
        default: return nil
        }
        switch routed.api {
        case .controlPlane: return ControlPlane.answer(service)
        case .sts: return SecurityTokenAPI.answer(service)
        case .download:
            return service == .throttled
                ? DownloadServer.failure(503, "SlowDown", "Please reduce your request rate.")
                : DownloadServer.failure(service.status, service.code, service.message)
        case .identity:
            var fault = service
            if service == .throttled {
                fault = ServiceFault("TooManyRequestsException", "HTTP 429 Unknown Code", status: 429)
            }
            return CredentialServices(aws: aws, route: routed.identity ?? .metadata).answer(fault)
        case .registry:
            return RegistryAPI(aws: aws, key: routed.key ?? RegistryKey(account: "", region: ""), host: routed.host)
                .answer(service)
        }
    }

    func log(_ answer: Answer, _ routed: RoutedRequest, _ number: Int, bytesOut: Int64) {
        let key = answer.key ?? routed.key
        let entry = LoggedRequest(
            number: number,
            api: routed.api,
            operation: routed.operation,
            account: key?.account ?? "",
            region: key?.region ?? "",
            repository: answer.repository ?? routed.route.repository,
            status: answer.status,
            errorCode: answer.errorCode,
            bytesIn: answer.bytesIn,
            bytesOut: bytesOut,
            caller: routed.caller.flatMap { $0.arn.isEmpty ? nil : $0.arn },
            accessKey: routed.caller.map { String($0.accessKeyID.suffix(4)) }
        )
        aws.state.withLock { $0.log.append(entry) }
        aws.configuration.requestAnswered?(entry)
    }
}

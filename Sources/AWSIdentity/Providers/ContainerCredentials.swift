internal import FoundationEssentials
internal import HTTPTypes
internal import Wire

/// The credentials endpoint that ECS and EKS Pod Identity offer to a container.
///
/// - Source: docs/facts/identity.md#container-endpoint
struct ContainerCredentials: Sendable {
    let url: HTTPURL
    /// The variable that named the endpoint.
    let variable: String
    let context: ProviderContext
    /// The clock of STS, by which the keys expire.
    private let clock: ServiceClock

    static let relativeVariable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
    static let fullVariable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
    /// The hosts, besides this machine, that may be called over plain http, since a token is sent to them.
    private static let plainHosts: Set<String> = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "fd00:ec2::23"]
    private static let deadline: Duration = .seconds(2)
    private static let attempts = 3
    private static let pause: Duration = .seconds(1)
    /// The longest token, in bytes; service account tokens have one or two thousand.
    private static let longestToken = 20_000

    /// Reads the endpoint from the environment.
    ///
    /// - Returns: `nil` if the environment names no endpoint.
    /// - Throws: ``IdentityError`` when the environment names an endpoint that must not receive a token.
    init?(_ context: ProviderContext, clock: ServiceClock) throws {
        let environment = context.environment
        let text: String
        if let relative = environment[Self.relativeVariable] {
            variable = Self.relativeVariable
            text = "http://169.254.170.2" + (relative.hasPrefix("/") ? "" : "/") + relative
        } else if let full = environment[Self.fullVariable] {
            variable = Self.fullVariable
            text = full
        } else {
            return nil
        }
        self.context = context
        self.clock = clock
        do {
            url = try HTTPURL(text)
        } catch {
            throw IdentityError(
                "\(variable) is not a URL: \(error.detail)",
                remedy: "write it as http://host/path"
            )
        }
        guard url.scheme == .https || url.isLoopback || Self.plainHosts.contains(url.host) else {
            throw IdentityError(
                "\(variable) names \(url.host) over plain http, which is not allowed for credentials",
                remedy: "use https, this machine, or 169.254.170.2, 169.254.170.23 or [fd00:ec2::23]"
            )
        }
    }

    /// Requests the keys, a few times if need be.
    ///
    /// - Throws: ``IdentityError``, `CancellationError`.
    func credentials() async throws -> AWSCredentials {
        do {
            return try await RetryPolicy(attempts: Self.attempts, base: .zero, clock: context.retry.clock).run {
                _ in
                try await fetch()
            }
        } catch let failure as Failure {
            throw IdentityError(
                "the container's credentials (\(variable)) are not available: \(failure.problem)",
                tried: [url.description],
                remedy: "check that the task or pod has a role, and that this machine reaches the endpoint"
            )
        }
    }

    private func fetch() async throws -> AWSCredentials {
        var request = WireRequest(.get, url, deadline: Self.deadline)
        request.bypassesProxy = true
        request.allowsPlainHTTP = true
        request.fields[.accept] = "application/json"
        request.fields[.userAgent] = UserAgent.value
        if let token = try token() { request.fields[.authorization] = token }
        let response: WireResponse
        do {
            response = try await context.sender.answer(to: request)
        } catch let error as WireError {
            throw Failure(problem: "\(error)", isTransient: true)
        }
        guard response.status.code == 200 else {
            throw Failure(
                problem: "HTTP \(response.status.code)\(RoleKeysRefusal.summary(of: response))",
                isTransient: response.status.code == 429 || response.status.code >= 500
            )
        }
        guard let credentials = RoleKeys(response.body)?.credentials(source: "container (\(variable))") else {
            throw Failure(problem: "the answer has no keys, or no expiry", isTransient: true)
        }
        return credentials.extended(ifExpiringWithin: 0, by: clock, from: "the container's endpoint", context.logger)
    }

    /// Reads the token each time, because a pod's token is replaced while it runs.
    private func token() throws -> String? {
        let environment = context.environment
        let token: String?
        var place = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
        if let path = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
            place = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE (\(path))"
            token = try environment.text(ofFile: path, limit: Self.longestToken)
            guard token != nil else {
                throw IdentityError(
                    "\(place) names a file that does not exist",
                    remedy: "create the file, or correct the variable"
                )
            }
        } else {
            token = environment[place]
        }
        guard token?.utf8.contains(where: { $0 == 10 || $0 == 13 }) != true else {
            throw IdentityError(
                "\(place) has a line break in it",
                remedy: "write the token alone, without a line break at its end"
            )
        }
        return token
    }

    private struct Failure: RetryAdvising {
        var problem: String
        var isTransient: Bool
        var retryAdvice: RetryAdvice { isTransient ? .wait(ContainerCredentials.pause) : .never }
    }
}

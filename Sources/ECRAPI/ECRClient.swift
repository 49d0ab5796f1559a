public import AWSIdentity
public import FoundationEssentials
public import Logging
public import Wire

/// A client of ECR's API in one region, with one identity.
///
/// Every attempt is signed anew. Transient failures are retried after a pause; expired credentials are fetched again
/// once, and a wrong clock is corrected once.
///
/// - Source: docs/facts/ecr-api.md#protocol
public struct ECRClient: Sendable {
    private var json: AWSJSONClient<ECRError>

    /// - Parameters:
    ///   - alternative: The endpoint's other name, for use when the first isn't in DNS.
    ///   - pacer: Decides when a request may be sent; all clients that share a quota share one.
    ///   - clocks: The clocks to share; without them the client learns the time anew, starting from `now`.
    public init(
        endpoint: HTTPURL,
        alternative: HTTPURL? = nil,
        region: String,
        credentials: any CredentialsProviding,
        sender: any HTTPSending,
        retry: RetryPolicy = RetryPolicy(),
        pacer: Pacer? = nil,
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() },
        clocks: ServiceClocks? = nil
    ) {
        json = AWSJSONClient(
            .ecr,
            endpoint: endpoint,
            alternative: alternative,
            region: region,
            credentials: credentials,
            sender: sender,
            retry: retry,
            pacer: pacer,
            logger: logger,
            now: now,
            clocks: clocks
        )
    }

    public var endpoint: HTTPURL { json.endpoint }

    public var region: String { json.region }

    /// The clock of the endpoint, by which the registry's tokens expire.
    public var clock: ServiceClock { json.clock }

    /// The keys that signed the last request, for messages: the end of the key id, and the keys' source.
    public var credentialsInUse: String? { json.credentialsInUse }

    /// Performs one operation.
    ///
    /// After a lost answer the operation is repeated. A repeat has no further effect, or reports that the operation was
    /// done before: see each operation.
    ///
    /// - Parameter check: Throws an ``ECRError`` for a success that should be retried all the same.
    /// - Throws: ``ECRError``, `WireError`, `IdentityError`, `CancellationError`.
    public func send<Operation: ECROperation>(
        _ operation: Operation,
        check: (Operation.Response) throws -> Void = { _ in }
    ) async throws -> Operation.Response {
        try await measured(operation, check: check).answer
    }

    /// Performs one operation, and returns its answer with the answer's length in bytes.
    ///
    /// - Throws: As ``send(_:check:)``
    func measured<Operation: ECROperation>(
        _ operation: Operation,
        check: (Operation.Response) throws -> Void = { _ in }
    ) async throws -> (answer: Operation.Response, byteCount: Int) {
        try await json.measured(operation, check: check)
    }

    /// Returns the same client with fewer attempts, for requests whose answer is optional.
    ///
    /// - Parameter attempts: The most attempts, the first included.
    public func limited(toAttempts attempts: Int) -> ECRClient {
        var client = self
        client.json = json.limited(toAttempts: attempts)
        return client
    }
}

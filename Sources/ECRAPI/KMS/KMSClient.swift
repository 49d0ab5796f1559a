public import AWSIdentity
public import FoundationEssentials
public import Logging
public import Wire

/// A client of AWS's Key Management Service in one region, with one identity.
///
/// - Source: docs/facts/kms.md#protocol
public struct KMSClient: Sendable {
    private let json: AWSJSONClient<KMSError>

    /// - Parameter clocks: The clocks to share; without them the client learns the time anew, starting from `now`.
    public init(
        endpoint: HTTPURL,
        region: String,
        credentials: any CredentialsProviding,
        sender: any HTTPSending,
        retry: RetryPolicy = RetryPolicy(),
        logger: Logger,
        now: @escaping @Sendable () -> Date = { Date() },
        clocks: ServiceClocks? = nil
    ) {
        json = AWSJSONClient(
            .kms,
            endpoint: endpoint,
            alternative: nil,
            region: region,
            credentials: credentials,
            sender: sender,
            retry: retry,
            pacer: nil,
            logger: logger,
            now: now,
            clocks: clocks
        )
    }

    public var region: String { json.region }

    /// Performs one operation.
    ///
    /// - Throws: ``KMSError``, `WireError`, `IdentityError`, `CancellationError`.
    public func send<Operation: KMSOperation>(_ operation: Operation) async throws -> Operation.Response {
        try await json.measured(operation).answer
    }
}

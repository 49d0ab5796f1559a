internal import HTTPTypes
internal import Platform

/// An HTTP client over libcurl, for small messages and for blobs from one URL to another.
///
/// It has a few threads for blobs and one for messages, which would wait 3 to 20 ms behind busy relays. It keeps
/// connections alive between requests, follows no redirect and retries nothing: answers are values.
public final class Transport: Sendable {
    private let configuration: TransportConfiguration
    private let messages: Driver
    private let relays: [Driver]
    private let relaysInFlight: Lock<[Int]>
    private let counted = Lock(TransportStatistics())
    private let redirects = RedirectGuard()
    /// The number of connections opened ahead of time, by origin.
    private let warmed = Lock<[String: Int]>([:])

    /// Starts the threads; the caller must end them with ``shutdown()``, or use ``withTransport(_:_:)``.
    ///
    /// - Throws: ``WireError/Reason/other`` if no libcurl handle or no thread can be created.
    public init(_ configuration: TransportConfiguration = TransportConfiguration()) throws(WireError) {
        self.configuration = configuration
        var started: [Driver] = []
        let rate = configuration.limitRate.map { RateLimit(bytesPerSecond: $0) }
        do {
            for _ in 0...max(configuration.relayDrivers, 1) {
                started.append(try Driver(configuration, rate, redirects, counted))
            }
        } catch {
            for driver in started { driver.shutdown() }
            throw error
        }
        messages = started[0]
        relays = Array(started.dropFirst())
        relaysInFlight = Lock(Array(repeating: 0, count: started.count - 1))
    }

    /// The counts of requests and connections so far.
    public var statistics: TransportStatistics { counted.withLock { $0 } }

    /// Ends running requests with ``WireError/Reason/closed``, and joins the threads.
    ///
    /// It blocks the calling thread for a few milliseconds, or until the file operations in flight are done. Later
    /// requests fail with ``WireError/Reason/closed``.
    public func shutdown() {
        messages.shutdown()
        for driver in relays { driver.shutdown() }
    }
}

extension Transport: HTTPSending {
    /// - Throws: ``WireError``, or `CancellationError`.
    public func send(_ request: WireRequest) async throws -> WireResponse {
        try configuration.permit(request)
        try redirects.permit(request)
        RequestTally.current?.add(1)
        var request = request
        if let limit = configuration.messageDeadlineLimit { request.deadline = min(request.deadline, limit) }
        guard request.travelsWithBlobs || request.movesPart else { return try await messages.send(request) }
        return try await withRelayDriver { [request] in try await $0.send(request) }
    }
}

extension Transport: BlobRelaying {
    /// - Throws:
    ///   ``WireError`` with its ``WireError/end`` set, unless the transport was shut down; or `CancellationError`.
    public func relay(_ request: RelayRequest) async throws -> [RelayResult] {
        if case .request(let from) = request.source { try permit(from, .source) }
        for case .request(let to) in request.sinks { try permit(to, .destination) }
        RequestTally.current?.add(request.requestCount)
        // Both ends run on one driver.
        return try await withRelayDriver { try await $0.relay(request) }
    }

    private func permit(_ request: WireRequest, _ end: WireError.End) throws(WireError) {
        do {
            try configuration.permit(request)
            try redirects.permit(request)
        } catch {
            throw error.at(end)
        }
    }

    /// Runs `body` on the driver with the fewest jobs.
    private func withRelayDriver<Result: Sendable>(_ body: (Driver) async throws -> Result) async throws -> Result {
        let chosen = relaysInFlight.withLock { counts in
            let index = counts.indices.min { counts[$0] < counts[$1] } ?? 0
            counts[index] += 1
            return index
        }
        defer { relaysInFlight.withLock { $0[chosen] -= 1 } }
        return try await body(relays[chosen])
    }
}

extension Transport: ConnectionWarming {
    public func warm(_ url: HTTPURL, connections: Int) {
        guard (try? configuration.permit(WireRequest(.get, url))) != nil else { return }
        // Connections of other images are open already and kept alive between requests.
        let missing = warmed.withLock { warmed in
            let before = warmed[url.origin, default: 0]
            warmed[url.origin] = max(before, connections)
            return max(0, connections - before)
        }
        for (index, driver) in relays.enumerated() {
            let share = missing / relays.count + (index < missing % relays.count ? 1 : 0)
            driver.warm(url, count: share)
        }
    }
}

/// Runs `body` with a transport, and shuts the transport down afterwards in any case.
///
/// - Throws: What `body` throws, or ``WireError`` if no transport can be created.
public func withTransport<Result>(
    _ configuration: TransportConfiguration = TransportConfiguration(),
    _ body: (Transport) async throws -> Result
) async throws -> Result {
    let transport = try Transport(configuration)
    defer { transport.shutdown() }
    return try await body(transport)
}

/// Counts of what a ``Transport`` has done so far.
public struct TransportStatistics: Sendable, Equatable {
    /// The number of requests handed to libcurl; the two ends of a relay are two.
    public var requestsSent = 0
    /// The number of TCP connections opened; lower than that of requests if connections are kept alive.
    ///
    /// A connection is counted when its request ends.
    public var connectionsOpened = 0
}

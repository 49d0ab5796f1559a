internal import CCurl
internal import Glibc
internal import Platform

/// Names one job on one driver, so that it can be cancelled.
typealias Ticket = Int

/// What a driver's thread can be told.
enum Command: Sendable {
    case send(WireRequest, Ticket, CheckedContinuation<WireResponse, any Error>)
    case relay(RelayRequest, Ticket, CheckedContinuation<[RelayResult], any Error>)
    /// Opens a connection and keeps it for later; nobody waits for it.
    case warm(HTTPURL, Ticket)
    /// Ends a job with `CancellationError`; means nothing for one that has ended or not begun.
    case cancel(Ticket)
    case stop
}

/// One thread around one libcurl multi handle, as the rest of the process sees it.
///
/// It is an inbox and a wake-up. An actor whose executor is that thread would do as well
/// (docs/facts/swift-linux.md#threads-and-actors), but an executor has to run what is enqueued after the thread has
/// ended, and an inbox can refuse it.
@safe final class Driver: Sendable {
    private struct Inbox {
        var commands: [Command] = []
        var isOpen = true
        var lastTicket: Ticket = 0
    }

    private let inbox = Lock(Inbox())
    private let thread = Lock<pthread_t?>(nil)
    private let configuration: TransportConfiguration
    private let rate: RateLimit?
    private let redirects: RedirectGuard
    private let statistics: Lock<TransportStatistics>

    // Safe to share: off the driver's thread only `curl_multi_wakeup` is called on it, which any thread may, and
    // only while the inbox is open, which it is no longer when the handle is freed.
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer

    /// Idle connections kept for reuse, per driver; past 32 relays with two ends each.
    private static let mostIdleConnections = 72

    /// - Throws: ``WireError/Reason/other`` when there are no handles or threads to be had.
    init(
        _ configuration: TransportConfiguration,
        _ rate: RateLimit?,
        _ redirects: RedirectGuard,
        _ statistics: Lock<TransportStatistics>
    ) throws(WireError) {
        guard LibraryStart.done, let multi = unsafe curl_multi_init() else {
            throw WireError(.other, "libcurl does not start; out of memory?")
        }
        unsafe curl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, Self.mostIdleConnections)
        unsafe self.multi = multi
        self.configuration = configuration
        self.rate = rate
        self.redirects = redirects
        self.statistics = statistics

        var started = pthread_t()
        let this = unsafe Unmanaged.passRetained(self)
        let status = unsafe pthread_create(&started, nil, runDriver, this.toOpaque())
        guard status == 0 else {
            unsafe this.release()
            unsafe curl_multi_cleanup(multi)
            throw WireError(.other, "no thread to be had: \(unsafe String(cString: strerror(status)))")
        }
        thread.withLock { $0 = started }
    }

    /// Ends what runs with ``WireError/Reason/closed`` and waits for the thread: a few milliseconds.
    func shutdown() {
        inbox.withLock { inbox in
            guard inbox.isOpen else { return }
            inbox.commands.append(.stop)
            inbox.isOpen = false
            unsafe curl_multi_wakeup(multi)
        }
        guard let started = thread.withLock({ $0.take() }) else { return }
        pthread_join(started, nil)
    }

    func send(_ request: WireRequest) async throws -> WireResponse {
        try await perform { .send(request, $0, $1) }
    }

    func relay(_ request: RelayRequest) async throws -> [RelayResult] {
        try await perform { .relay(request, $0, $1) }
    }

    /// Opens that many connections; returns at once.
    func warm(_ url: HTTPURL, count: Int) {
        for _ in 0..<count { post(.warm(url, nextTicket())) }
    }

    private func nextTicket() -> Ticket {
        inbox.withLock { inbox in
            inbox.lastTicket += 1
            return inbox.lastTicket
        }
    }

    private func perform<Answer: Sendable>(
        _ command: (Ticket, CheckedContinuation<Answer, any Error>) -> Command
    ) async throws -> Answer {
        let ticket = nextTicket()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                guard post(command(ticket, continuation)) else {
                    return continuation.resume(throwing: WireError(.closed, "the transport is shut down"))
                }
                // The handler may have spoken before there was anything to cancel.
                if Task.isCancelled { post(.cancel(ticket)) }
            }
        } onCancel: {
            post(.cancel(ticket))
        }
    }

    /// - Returns: Whether the thread will see it.
    @discardableResult
    private func post(_ command: Command) -> Bool {
        inbox.withLock { inbox in
            guard inbox.isOpen else { return false }
            inbox.commands.append(command)
            if inbox.commands.count == 1 { unsafe curl_multi_wakeup(multi) }
            return true
        }
    }

    fileprivate func run() {
        let loop = unsafe DriverLoop(multi: multi, configuration, rate, redirects, statistics)
        loop.run {
            inbox.withLock { inbox in
                defer { inbox.commands = [] }
                return inbox.commands
            }
        }
    }
}

/// The thread's entry; a global function, because a closure would inherit its maker's isolation
/// (docs/facts/swift-linux.md#threads-and-actors).
private func runDriver(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    unsafe Unmanaged<Driver>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

internal import CCurl
internal import Glibc
internal import Platform

/// Identifies one job on one driver, so that it can be cancelled.
typealias Ticket = Int

/// A command to a driver's thread.
enum Command: Sendable {
    case send(WireRequest, Ticket, CheckedContinuation<WireResponse, any Error>)
    case relay(RelayRequest, Ticket, CheckedContinuation<[RelayResult], any Error>)
    /// Opens a connection and keeps it for later; nothing is returned.
    case warm(HTTPURL, Ticket)
    /// Ends a job with `CancellationError`; ignored for a job that has ended or not begun.
    case cancel(Ticket)
    /// Settles a job, after another thread has done something for it.
    case settle(Ticket)
    case stop
}

/// Runs one libcurl multi handle on a thread of its own; other threads send it commands.
///
/// It consists of an inbox and a wake-up. An actor whose executor is that thread would work too
/// (docs/facts/swift-linux.md#threads-and-actors), but an executor must run jobs that are enqueued after the thread has
/// ended, and an inbox can refuse them.
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

    // Safe to share: off the driver's thread only `curl_multi_wakeup` is called on it, which any thread may call, and
    // only while the inbox is open or a job waits for another thread. The inbox is closed, and every job has ended,
    // before the handle is freed.
    private nonisolated(unsafe) let multi: UnsafeMutableRawPointer

    /// The most idle connections that a driver keeps for reuse: more than 32 relays with two ends each.
    private static let mostIdleConnections = 72

    /// - Throws: ``WireError/Reason/other`` if no libcurl handle or no thread can be created.
    init(
        _ configuration: TransportConfiguration,
        _ rate: RateLimit?,
        _ redirects: RedirectGuard,
        _ statistics: Lock<TransportStatistics>
    ) throws(WireError) {
        guard LibraryStart.done, let multi = unsafe curl_multi_init() else {
            throw WireError(.other, "libcurl can't be initialized; is the process out of memory?")
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
            throw WireError(.other, "can't start a thread: \(unsafe String(cString: strerror(status)))")
        }
        thread.withLock { $0 = started }
    }

    /// Ends running jobs with ``WireError/Reason/closed``, and waits for the thread: a few milliseconds, or until the
    /// file operations in flight are done.
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

    /// Opens `count` connections; returns at once.
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
                // The cancellation handler may have run before the job existed.
                if Task.isCancelled { post(.cancel(ticket)) }
            }
        } onCancel: {
            post(.cancel(ticket))
        }
    }

    /// - Returns: Whether the thread will receive the command; it doesn't after ``shutdown()``.
    @discardableResult
    private func post(_ command: Command) -> Bool {
        inbox.withLock { inbox in
            guard inbox.isOpen else { return false }
            inbox.commands.append(command)
            if inbox.commands.count == 1 { unsafe curl_multi_wakeup(multi) }
            return true
        }
    }

    /// Asks the thread to settle a job; the job must not end before.
    private func settle(_ ticket: Ticket) {
        inbox.withLock { inbox in
            inbox.commands.append(.settle(ticket))
            if inbox.commands.count == 1 { unsafe curl_multi_wakeup(multi) }
        }
    }

    fileprivate func run() {
        let loop = unsafe DriverLoop(multi: multi, configuration, rate, redirects, statistics) { self.settle($0) }
        loop.run {
            inbox.withLock { inbox in
                defer { inbox.commands = [] }
                return inbox.commands
            }
        }
    }
}

/// The entry point of the thread.
///
/// It is a global function, because a closure would inherit the isolation of its context
/// (docs/facts/swift-linux.md#threads-and-actors).
private func runDriver(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    unsafe Unmanaged<Driver>.fromOpaque(context).takeRetainedValue().run()
    return nil
}

internal import CCurl
internal import Platform

/// Work that runs on a driver until its caller has an answer.
protocol Job: TransferOwner {
    var ticket: Ticket { get }
    /// Does what the callbacks have noted, and takes the results of other threads; called by the loop, outside any
    /// callback.
    func settle()
    /// Fails the job if it has waited too long.
    ///
    /// - Returns: The latest time for the next check.
    func check() -> ContinuousClock.Instant
    /// Ends the job with `error`: at once, or when other threads have finished their work for it.
    func fail(_ error: any Error)
}

/// The loop of one driver's thread, created and used on that thread only.
///
/// libcurl requires that only one thread at a time uses a handle. The multi handle and its transfers are accessible only
/// through this object, which isn't `Sendable`.
@safe final class DriverLoop {
    let configuration: TransportConfiguration
    /// The rate limit that all relays of the transport share, if there is one.
    let rate: RateLimit?
    private let redirects: RedirectGuard
    /// The time at which the current turn began.
    private(set) var now = ContinuousClock.now
    private let multi: UnsafeMutableRawPointer
    private let statistics: Lock<TransportStatistics>
    private let requestSettling: @Sendable (Ticket) -> Void
    private var jobs: [Ticket: any Job] = [:]
    /// The size of the ring of a relay that begins now, in bytes.
    var ringSize: Int {
        let whole = max(TransportConfiguration.wholeRings / configuration.relayDrivers, 1)
        return configuration.ringSize >> min(jobs.count / whole, 2)
    }
    private var transfers: [Transfer.ID: Transfer] = [:]
    private var dirty: [any Job] = []
    private var nextCheck: ContinuousClock.Instant?

    /// The longest poll; libcurl's timers, wake-ups and checks shorten it.
    private static let longestPoll: Duration = .seconds(10)

    /// - Parameter requestSettling: Asks this thread to settle a job; may be called on any thread.
    init(
        multi: UnsafeMutableRawPointer,
        _ configuration: TransportConfiguration,
        _ rate: RateLimit?,
        _ redirects: RedirectGuard,
        _ statistics: Lock<TransportStatistics>,
        requestSettling: @escaping @Sendable (Ticket) -> Void
    ) {
        unsafe self.multi = multi
        self.requestSettling = requestSettling
        self.configuration = configuration
        self.rate = rate
        self.redirects = redirects
        self.statistics = statistics
    }

    /// Runs until `.stop` arrives, then ends every job and frees every handle.
    func run(_ takeCommands: () -> [Command]) {
        var isStopping = false
        while !isStopping {
            for command in takeCommands() { isStopping = obey(command) || isStopping }
            var running: CInt = 0
            unsafe curl_multi_perform(multi, &running)
            readCompletions()
            let hasMore = settleDirty()
            checkJobs()
            // A check may have marked a job.
            if !hasMore, dirty.isEmpty, !isStopping { poll() }
            now = .now
        }
        for job in jobs.values { job.fail(WireError(.closed, "the transport was shut down")) }
        while !jobs.isEmpty {
            nextCheck = nil
            poll()
            for command in takeCommands() { _ = obey(command) }
            _ = settleDirty()
        }
        unsafe curl_multi_cleanup(multi)
    }

    // MARK: For jobs

    /// Starts a transfer.
    func start(
        _ request: WireRequest,
        as role: Transfer.Role,
        uploading size: Int64?,
        for owner: any TransferOwner
    ) throws(WireError) -> Transfer {
        let transfer = try Transfer(request, owner: owner, redirects)
        do {
            try transfer.prepare(configuration, as: role, uploading: size)
        } catch {
            transfer.close()
            throw error
        }
        let code = unsafe curl_multi_add_handle(multi, transfer.handle)
        guard code == CURLM_OK else {
            transfer.close()
            throw WireError(.other, "libcurl refused a transfer (\(code.rawValue))", url: request.url)
        }
        transfers[transfer.id] = transfer
        if role != .warmUp { statistics.withLock { $0.requestsSent += 1 } }
        return transfer
    }

    /// Ends a transfer that is no longer needed.
    func drop(_ transfer: Transfer) {
        guard transfers.removeValue(forKey: transfer.id) != nil else { return }
        let opened = transfer.connectionsOpened
        statistics.withLock { $0.connectionsOpened += opened }
        unsafe curl_multi_remove_handle(multi, transfer.handle)
        transfer.close()
    }

    /// Calls the job's ``Job/settle()`` before the loop waits again.
    func mark(_ job: any Job) { dirty.append(job) }

    /// Returns a function with which another thread asks for the job to be settled; the job must not end before the call.
    func signal(for job: any Job) -> @Sendable () -> Void {
        { [requestSettling, ticket = job.ticket] in requestSettling(ticket) }
    }

    /// Schedules a check of every job for `time`, or earlier.
    func wake(at time: ContinuousClock.Instant) { nextCheck = min(nextCheck ?? time, time) }

    func forget(_ job: any Job) { jobs[job.ticket] = nil }

    // MARK: One turn

    /// - Returns: Whether this was the last command.
    private func obey(_ command: Command) -> Bool {
        switch command {
        case .send(let request, let ticket, let continuation):
            let exchange = Exchange(request, ticket, continuation, on: self)
            begin(exchange) { () throws(WireError) in try exchange.begin() }
        case .relay(let request, let ticket, let continuation):
            let relay = BlobRelay(request, ticket, continuation, on: self)
            begin(relay) { () throws(WireError) in try relay.begin() }
        case .warm(let url, let ticket):
            let warmUp = WarmUp(url, ticket, on: self)
            begin(warmUp) { () throws(WireError) in try warmUp.begin() }
        case .cancel(let ticket): jobs[ticket]?.fail(CancellationError())
        case .settle(let ticket): jobs[ticket]?.settle()
        case .stop: return true
        }
        return false
    }

    private func begin(_ job: any Job, _ start: () throws(WireError) -> Void) {
        jobs[job.ticket] = job
        nextCheck = now
        do {
            try start()
        } catch {
            job.fail(error)
        }
    }

    private func readCompletions() {
        var left: CInt = 0
        while let message = unsafe curl_multi_info_read(multi, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE, let handle = unsafe message.pointee.easy_handle,
                let transfer = transfers[Transfer.ID(bitPattern: handle)]
            else { continue }
            let failure = transfer.failure(unsafe curl_message_result(message))
            let owner = transfer.owner
            drop(transfer)
            owner.ended(transfer, failure)
        }
    }

    /// - Returns: Whether a job was settled. libcurl then has work to do.
    private func settleDirty() -> Bool {
        guard !dirty.isEmpty else { return false }
        let marked = dirty.filter { jobs[$0.ticket] != nil }
        dirty.removeAll(keepingCapacity: true)
        for job in marked where jobs[job.ticket] != nil { job.settle() }
        return !marked.isEmpty
    }

    private func checkJobs() {
        guard let due = nextCheck, now >= due else { return }
        nextCheck = jobs.values.map { $0.check() }.min()
    }

    private func poll() {
        let wait = min(nextCheck.map { $0 - now } ?? Self.longestPoll, Self.longestPoll)
        // Rounded up: otherwise the loop would spin for the last millisecond.
        unsafe curl_multi_poll(multi, nil, 0, CInt(max((wait / .milliseconds(1)).rounded(.up), 0)), nil)
    }
}

@available(*, unavailable) extension DriverLoop: Sendable {}

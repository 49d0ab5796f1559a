internal import Platform

/// The time limits of a relay, and which end each failure is charged to.
extension BlobRelay {
    func check() -> ContinuousClock.Instant {
        let (now, limits) = (loop.now, loop.configuration)
        var due = now + min(limits.stallLimit, limits.leastRateWindow) / 4
        if let wait = sourceWaitsUntil {
            if now >= wait { mark() } else { due = min(due, wait) }
        }
        if source != nil {
            if sourceIsPaused { sourceMoved = now }
            if now >= sourceMoved + limits.stallLimit {
                failAll(sourceError(.stalled, "moved no byte for \(limits.stallLimit)"))
                return due
            }
            let isHeldBack = sourceIsPaused || sourceWaitsUntil != nil
            if sourceRate.isMissed(moving: sourceReceived, at: now, excused: isHeldBack) {
                failAll(sourceError(.stalled, sourceRate.words))
                return due
            }
            due = min(due, sourceMoved + limits.stallLimit)
        }
        let live = outlets.filter { $0.isLive && $0.hasBegun }
        for outlet in live {
            let uploaded = outlet.look(at: now)
            if blob.isDrained(outlet.index) {
                // It has nothing to send, so the time does not count.
                if uploaded >= blob.delivered(outlet.index) { outlet.lastMoved = now }
            } else if outlet.isWaiting {
                if hasRested(outlet) { mark() }
                due = min(due, max(outlet.lastMoved, now) + Self.longestRest)
            }
            let isSent = blob.isDelivered(outlet.index) && uploaded >= request.size
            let limit = isSent ? limits.commitLimit : limits.stallLimit
            let isHeldBack = isSent || outlet.file != nil || blob.isDrained(outlet.index)
            // The limit counts from the last byte that moved, or from when the whole blob was sent, however slowly the
            // answer comes.
            outlet.sentSince = isSent ? outlet.sentSince ?? now : nil
            let since = outlet.sentSince ?? outlet.lastMoved
            if outlet.leastRate.isMissed(moving: uploaded, at: now, excused: isHeldBack) {
                outlet.failure = outlet.error(.stalled, outlet.leastRate.words)
                mark()
            } else if now >= since + limit {
                let moved = "\(blob.delivered(outlet.index)) of \(request.size)"
                outlet.failure = outlet.error(.stalled, "moved no byte for \(limit), after \(moved)")
                mark()
            }
            due = min(due, since + limit)
        }
        if live.count > 1 { due = min(due, letGoOfTheSlow(live)) }
        return max(due, now)
    }

    /// Drops a sink that has kept the ring full for too long while another waited for bytes.
    ///
    /// The ring of a slow sink is filled and half emptied in turns, so a single check may find the ring not full and no
    /// other sink waiting. What counts is the time in which it was so, minus the time in which it was not.
    ///
    /// - Returns: When to check again.
    private func letGoOfTheSlow(_ live: [RelayOutlet]) -> ContinuousClock.Instant {
        let (now, patience) = (loop.now, loop.configuration.patience)
        let passed = lookedAtPace.map { now - $0 } ?? .zero
        lookedAtPace = now
        for outlet in live {
            let waits = live.contains { $0 !== outlet && blob.pressure($0.index) <= Self.almostNothing }
            guard !blob.isVerified, waits, blob.pressure(outlet.index) >= Self.tooMuch else {
                outlet.heldOthersBack = max(outlet.heldOthersBack - passed, .zero)
                continue
            }
            outlet.heldOthersBack += passed
            guard outlet.heldOthersBack >= patience else { continue }
            outlet.failure = outlet.error(
                .outpaced,
                "kept \(live.count - 1) other destinations waiting for \(patience)"
            )
            mark()
        }
        return now + patience / 10
    }
}

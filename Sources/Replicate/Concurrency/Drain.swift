internal import Platform

/// Whether a run must start nothing more.
///
/// A run has one drain. Transfers of bytes go on to their end, and so does an image that lacks only manifests and tags;
/// work that only reads is cancelled. So nothing is left half done at a destination.
public final class Drain: Sendable {
    private struct State {
        var isDraining = false
        var actions: [Int: @Sendable () -> Void] = [:]
        var lastID = 0
    }

    private let state = Lock(State())

    public init() {}

    public var isDraining: Bool { state.withLock { $0.isDraining } }

    /// Begins the drain, so that nothing starts from now on; further calls do nothing.
    public func begin() {
        let actions = state.withLock { state in
            state.isDraining = true
            defer { state.actions = [:] }
            return state.actions.sorted { $0.key < $1.key }.map(\.value)
        }
        for action in actions { action() }
    }

    /// Throws if the drain has begun; call it right before starting something.
    ///
    /// - Throws: ``Drained``
    package func checkOpen() throws {
        if isDraining { throw Drained() }
    }

    /// Runs `action` when the drain begins, or at once if it has begun; `action` must be quick and may run on any
    /// thread.
    ///
    /// - Returns: The id to pass to ``forget(_:)``.
    @discardableResult
    func onDrain(_ action: @escaping @Sendable () -> Void) -> Int {
        let id = state.withLock { state -> Int? in
            guard !state.isDraining else { return nil }
            state.lastID += 1
            state.actions[state.lastID] = action
            return state.lastID
        }
        if id == nil { action() }
        return id ?? 0
    }

    func forget(_ id: Int) { _ = state.withLock { $0.actions.removeValue(forKey: id) } }

    /// Runs work that changes nothing, such as a read or a wait, and cancels it when the drain begins.
    ///
    /// - Throws: What `body` throws; ``Drained`` if the drain cancelled it.
    package func abandoning<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws
        -> Result
    {
        try checkOpen()
        // This call owns the task and waits for its end in any case.
        let task = Task { try await body() }
        let id = onDrain { task.cancel() }
        defer { forget(id) }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch is CancellationError where isDraining && !Task.isCancelled {
            throw Drained()
        }
    }
}

/// The error for work that was not started, or was cancelled before it changed anything, because the run is draining.
package struct Drained: Error, Equatable {
    package init() {}
}

/// A clock whose sleeps end with ``Drained`` when a drain begins.
struct DrainingClock<Base: Clock>: Clock where Base.Duration == Duration {
    typealias Instant = Base.Instant

    let base: Base
    let drain: Drain

    var now: Instant { base.now }
    var minimumResolution: Duration { base.minimumResolution }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await drain.abandoning { try await base.sleep(until: deadline, tolerance: tolerance) }
    }
}

extension Clock where Self.Duration == Swift.Duration {
    /// Returns this clock with sleeps that end with ``Drained`` when the drain begins.
    package func until(_ drain: Drain) -> any Clock<Swift.Duration> { DrainingClock(base: self, drain: drain) }
}

internal import Platform

/// Whether a run is to begin nothing more.
///
/// One for a whole run. What moves bytes goes on to its end, and so does an image that lacks nothing but manifests
/// and tags; what only reads is called off. Nothing that is half done is then left at a destination.
public final class Drain: Sendable {
    private struct State {
        var isDraining = false
        var actions: [Int: @Sendable () -> Void] = [:]
        var lastID = 0
    }

    private let state = Lock(State())

    public init() {}

    public var isDraining: Bool { state.withLock { $0.isDraining } }

    /// From now on nothing is begun; once is enough.
    public func begin() {
        let actions = state.withLock { state in
            state.isDraining = true
            defer { state.actions = [:] }
            return state.actions.sorted { $0.key < $1.key }.map(\.value)
        }
        for action in actions { action() }
    }

    /// To be asked right before something is begun.
    ///
    /// - Throws: ``Drained``
    public func checkOpen() throws {
        if isDraining { throw Drained() }
    }

    /// Does something when the drain begins, at once if it has begun; quick, and on whatever thread that is.
    ///
    /// - Returns: What ``forget(_:)`` takes.
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

    /// Runs what changes nothing, a reading or a wait, and calls it off when the drain begins.
    ///
    /// - Throws: What `body` throws; ``Drained`` if it was called off.
    func abandoning<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
        try checkOpen()
        // Owned by this call, which waits for it to end in any case.
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

/// Not begun, or called off before it had changed anything, because the run is to end.
public struct Drained: Error, Equatable {
    public init() {}
}

/// A clock whose sleepers wake when a drain begins, and find that it has.
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
    /// The same time; who sleeps on it is woken by ``Drained``.
    public func until(_ drain: Drain) -> any Clock<Swift.Duration> { DrainingClock(base: self, drain: drain) }
}

/// A point in the code under test where tasks wait until the test lets them continue.
public actor Gate {
    private var isOpen = false
    private var wasReached = false
    private var waiting: [CheckedContinuation<Void, Never>] = []
    private var observers: [CheckedContinuation<Void, Never>] = []

    public init() {}

    /// Waits until the gate is open, which a cancellation also causes.
    public func wait() async {
        markReached()
        guard !isOpen else { return }
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiting.append($0) }
        } onCancel: {
            Task { await self.open() }
        }
    }

    /// Ends ``reached()`` without waiting.
    public func markReached() {
        wasReached = true
        for observer in observers { observer.resume() }
        observers = []
    }

    /// Returns when the first task has reached the gate.
    public func reached() async {
        guard !wasReached else { return }
        await withCheckedContinuation { observers.append($0) }
    }

    public func open() {
        isOpen = true
        for task in waiting { task.resume() }
        waiting = []
    }
}

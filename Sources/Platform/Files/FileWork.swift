internal import Dispatch

/// Runs work that waits for a disk outside Swift's cooperative pool, which has one thread for each core.
public enum FileWork {
    /// Runs `body` on a thread that may block.
    ///
    /// - Parameter body: Gets a function that says whether the task has been cancelled, to call now and then.
    /// - Throws: What `body` throws.
    public static func run<Value: Sendable>(
        _ body: @escaping @Sendable (_ isCancelled: () -> Bool) throws -> Value
    ) async throws -> Value {
        let isCancelled = Lock(false)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                FileQueue().run {
                    continuation.resume(with: Result { try body { isCancelled.withLock { $0 } } })
                }
            }
        } onCancel: {
            isCancelled.withLock { $0 = true }
        }
    }
}

/// Runs functions one after another, in order, on a thread that may wait for a disk.
///
/// A blocked queue holds up neither another queue nor a task, because Dispatch gives serial queues threads of their own
/// (docs/facts/swift-linux.md#threads-and-actors).
public struct FileQueue: Sendable {
    private let queue = DispatchQueue(label: "ecr-replicate.files")

    public init() {}

    /// Runs `body` after everything that was given to this queue before; returns at once.
    public func run(_ body: @escaping @Sendable () -> Void) { queue.async(execute: body) }
}

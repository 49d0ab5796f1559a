internal import Dispatch

/// Runs work that waits for a disk outside Swift's cooperative pool, which has one thread for each core.
public enum FileWork {
    /// The most pieces of work that run at the same time; each thread costs memory.
    static let width = 4

    private static let queues = (0..<width).map { _ in FileQueue() }
    /// The number of pieces of work that each queue has not finished.
    private static let unfinished = Lock(Array(repeating: 0, count: width))

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
                let chosen = unfinished.withLock { counts in
                    let index = counts.indices.min { counts[$0] < counts[$1] } ?? 0
                    counts[index] += 1
                    return index
                }
                queues[chosen].run {
                    let result = Result { try body { isCancelled.withLock { $0 } } }
                    unfinished.withLock { $0[chosen] -= 1 }
                    continuation.resume(with: result)
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

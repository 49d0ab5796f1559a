internal import Dispatch

/// Work that waits for a disk, on threads of its own: the cooperative pool has one thread for each core.
public enum FileWork {
    private static let queue = DispatchQueue(label: "ecr-replicate.files", attributes: .concurrent)

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
                queue.async {
                    continuation.resume(with: Result { try body { isCancelled.withLock { $0 } } })
                }
            }
        } onCancel: {
            isCancelled.withLock { $0 = true }
        }
    }
}

import Platform

/// The lines that a child has written to one of its streams.
public final class LineRecord: Sendable {
    private struct Waiter {
        let condition: @Sendable (String) -> Bool
        let continuation: CheckedContinuation<String, any Error>
    }

    private struct State {
        var bytes: [UInt8] = []
        var lineStart = 0
        var lines: [String] = []
        var isOver = false
        var waiters: [Waiter] = []

        mutating func add(_ more: [UInt8]) {
            bytes += more
            while let newline = bytes[lineStart...].firstIndex(of: 10) { endLine(at: newline) }
        }

        mutating func end() {
            if lineStart < bytes.count { endLine(at: bytes.count) }
            isOver = true
            for waiter in waiters { waiter.continuation.resume(throwing: Self.over(bytes)) }
            waiters = []
        }

        private mutating func endLine(at end: Int) {
            let line = String(decoding: bytes[lineStart..<end], as: UTF8.self)
            lineStart = end + 1
            lines.append(line)
            for waiter in waiters where waiter.condition(line) { waiter.continuation.resume(returning: line) }
            waiters.removeAll { $0.condition(line) }
        }

        static func over(_ bytes: [UInt8]) -> ChildError {
            ChildError("the awaited line never came; this did:\n\(String(decoding: bytes, as: UTF8.self))")
        }
    }

    private let state = Lock(State())

    /// All lines so far.
    public var bytes: [UInt8] { state.withLock { $0.bytes } }

    func add(_ more: [UInt8]) { state.withLock { $0.add(more) } }

    func end() { state.withLock { $0.end() } }

    /// Returns the first line that meets the condition, and waits for it if necessary.
    ///
    /// - Throws: An error if the stream ended without such a line.
    public func first(where condition: @escaping @Sendable (String) -> Bool) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { state in
                if let line = state.lines.first(where: condition) {
                    continuation.resume(returning: line)
                } else if state.isOver {
                    continuation.resume(throwing: State.over(state.bytes))
                } else {
                    state.waiters.append(Waiter(condition: condition, continuation: continuation))
                }
            }
        }
    }
}

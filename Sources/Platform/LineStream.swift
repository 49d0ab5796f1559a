internal import Glibc

/// An output stream, such as standard output or standard error, that writes whole texts.
///
/// It writes to the file descriptor without a buffer, so a text has been written when the call returns, and texts of
/// several threads never mix. A reader that closes its end (`| head`) is not an error. Any other failure, such as a full
/// disk behind `>`, is kept in ``failure``, because a lost result must not end as success.
///
/// On a terminal, lines can be pinned below all others: each write clears them and draws them again.
public final class LineStream: Sendable {
    public static let standardOutput = LineStream(descriptor: STDOUT_FILENO)
    public static let standardError = LineStream(descriptor: STDERR_FILENO)

    public let descriptor: CInt
    private let state = Lock(State())

    private struct State {
        var readerIsGone = false
        var failure: SystemError?
        var pinned: [String] = []
        /// The number of ``withoutPins(_:)`` calls that are running.
        var callsWithoutPins = 0
        /// Whether the last write ended in the middle of a line; lines are pinned under whole lines only.
        var isMidLine = false
    }

    /// - Parameter descriptor: Open for writing; the caller closes it.
    public init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Writes `text` and a newline.
    public func writeLine(_ text: String) { write(text + "\n") }

    /// Writes `text` as it is.
    public func write(_ text: String) {
        // The lock is held even while the terminal is slow, so that lines stay whole and in order.
        state.withLock { state in
            guard !text.isEmpty else { return }
            if state.pinned.isEmpty {
                emit(text, &state)
            } else {
                emit(Self.up(state.pinned.count) + Self.eraseBelow + text, &state)
                if text.hasSuffix("\n") { emit(Self.lines(state.pinned), &state) } else { state.pinned = [] }
            }
            state.isMidLine = !text.hasSuffix("\n")
        }
    }

    /// Shows `lines` below everything else on the terminal, in place of the lines pinned before.
    ///
    /// The terminal must be one that can be redrawn, and each line must fit into one line of it.
    public func pin(_ lines: [String]) {
        state.withLock { state in
            guard state.callsWithoutPins == 0, !state.isMidLine, !(lines.isEmpty && state.pinned.isEmpty) else {
                return
            }
            // To avoid flicker, each line is cleared and written again, and the rest of the last drawing is cleared
            // afterwards.
            var text = Self.up(state.pinned.count) + Self.lines(lines)
            if state.pinned.count > lines.count { text += Self.eraseBelow }
            state.pinned = lines
            emit(text, &state)
        }
    }

    /// Clears the pinned lines and pins nothing while `body` runs, so that lines of another writer aren't overwritten.
    public func withoutPins<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
        state.withLock { state in
            if !state.pinned.isEmpty { emit(Self.up(state.pinned.count) + Self.eraseBelow, &state) }
            state.pinned = []
            state.callsWithoutPins += 1
        }
        defer { state.withLock { $0.callsWithoutPins -= 1 } }
        return try await body()
    }

    /// The codes that move to the first pinned line.
    ///
    /// They begin with a carriage return, because the terminal may have echoed `^C`.
    ///
    /// - Source: ECMA-48: carriage return, cursor up, erase in page, erase in line
    private static func up(_ count: Int) -> String { count > 0 ? "\r\u{1B}[\(count)A" : "" }
    private static let eraseBelow = "\u{1B}[0J"
    private static func lines(_ lines: [String]) -> String { lines.map { "\u{1B}[2K\($0)\n" }.joined() }

    private func emit(_ text: String, _ state: inout State) {
        let bytes = Array(text.utf8)
        guard !state.readerIsGone, state.failure == nil else { return }
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes[written...].withUnsafeBytes { rest in
                retried { unsafe Glibc.write(descriptor, rest.baseAddress, rest.count) }
            }
            if count > 0 {
                written += count
            } else if errno == EAGAIN {
                waitForRoom()
            } else if errno == EPIPE {
                state.readerIsGone = true
                return
            } else {
                state.failure = .last("write", name)
                return
            }
        }
    }

    /// The first write that failed; `nil` if none did, or if the reader closed its end.
    public var failure: SystemError? { state.withLock { $0.failure } }

    /// Whether the reader has closed its end, even if no write has failed yet.
    public var isReaderGone: Bool {
        var wanted = pollfd(fd: descriptor, events: 0, revents: 0)
        let count = unsafe poll(&wanted, 1, 0)
        return count > 0 && wanted.revents & Int16(POLLERR | POLLHUP) != 0
    }

    /// Waits until a non-blocking stream can be written: a shell may have set the terminal to non-blocking.
    private func waitForRoom() {
        var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        unsafe poll(&wanted, 1, -1)
    }

    private var name: String {
        switch descriptor {
        case STDOUT_FILENO: "standard output"
        case STDERR_FILENO: "standard error"
        default: "descriptor \(descriptor)"
        }
    }
}

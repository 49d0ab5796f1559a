internal import Glibc

/// Standard output or standard error, written by whole texts.
///
/// It writes to the file descriptor, unbuffered: what was written is out when the call returns, and texts of
/// several threads never mix. A reader that went away (`| head`) is no error; anything else, such as a full
/// disk behind `>`, is kept in ``failure``, because a result that nobody got must not end as success.
///
/// On a terminal some lines may be pinned below all others: whatever is written takes them away and puts them back.
public final class LineStream: Sendable {
    public static let standardOutput = LineStream(descriptor: STDOUT_FILENO)
    public static let standardError = LineStream(descriptor: STDERR_FILENO)

    public let descriptor: CInt
    private let state = Lock(State())

    private struct State {
        var readerIsGone = false
        var failure: SystemError?
        var pinned: [String] = []
        /// How many have the terminal to themselves just now.
        var guests = 0
        /// What was written last ended in the middle of a line; lines are pinned under whole ones only.
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
        // The lock is held while the terminal takes its time: order and wholeness of lines are what it is for.
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

    /// Shows `lines` below everything that was and will be written, in place of those pinned before.
    ///
    /// For terminals that can be redrawn; each must fit into one line of it.
    public func pin(_ lines: [String]) {
        state.withLock { state in
            guard state.guests == 0, !state.isMidLine, !(lines.isEmpty && state.pinned.isEmpty) else { return }
            // Each line is cleared and written anew, and then what was left of the last drawing: nothing flickers.
            var text = Self.up(state.pinned.count) + Self.lines(lines)
            if state.pinned.count > lines.count { text += Self.eraseBelow }
            state.pinned = lines
            emit(text, &state)
        }
    }

    /// Pins nothing while `body` runs, and takes away what is pinned: somebody else writes to the terminal, whose lines a
    /// drawing would wipe away.
    public func withoutPins<Value: Sendable>(_ body: @Sendable () async throws -> Value) async rethrows -> Value {
        state.withLock { state in
            if !state.pinned.isEmpty { emit(Self.up(state.pinned.count) + Self.eraseBelow, &state) }
            state.pinned = []
            state.guests += 1
        }
        defer { state.withLock { $0.guests -= 1 } }
        return try await body()
    }

    /// From the line's beginning: the terminal may have written there what was typed, as `^C`.
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

    /// Why something didn't get out; `nil` if all did, or if the reader didn't want the rest.
    public var failure: SystemError? { state.withLock { $0.failure } }

    /// Whether whoever read this went away, which no write needs to have shown.
    public var isReaderGone: Bool {
        var wanted = pollfd(fd: descriptor, events: 0, revents: 0)
        let count = unsafe poll(&wanted, 1, 0)
        return count > 0 && wanted.revents & Int16(POLLERR | POLLHUP) != 0
    }

    /// Somebody else's shell may have made the terminal non-blocking.
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

internal import Glibc

/// Standard output or standard error, written by whole texts.
///
/// It writes to the file descriptor, unbuffered: what was written is out when the call returns, and texts of
/// several threads never mix. A reader that went away (`| head`) is no error; anything else, such as a full
/// disk behind `>`, is kept in ``failure``, because a result that nobody got must not end as success.
public final class LineStream: Sendable {
    public static let standardOutput = LineStream(descriptor: STDOUT_FILENO)
    public static let standardError = LineStream(descriptor: STDERR_FILENO)

    public let descriptor: CInt
    private let state = Lock(State())

    private struct State {
        var readerIsGone = false
        var failure: SystemError?
    }

    /// - Parameter descriptor: Open for writing; the caller closes it.
    public init(descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Writes `text` and a newline.
    public func writeLine(_ text: String) { write(text + "\n") }

    /// Writes `text` as it is.
    public func write(_ text: String) {
        let bytes = Array(text.utf8)
        // The lock is held while the terminal takes its time: order and wholeness of lines are what it is for.
        state.withLock { state in
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
    }

    /// Why something didn't get out; `nil` if all did, or if the reader didn't want the rest.
    public var failure: SystemError? { state.withLock { $0.failure } }

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

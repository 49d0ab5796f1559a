internal import Glibc

/// A request to stop, as the operating system delivers it.
public struct Termination: Sendable, Equatable {
    public enum Signal: Sendable, Equatable {
        case interrupt
        case terminate

        /// 128 and the number of the signal, as shells report it.
        public var exitCode: Int32 { self == .interrupt ? 130 : 143 }
    }

    public let signal: Signal
    /// The number of signals since the first listener, this one included.
    ///
    /// At 1, finish what was begun; from 2 on, stop now.
    public let ordinal: Int

    public init(signal: Signal, ordinal: Int) {
        self.signal = signal
        self.ordinal = ordinal
    }
}

/// SIGINT, SIGTERM and SIGPIPE, for the whole process.
///
/// These are handlers, not `SIG_IGN` or a mask: child processes inherit those two, and a credential process would no
/// longer end on Ctrl-C or on a broken pipe. `exec` resets a handler.
public enum Signals {
    /// Makes a write to a closed pipe an error instead of the end of the process.
    public static func surviveBrokenPipes() {
        install(SIGPIPE) { _ in }
    }

    /// Each SIGINT and SIGTERM that arrives while the stream is being read.
    ///
    /// While any such stream is alive these signals don't end the process; after the last stream they do again.
    public static func terminations() -> AsyncStream<Termination> {
        let (stream, continuation) = AsyncStream.makeStream(of: Termination.self)
        let identifier = listeners.withLock { $0.add(continuation) }
        continuation.onTermination = { _ in listeners.withLock { $0.remove(identifier) } }
        return stream
    }

    private static let listeners = Lock(Listeners())

    private struct Listeners {
        private var continuations: [Int: AsyncStream<Termination>.Continuation] = [:]
        private var nextIdentifier = 0
        private var seen = 0
        private var isReading = false

        mutating func add(_ continuation: AsyncStream<Termination>.Continuation) -> Int {
            if continuations.isEmpty {
                seen = 0
                startReading()
                install(SIGINT, noteSignal)
                install(SIGTERM, noteSignal)
            }
            nextIdentifier += 1
            continuations[nextIdentifier] = continuation
            return nextIdentifier
        }

        mutating func remove(_ identifier: Int) {
            guard continuations.removeValue(forKey: identifier) != nil, continuations.isEmpty else { return }
            signal(SIGINT, SIG_DFL)
            signal(SIGTERM, SIG_DFL)
        }

        mutating func deliver(_ number: UInt8) {
            seen += 1
            let termination = Termination(signal: CInt(number) == SIGINT ? .interrupt : .terminate, ordinal: seen)
            for continuation in continuations.values { continuation.yield(termination) }
        }

        /// Starts the thread that reads the pipe, once for the life of the process: a handler may only write to a pipe.
        private mutating func startReading() {
            guard !isReading else { return }
            var ends: [CInt] = [0, 0]
            guard unsafe pipe(&ends) == 0 else {
                fatalError("\(SystemError.last("pipe")); are there too many open files?")
            }
            // The reading end may wait; the writing end must not, or a full pipe would stop the handler.
            _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            unsafe signalPipe = (ends[0], ends[1])
            var thread = pthread_t()
            guard unsafe pthread_create(&thread, nil, readSignals, nil) == 0 else {
                fatalError("the system gives no thread to wait for signals")
            }
            pthread_detach(thread)
            isReading = true
        }
    }

    fileprivate static func deliver(_ number: UInt8) {
        listeners.withLock { $0.deliver(number) }
    }

    private static func install(_ number: CInt, _ handler: @escaping @convention(c) (CInt) -> Void) {
        var action = sigaction()
        unsafe action.__sigaction_handler.sa_handler = handler
        action.sa_flags = SA_RESTART
        unsafe sigaction(number, &action, nil)
    }
}

/// Written once, before the first handler is installed, and only read after that.
private nonisolated(unsafe) var signalPipe: (reading: CInt, writing: CInt) = (-1, -1)

/// The signal handler.
///
/// It runs in the interrupted thread, so it may not allocate, lock or trap.
private func noteSignal(_ number: CInt) {
    let before = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = unsafe write(signalPipe.writing, &byte, 1)
    errno = before
}

/// The thread that reads the pipe.
///
/// A global function, because a new thread may not enter a closure that was made in an isolated context
/// (docs/facts/swift-linux.md#threads-and-actors).
private func readSignals(_: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    var byte: UInt8 = 0
    while true {
        let count = retried { unsafe read(signalPipe.reading, &byte, 1) }
        guard count == 1 else { return nil }
        Signals.deliver(byte)
    }
}

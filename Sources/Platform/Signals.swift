internal import Glibc

/// A signal that asks the process to stop.
public struct Termination: Sendable, Equatable {
    public enum Signal: Sendable, Equatable {
        case interrupt
        case terminate

        /// The exit code that shells use for the signal: 128 plus its number.
        public var exitCode: Int32 { self == .interrupt ? 130 : 143 }
    }

    public let signal: Signal
    /// The number of signals since the first listener, this one included.
    ///
    /// After the first signal, finish running work; after the second, stop at once.
    public let ordinal: Int

    public init(signal: Signal, ordinal: Int) {
        self.signal = signal
        self.ordinal = ordinal
    }
}

/// Handles SIGINT, SIGTERM and SIGPIPE for the whole process.
///
/// It installs handlers, not `SIG_IGN` or a mask, because child processes inherit those two: a credential process would
/// no longer end on Ctrl-C or on a broken pipe. `exec` resets a handler.
public enum Signals {
    /// Makes a write to a closed pipe an error instead of the end of the process.
    public static func surviveBrokenPipes() {
        install(SIGPIPE) { _ in }
    }

    /// A stream of each SIGINT and SIGTERM that arrives.
    ///
    /// These signals don't end the process while such a stream is alive; after the last stream they do again.
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

        /// Starts the thread that reads the pipe, once per process; all that a handler may do is write to that pipe.
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
                fatalError("can't start a thread to wait for signals")
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

/// The pipe from the signal handler to the thread that reads it.
///
/// It is written once, before the first handler is installed, and only read afterwards.
private nonisolated(unsafe) var signalPipe: (reading: CInt, writing: CInt) = (-1, -1)

/// The signal handler; it runs in the interrupted thread, so it may not allocate, lock or trap.
private func noteSignal(_ number: CInt) {
    let before = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = unsafe write(signalPipe.writing, &byte, 1)
    errno = before
}

/// The thread that reads the pipe.
///
/// It is a global function, because a new thread may not enter a closure that was made in an isolated context
/// (docs/facts/swift-linux.md#threads-and-actors).
private func readSignals(_: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    var byte: UInt8 = 0
    while true {
        let count = retried { unsafe read(signalPipe.reading, &byte, 1) }
        guard count == 1 else { return nil }
        Signals.deliver(byte)
    }
}

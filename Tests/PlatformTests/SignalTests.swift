import Glibc
import Platform
import Testing

/// The tests run one after another, because a signal's handler belongs to the whole process.
@Suite("Signals", .serialized, .timeLimit(.minutes(1)))
struct SignalTests {
    @Test("are delivered in order, with the first and the second distinguished")
    func order() async {
        var seen = Signals.terminations().makeAsyncIterator()
        kill(getpid(), SIGINT)
        #expect(await seen.next() == Termination(signal: .interrupt, ordinal: 1))
        kill(getpid(), SIGTERM)
        #expect(await seen.next() == Termination(signal: .terminate, ordinal: 2))
        kill(getpid(), SIGINT)
        #expect(await seen.next() == Termination(signal: .interrupt, ordinal: 3))
    }

    @Test("are delivered to all listeners, and counted from 1 for the next one")
    func several() async {
        do {
            var first = Signals.terminations().makeAsyncIterator()
            var second = Signals.terminations().makeAsyncIterator()
            kill(getpid(), SIGTERM)
            #expect(await first.next() == Termination(signal: .terminate, ordinal: 1))
            #expect(await second.next() == Termination(signal: .terminate, ordinal: 1))
        }
        var third = Signals.terminations().makeAsyncIterator()
        kill(getpid(), SIGTERM)
        #expect(await third.next() == Termination(signal: .terminate, ordinal: 1))
    }

    @Test("end the process again after the last listener", arguments: [SIGINT, SIGTERM])
    func restored(number: CInt) async {
        let reader = Task { for await _ in Signals.terminations() {} }
        reader.cancel()
        await reader.value
        #expect(isDefault(number))
        let stream = Signals.terminations()
        #expect(!isDefault(number))
        withExtendedLifetime(stream) {}
    }

    @Test("of broken pipes don't end this process, and do end child processes")
    func brokenPipes() {
        Signals.surviveBrokenPipes()
        kill(getpid(), SIGPIPE)
        var action = sigaction()
        sigaction(SIGPIPE, nil, &action)
        #expect(unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) > 1)
    }

    @Test("have the exit codes of shells")
    func exitCodes() {
        #expect(Termination.Signal.interrupt.exitCode == 130)
        #expect(Termination.Signal.terminate.exitCode == 143)
    }

    private func isDefault(_ number: CInt) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 0
    }
}

import Glibc
import Platform
import Testing

/// One suite, in order: what a process does on a signal is one thing for all its threads.
@Suite("Signals", .serialized, .timeLimit(.minutes(1)))
struct SignalTests {
    @Test("are told in order, the second apart from the first")
    func order() async {
        var seen = Signals.terminations().makeAsyncIterator()
        kill(getpid(), SIGINT)
        #expect(await seen.next() == Termination(signal: .interrupt, ordinal: 1))
        kill(getpid(), SIGTERM)
        #expect(await seen.next() == Termination(signal: .terminate, ordinal: 2))
        kill(getpid(), SIGINT)
        #expect(await seen.next() == Termination(signal: .interrupt, ordinal: 3))
    }

    @Test("are told to everybody who listens, and counted anew for the next one")
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

    @Test("end the process again when nobody listens any more", arguments: [SIGINT, SIGTERM])
    func restored(number: CInt) async {
        let reader = Task { for await _ in Signals.terminations() {} }
        reader.cancel()
        await reader.value
        #expect(isDefault(number))
        let stream = Signals.terminations()
        #expect(!isDefault(number))
        withExtendedLifetime(stream) {}
    }

    @Test("of broken pipes are survived, and not ignored by the programs we start")
    func brokenPipes() {
        Signals.surviveBrokenPipes()
        kill(getpid(), SIGPIPE)
        var action = sigaction()
        sigaction(SIGPIPE, nil, &action)
        #expect(unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) > 1)
    }

    @Test("have the exit codes that shells know")
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

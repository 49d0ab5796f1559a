internal import Glibc

/// A question to the person at the terminal that the process belongs to, whatever its streams are connected with.
public enum TerminalQuestion {
    /// Between two looks at whether something was typed.
    private static let interval: Duration = .milliseconds(50)
    /// In bytes; what is longer isn't an answer.
    private static let longest = 1_024

    /// Asks, and waits for a line.
    ///
    /// What is typed is seen, so that nothing has to be put right on the terminal if the process is killed meanwhile: this
    /// is for codes that are good once, not for passwords.
    ///
    /// - Returns: Without the line's end; `nil` where there is no terminal, or it belongs to another job.
    /// - Throws: `CancellationError`
    public static func ask(_ question: String, clock: any Clock<Duration> = ContinuousClock()) async throws -> String? {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard terminal >= 0 else { return nil }
        defer { close(terminal) }
        // A job in the background would be stopped for asking.
        guard tcgetpgrp(terminal) == getpgrp() else { return nil }
        // What was typed before is no answer.
        tcflush(terminal, TCIFLUSH)
        let bytes = Array(question.utf8)
        guard unsafe write(terminal, bytes, bytes.count) == bytes.count else { return nil }
        var answer: [UInt8] = []
        while answer.count < longest {
            var room = [UInt8](repeating: 0, count: longest)
            let count = unsafe read(terminal, &room, room.count)
            if count > 0 {
                answer += room.prefix(count)
                if let end = answer.firstIndex(of: UInt8(ascii: "\n")) {
                    return String(decoding: answer[..<end], as: UTF8.self)
                }
            } else if count == 0 {
                // The end of input (^D) is an answer, too.
                return String(decoding: answer, as: UTF8.self)
            } else if errno == EAGAIN || errno == EINTR {
                try await clock.sleep(for: interval)
            } else {
                return nil
            }
        }
        return nil
    }
}

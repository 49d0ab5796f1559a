internal import Glibc

/// Asks a question on the terminal of this process, even if its streams are redirected.
public enum TerminalQuestion {
    /// The interval at which input is polled.
    private static let interval: Duration = .milliseconds(50)
    /// The longest answer, in bytes; a longer line is ignored.
    private static let longest = 1_024

    /// Prints the question and waits for a line.
    ///
    /// The input is echoed, because a process that is killed couldn't turn the echo on again. Use it for one-time codes,
    /// not for passwords.
    ///
    /// - Returns: The line without its line break; `nil` if there is no terminal, or it belongs to another job.
    /// - Throws: `CancellationError`
    public static func ask(_ question: String, clock: any Clock<Duration> = ContinuousClock()) async throws -> String? {
        let terminal = unsafe open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard terminal >= 0 else { return nil }
        defer { close(terminal) }
        // The kernel would stop a background job that reads from the terminal.
        guard tcgetpgrp(terminal) == getpgrp() else { return nil }
        // Input from before the question is not an answer.
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
                // The end of input (^D) ends the answer too.
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

internal import Logging
internal import Wire

/// The environment, transport and clocks that a provider of credentials needs.
///
/// Providers don't hold the resolver: it holds them, and a cycle would keep both alive.
struct Surroundings: Sendable {
    let environment: AWSEnvironment
    let sender: any HTTPSending
    let retry: RetryPolicy
    let logger: Logger
    let clocks: ServiceClocks
    let interview: Interview?
    /// Whether the run has been asked to stop, for example by ^C.
    let isStopping: @Sendable () -> Bool

    /// Asks the person at the terminal for the code that an MFA device shows.
    ///
    /// - Parameter preface: Text to show before the question.
    /// - Throws: ``IdentityError`` where there is no terminal.
    func code(of serial: String, for role: String, _ place: String, preface: String = "") async throws -> String {
        var preface = preface
        for _ in 0..<Self.questions {
            guard let interview, let answer = try await interview.ask("\(preface)MFA code of \(serial), for \(role): ")
            else {
                throw IdentityError(
                    "the role \(role) wants a code of the device \(serial), and there is no terminal to ask at",
                    tried: [place],
                    remedy: "run it at a terminal, or give it keys of a session: `aws configure export-credentials`"
                )
            }
            let code = String(trimmed(answer))
            if code.utf8.count == Self.codeLength, code.utf8.allSatisfy(Self.digits.contains) { return code }
            preface = "That was no code of \(Self.codeLength) digits.\n"
        }
        throw IdentityError("that was no code of \(Self.codeLength) digits", tried: [place], remedy: "run again")
    }

    /// How often a person who mistypes a code is asked again.
    private static let questions = 3
    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    /// The number of digits in a code (docs/facts/identity.md#sts).
    private static let codeLength = 6
}

/// Asks a person questions, one after the other.
actor Interview {
    private let question: @Sendable (String) async throws -> String?
    private var last: Task<Void, Never>?

    init(_ question: @escaping @Sendable (String) async throws -> String?) { self.question = question }

    /// - Returns: `nil` where there is no person to ask.
    func ask(_ text: String) async throws -> String? {
        let before = last
        let task = Task { [question] in
            await before?.value
            try Task.checkCancellation()
            return try await question(text)
        }
        // The next question waits for this task, so that questions don't overlap.
        last = Task { _ = await task.result }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

internal import Logging
internal import Wire

/// What a provider of credentials needs of the world around it.
///
/// Not the resolver, which remembers the providers: neither would ever be freed.
struct Surroundings: Sendable {
    let environment: AWSEnvironment
    let sender: any HTTPSending
    let retry: RetryPolicy
    let logger: Logger
    let clocks: ServiceClocks
    let interview: Interview?
    /// Whether the run has been asked to end, as by ^C.
    let isStopping: @Sendable () -> Bool

    /// What a device shows to the person at the terminal.
    ///
    /// - Parameter preface: What to say before.
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

    /// How often a person who mistypes a code is asked for it.
    private static let questions = 3
    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")

    /// In digits (docs/facts/identity.md#sts).
    private static let codeLength = 6
}

/// Puts questions to a person, one after the other.
actor Interview {
    private let question: @Sendable (String) async throws -> String?
    private var last: Task<Void, Never>?

    init(_ question: @escaping @Sendable (String) async throws -> String?) { self.question = question }

    /// - Returns: `nil` where there is nobody to ask.
    func ask(_ text: String) async throws -> String? {
        let before = last
        let task = Task { [question] in
            await before?.value
            try Task.checkCancellation()
            return try await question(text)
        }
        // Awaited by the next question, which mustn't be asked before this one is answered.
        last = Task { _ = await task.result }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }
}

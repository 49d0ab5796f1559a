internal import Content
internal import Platform

/// Questions to the user at the terminal, asked one at a time.
struct UserPrompt: Sendable {
    /// Shows a question and returns the answer; `nil` where there is no terminal.
    private let ask: @Sendable (String) async throws -> String?
    private let turns = WaitQueue<Int, Void, Bool>()

    /// How often a user who mistypes a code is asked.
    private static let mostQuestions = 3
    private static let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    /// The number of digits in a code (docs/facts/identity.md#sts).
    private static let codeLength = 6

    init(_ ask: @escaping @Sendable (String) async throws -> String?) { self.ask = ask }

    /// Asks for the code that an MFA device shows.
    ///
    /// - Parameters:
    ///   - place: The place that names the role, for errors.
    ///   - preface: Text to show before the question.
    /// - Throws: ``IdentityError`` where there is no terminal, or when no answer is a code.
    func code(of serial: String, for role: String, _ place: String, preface: String = "") async throws -> String {
        var preface = preface
        for _ in 0..<Self.mostQuestions {
            let question = "\(preface)MFA code of \(serial), for \(role): "
            guard let answer = try await turns.inTurn({ try await ask(question) }) else {
                throw Self.noTerminal(serial, role, place)
            }
            let code = String(trimmed(answer))
            if code.utf8.count == Self.codeLength, code.utf8.allSatisfy(Self.digits.contains) { return code }
            preface = "That is not a code of \(Self.codeLength) digits.\n"
        }
        throw IdentityError(
            "the MFA code is not \(Self.codeLength) digits",
            tried: [place],
            remedy: "run again, and type the digits that the device shows"
        )
    }

    static func noTerminal(_ serial: String, _ role: String, _ place: String) -> IdentityError {
        IdentityError(
            "the role \(role) requires an MFA code of \(serial), and there is no terminal to ask for it",
            tried: [place],
            remedy: "run the command in a terminal, or give it the keys of a session: `aws configure "
                + "export-credentials` prints them"
        )
    }
}

internal import Logging
internal import Wire

/// The environment, transport and clocks that a provider of credentials needs.
///
/// Providers don't hold the resolver: it holds them, and a cycle would keep both alive.
struct ProviderContext: Sendable {
    let environment: AWSEnvironment
    let sender: any HTTPSending
    let retry: RetryPolicy
    let logger: Logger
    let clocks: ServiceClocks
    /// Asks the user; `nil` where there is no terminal.
    let prompt: UserPrompt?
    /// Whether the run has been asked to stop, for example by ^C.
    let isStopping: @Sendable () -> Bool

    /// Asks the user for the code that an MFA device shows.
    ///
    /// - Parameter preface: Text to show before the question.
    /// - Throws: ``IdentityError`` where there is no terminal, or when no answer is a code.
    func code(of serial: String, for role: String, _ place: String, preface: String = "") async throws -> String {
        guard let prompt else { throw UserPrompt.noTerminal(serial, role, place) }
        return try await prompt.code(of: serial, for: role, place, preface: preface)
    }
}

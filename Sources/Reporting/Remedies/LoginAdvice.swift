internal import Content
internal import Distribution
internal import Wire

/// What to do where a registry that is not ECR refuses who asks, or wants them to log in.
struct LoginAdvice {
    private let commands: LoginCommands
    /// Whether a stored login was sent, and refused or used up.
    private let hasLogin: Bool

    /// - Parameter login: The program that stored the login which was used; `nil` where none was.
    init(_ registry: PlainRegistry, login: LoginTool?) {
        commands = LoginCommands(registry: registry.authority, tool: login)
        hasLogin = login != nil
    }

    /// After a refusal for lack of permission.
    var refused: String {
        guard hasLogin else {
            let alternative = commands.isECRPublic ? "" : " (or podman login)"
            return "log in with: \(commands.login)\(alternative), as somebody who may"
        }
        return "log in again, as somebody who may: \(commands.login)\n    or, if the image is public, log out: "
            + commands.logout
    }

    /// After a refusal because too much was pulled, or because of a wait that is too long.
    ///
    /// - Parameter wait: What the registry asks for, if it says so.
    func usedUp(_ wait: Duration?) -> String {
        let later = "run again \(wait.map { "in \($0.inWords)" } ?? "when the limit is reset")"
        return hasLogin
            ? "\(later), or log in to an account with a higher limit: \(commands.login)"
            : "log in, which has a higher limit: \(commands.login)\n    or \(later)"
    }
}

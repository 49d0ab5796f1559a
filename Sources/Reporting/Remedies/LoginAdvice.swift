internal import Content
internal import Distribution
internal import Wire

/// What to do when a registry that is not ECR refuses the caller or requires a login.
struct LoginAdvice {
    private let commands: LoginCommands
    /// Whether a stored login was sent, and was refused or had used up its limit.
    private let hasLogin: Bool

    /// - Parameter login: The program that stored the login that was used; `nil` if none was.
    init(_ registry: PlainRegistry, login: LoginTool?) {
        commands = LoginCommands(registry: registry.authority, tool: login)
        hasLogin = login != nil
    }

    /// The advice after a refusal for lack of permission.
    var refused: String {
        guard hasLogin else {
            let alternative = commands.isECRPublic ? "" : " (or podman login)"
            return "log in with: \(commands.login)\(alternative), with an account that has permission"
        }
        return
            "log in again, with an account that has permission: \(commands.login)\n    or, if the image is public, log out: "
            + commands.logout
    }

    /// The advice after a refusal because of a rate limit, or when the registry asks for too long a wait.
    ///
    /// - Parameter wait: How long the registry asks to wait, if it says so.
    func usedUp(_ wait: Duration?) -> String {
        let later = "run again \(wait.map { "in \($0.inWords)" } ?? "when the limit is reset")"
        return hasLogin
            ? "\(later), or log in to an account with a higher limit: \(commands.login)"
            : "log in, because the limit is higher with a login: \(commands.login)\n    or \(later)"
    }
}

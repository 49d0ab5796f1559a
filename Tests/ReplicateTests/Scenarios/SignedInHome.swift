import Content
import TestPrograms

/// A home directory with an AWS configuration and a cached sign-in of the SSO session `corp`.
///
/// - Parameters:
///   - config: The text of `.aws/config`, in which `HOME` stands for the directory's path.
///   - token: The cached sign-in.
///   - files: Further files by their path in the home directory.
func withSignedInHome(
    config: String,
    token: String = #"{"accessToken":"signed-in","expiresAt":"2096-01-15T13:00:00Z"}"#,
    files: [String: String] = [:],
    _ body: (_ home: String) async throws -> Void
) async throws {
    try await withScratchDirectory { home in
        try makeDirectory("\(home)/.aws/sso/cache")
        try write(config.replacing("HOME", with: home), to: "\(home)/.aws/config")
        try write(token, to: "\(home)/.aws/sso/cache/\(sha1Hex("corp".utf8)).json")
        for (path, text) in files { try write(text, to: "\(home)/\(path)") }
        try await body(home)
    }
}

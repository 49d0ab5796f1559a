internal import Content
package import Wire

/// What a service says about a failure, without secrets and made ``printable(_:upTo:)``.
///
/// A refused signature is answered with the canonical request that the service computed, session token included:
/// from there on nothing is shown, nor from where keys are named.
///
/// - Parameters:
///   - secrets: What it must not tell, of the request that was refused.
///   - limit: In bytes. A text that is read for what it means, and not only shown, may be longer.
package func presentable(_ text: String, without secrets: Secrets, upTo limit: Int = longestShownText) -> String {
    let text = secrets.cut(from: text)
    let lowered = text.lowercased()
    let ends = beginnings.compactMap { lowered.firstRange(of: $0)?.lowerBound }
    // Lowercasing may change lengths beyond ASCII; what is kept is counted in characters, which it keeps.
    let shown = ends.min().map { text.prefix(lowered.distance(from: lowered.startIndex, to: $0)) } ?? text[...]
    let result = printable(shown, upTo: limit)
    return result.isEmpty ? "no reason given" : result
}

/// In lowercase: what secrets are announced with.
private let beginnings = [
    "the canonical string", "x-amz-security-token", "secretaccesskey", "secret_access_key", "sessiontoken",
    "session_token",
]
/// In bytes, of a text that is only shown.
package let longestShownText = longestPrintable

/// In bytes, of a text that is read for what it means: a list of a hundred missing layers fits.
package let longestServiceText = 8_192

internal import Content
package import Wire

/// Returns a service's failure text without secrets, made ``printable(_:upTo:)``.
///
/// A service answers a bad signature with the canonical request that it computed, which includes the session token. The
/// text is cut there, and also where it names keys.
///
/// - Parameters:
///   - secrets: The secrets of the refused request, which the text must not show.
///   - limit: In bytes. A text that is parsed for its meaning, and not only shown, may be longer.
package func presentable(_ text: String, without secrets: Secrets, upTo limit: Int = longestShownText) -> String {
    let text = secrets.cut(from: text)
    let lowered = text.lowercased()
    let ends = secretMarkers.compactMap { lowered.firstRange(of: $0)?.lowerBound }
    // Lowercasing may change lengths beyond ASCII, so the prefix is counted in characters, whose number stays the same.
    let shown = ends.min().map { text.prefix(lowered.distance(from: lowered.startIndex, to: $0)) } ?? text[...]
    let result = printable(shown, upTo: limit)
    return result.isEmpty ? "no reason given" : result
}

/// The lowercase phrases before a secret.
private let secretMarkers = [
    "the canonical string", "x-amz-security-token", "secretaccesskey", "secret_access_key", "sessiontoken",
    "session_token",
]
/// The longest text that is only shown, in bytes.
package let longestShownText = longestPrintable

/// The longest text that is parsed for its meaning, in bytes: a list of a hundred missing layers fits.
package let longestServiceText = 8_192

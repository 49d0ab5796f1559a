package import Wire

/// What a service says about a failure, made fit for a terminal and a log.
///
/// A refused signature is answered with the canonical request that the service computed, session token included:
/// from there on nothing is shown, nor from where keys are named. Control characters become spaces, and a proxy's page doesn't fill the screen.
///
/// - Parameter secrets: What it must not tell, of the request that was refused.
package func presentable(_ text: String, without secrets: Secrets) -> String {
    let text = secrets.cut(from: text)
    let lowered = text.lowercased()
    let ends = beginnings.compactMap { lowered.firstRange(of: $0)?.lowerBound }
    // Lowercasing may change lengths beyond ASCII; what is kept is counted in characters, which it keeps.
    let shown = ends.min().map { text.prefix(lowered.distance(from: lowered.startIndex, to: $0)) } ?? text[...]
    let clean = shown.unicodeScalars.prefix(longestServiceText).map { scalar in
        scalar.value < 32 || (127...159).contains(scalar.value) ? " " : String(scalar)
    }
    let result = String(trimmed(clean.joined()))
    return result.isEmpty ? "no reason given" : result
}

/// In lowercase: what secrets are announced with.
private let beginnings = [
    "the canonical string", "x-amz-security-token", "secretaccesskey", "secret_access_key", "sessiontoken",
    "session_token",
]
/// In characters; a list of a hundred missing layers fits.
private let longestServiceText = 8_192

/// Why bytes are not a key, a certificate or a revocation list that can be used.
package enum KeyError: Error, Sendable, Hashable {
    /// There is no PEM block with one of these labels.
    case noBlock(wanted: String, found: [String])
    /// There are several keys where one is needed.
    case severalKeys(Int)
    /// A private key was given where a public key belongs.
    case isPrivate
    /// The key is protected by a passphrase.
    case encrypted
    /// The bytes are not what the label says.
    case malformed(String)
    /// A kind of key, curve or size that is not supported.
    case unsupported(String)
    /// OpenSSL refused to sign or to make a key.
    case refused(String)
}

extension KeyError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noBlock(let wanted, let found) where found.isEmpty: "there is no PEM block '\(wanted)'"
        case .noBlock(let wanted, let found):
            "there is no PEM block '\(wanted)', but \(found.map { "'\($0)'" }.joined(separator: ", "))"
        case .severalKeys(let count): "there are \(count) keys; one is needed"
        case .isPrivate: "this is a private key; a public key is needed"
        case .encrypted: "the key is protected by a passphrase, which is not supported"
        case .malformed(let what): "\(what) can't be read"
        case .unsupported(let what): "\(what) is not supported"
        case .refused(let what): "OpenSSL refused to \(what)"
        }
    }
}

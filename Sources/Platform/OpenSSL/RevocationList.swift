internal import COpenSSL
internal import Glibc

/// A certificate revocation list: the certificates of one authority that it no longer vouches for.
///
/// - Source: RFC 5280, section 5
package struct RevocationList: Sendable {
    /// What a list says of a certificate.
    package enum Answer: Sendable, Hashable {
        case good, revoked
        /// Another authority issued the list, or it doesn't cover all certificates of its authority.
        case notCovered
    }

    /// Seconds since 1970.
    package let thisUpdate: Int64
    /// When a newer list should be there, in seconds since 1970; `nil` if it isn't stated.
    package let nextUpdate: Int64?
    /// The serial numbers of the revoked certificates, as magnitudes without leading zeros, in hexadecimal.
    package let revokedSerials: Set<String>
    /// Whether it has a critical extension, as lists for some certificates or some reasons only have.
    package let isPartial: Bool
    private let object: OpenSSLObject

    /// Reads a list in DER.
    package init(der: [UInt8]) throws(KeyError) {
        let object = unsafe objectFromDER(der, X509_CRL_free) { unsafe d2i_X509_CRL(nil, $0, $1) }
        defer { clearOpenSSLErrors() }
        guard let object, let thisUpdate = unsafe seconds(X509_CRL_get0_lastUpdate(object.pointer)) else {
            throw .malformed("the revocation list")
        }
        let next = unsafe X509_CRL_get0_nextUpdate(object.pointer)
        nextUpdate = unsafe seconds(next)
        guard unsafe next == nil || nextUpdate != nil else { throw .malformed("the revocation list") }
        self.thisUpdate = thisUpdate
        self.object = object
        isPartial = unsafe (0..<max(0, X509_CRL_get_ext_count(object.pointer))).contains { place in
            unsafe X509_EXTENSION_get_critical(X509_CRL_get_ext(object.pointer, place)) == 1
        }
        let revoked = unsafe X509_CRL_get_REVOKED(object.pointer)
        var serials: Set<String> = []
        for place in unsafe 0..<max(0, OPENSSL_sk_num(revoked)) {
            let entry = unsafe OPENSSL_sk_value(revoked, place).map { OpaquePointer($0) }
            serials.insert(unsafe serialText(X509_REVOKED_get0_serialNumber(entry)))
        }
        revokedSerials = serials
    }

    /// Reads all lists of a PEM text; a text that has no PEM block is read as DER.
    package static func all(in text: [UInt8]) throws(KeyError) -> [RevocationList] {
        let blocks = PEMBlock.blocks(in: text)
        guard !blocks.isEmpty else { return [try RevocationList(der: text)] }
        var lists: [RevocationList] = []
        for block in blocks where block.label == "X509 CRL" { lists.append(try RevocationList(der: block.der)) }
        guard !lists.isEmpty else { throw .noBlock(wanted: "X509 CRL", found: blocks.map(\.label)) }
        return lists
    }

    /// Whether the issuer's name is that of `authority` and its key signed the list.
    package func isSigned(by authority: X509Certificate) -> Bool {
        defer { clearOpenSSLErrors() }
        guard isNamed(after: authority), let key = authority.publicKey else { return false }
        return unsafe X509_CRL_verify(object.pointer, key.object.pointer) == 1
    }

    /// Whether the list's issuer has the name of `authority`.
    package func isNamed(after authority: X509Certificate) -> Bool {
        unsafe X509_NAME_cmp(X509_CRL_get_issuer(object.pointer), X509_get_subject_name(authority.object.pointer)) == 0
    }

    /// What the list says of a certificate; it is not checked who signed the list.
    package func answer(about certificate: X509Certificate) -> Answer {
        defer { clearOpenSSLErrors() }
        let issuer = unsafe X509_get_issuer_name(certificate.object.pointer)
        guard !isPartial, unsafe X509_NAME_cmp(X509_CRL_get_issuer(object.pointer), issuer) == 0 else {
            return .notCovered
        }
        let serial = unsafe serialText(X509_get0_serialNumber(certificate.object.pointer))
        return revokedSerials.contains(serial) ? .revoked : .good
    }
}

/// A serial number in hexadecimal, with a minus sign if it is negative.
private func serialText(_ serial: UnsafePointer<ASN1_INTEGER>?) -> String {
    guard let serial = unsafe serial, let number = unsafe ASN1_INTEGER_to_BN(serial, nil) else { return "" }
    defer { unsafe BN_free(number) }
    guard let text = unsafe BN_bn2hex(number) else { return "" }
    defer { unsafe CRYPTO_free(text, nil, 0) }
    return unsafe String(cString: text)
}

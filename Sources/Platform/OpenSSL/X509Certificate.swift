internal import COpenSSL
internal import Glibc

/// An X.509 certificate, as its bytes and what they say.
///
/// Reading one proves nothing: ``isIssued(by:)`` and ``CertificatePath`` check signatures.
package struct X509Certificate: Sendable {
    /// What the key may be used for, and whether the extension is critical.
    package struct KeyUsage: Sendable, Hashable {
        /// The bits as OpenSSL numbers them.
        package var bits: UInt32
        package var isCritical: Bool

        package static let digitalSignature = UInt32(KU_DIGITAL_SIGNATURE)
        package static let certificateSigning = UInt32(KU_KEY_CERT_SIGN)
        package static let listSigning = UInt32(KU_CRL_SIGN)
    }

    /// The purposes of the key, as object identifiers in dotted form.
    package struct ExtendedKeyUsage: Sendable, Hashable {
        package var purposes: [String]
        package var isCritical: Bool

        package static let codeSigning = "1.3.6.1.5.5.7.3.3"
    }

    package struct BasicConstraints: Sendable, Hashable {
        package var isAuthority: Bool
        /// The most authorities below this one; `nil` for no limit.
        package var pathLength: Int?
        package var isCritical: Bool
    }

    /// One part of a name, such as `O` and `Example Ltd`.
    package struct NameAttribute: Sendable, Hashable {
        /// The short name, such as `CN`, or the dotted object identifier if there is none.
        package var type: String
        package var value: String

        package init(type: String, value: String) { (self.type, self.value) = (type, value) }
    }

    /// The hash of the certificate's own signature; `nil` if it is not one of these, as SHA-1 isn't.
    package let signatureHash: SignatureHash?
    package let der: [UInt8]
    /// The body, which the issuer's signature is about, in DER.
    package let tbs: [UInt8]
    /// Seconds since 1970.
    package let notBefore: Int64
    /// Seconds since 1970.
    package let notAfter: Int64
    package let subject: [NameAttribute]
    /// The key; `nil` if its kind is not supported.
    package let publicKey: PublicKey?
    package let keyUsage: KeyUsage?
    package let extendedKeyUsage: ExtendedKeyUsage?
    package let basicConstraints: BasicConstraints?
    /// Whether a critical extension is there that OpenSSL doesn't know.
    package let hasUnknownCriticalExtension: Bool

    let object: OpenSSLObject

    /// Reads a certificate in DER.
    ///
    /// - Throws: ``KeyError/malformed(_:)``, also for an extension that can't be read or is there twice.
    package init(der: [UInt8]) throws(KeyError) {
        let object = unsafe objectFromDER(der, X509_free) { unsafe d2i_X509(nil, $0, $1) }
        guard let object, let outer = DERElement(wholly: der, tag: 0x30),
            let body = DERElement(in: der, at: outer.content.lowerBound), body.tag == 0x30,
            unsafe derFromObject({ unsafe i2d_X509(object.pointer, $0) }) == der
        else { throw .malformed("the certificate") }
        defer { clearOpenSSLErrors() }
        let flags = unsafe X509_get_extension_flags(object.pointer)
        guard flags & UInt32(EXFLAG_INVALID) == 0 else { throw .malformed("an extension of the certificate") }
        guard let notBefore = unsafe seconds(X509_get0_notBefore(object.pointer)),
            let notAfter = unsafe seconds(X509_get0_notAfter(object.pointer))
        else { throw .malformed("the validity of the certificate") }
        self.object = object
        self.der = der
        tbs = Array(der[outer.content.lowerBound..<body.end])
        self.notBefore = notBefore
        self.notAfter = notAfter
        subject = Self.attributes(of: object)
        publicKey = Self.key(of: object)
        signatureHash = Self.hash(of: object)
        keyUsage = Self.keyUsage(of: object)
        extendedKeyUsage = try Self.extendedKeyUsage(of: object)
        basicConstraints = try Self.basicConstraints(of: object)
        hasUnknownCriticalExtension = flags & UInt32(EXFLAG_CRITICAL) != 0
    }

    /// Reads all certificates of a PEM text; a text that has no PEM block is read as DER.
    ///
    /// - Throws: ``KeyError``; a text without any certificate is an error.
    package static func all(in text: [UInt8]) throws(KeyError) -> [X509Certificate] {
        let blocks = PEMBlock.blocks(in: text)
        guard !blocks.isEmpty else { return [try X509Certificate(der: text)] }
        let labels: Set = ["CERTIFICATE", "X509 CERTIFICATE"]
        var certificates: [X509Certificate] = []
        for block in blocks where labels.contains(block.label) {
            certificates.append(try X509Certificate(der: block.der))
        }
        guard !certificates.isEmpty else { throw .noBlock(wanted: "CERTIFICATE", found: blocks.map(\.label)) }
        return certificates
    }

    /// SHA-256 of ``der``, 32 bytes.
    package var fingerprint: [UInt8] { SignatureHash.sha256.digest(of: der) }

    /// The subject in one line, such as `CN=signer, O=Example Ltd, C=DE`; not made safe to print.
    package var subjectText: String { subject.reversed().map { "\($0.type)=\($0.value)" }.joined(separator: ", ") }

    /// Whether the certificate's own key signed it.
    package var isSelfSigned: Bool {
        defer { clearOpenSSLErrors() }
        return unsafe X509_self_signed(object.pointer, 1) == 1
    }

    /// Whether names and key identifiers fit and the issuer's key signed this certificate.
    package func isIssued(by issuer: X509Certificate) -> Bool {
        defer { clearOpenSSLErrors() }
        guard let key = issuer.publicKey else { return false }
        return unsafe X509_check_issued(issuer.object.pointer, object.pointer) == X509_V_OK
            && X509_verify(object.pointer, key.object.pointer) == 1
    }

    /// Whether the certificate is valid at a time, in seconds since 1970.
    package func isValid(at time: Int64) -> Bool { notBefore <= time && time <= notAfter }
}

extension X509Certificate: Hashable {
    package static func == (left: X509Certificate, right: X509Certificate) -> Bool { left.der == right.der }
    package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

extension X509Certificate {
    private static func key(of certificate: OpenSSLObject) -> PublicKey? {
        guard let key = unsafe X509_get_pubkey(certificate.pointer) else { return nil }
        return try? unsafe PublicKey(OpenSSLObject(owning: key, EVP_PKEY_free))
    }

    private static func hash(of certificate: OpenSSLObject) -> SignatureHash? {
        var hash: CInt = 0
        var key: CInt = 0
        guard unsafe X509_get_signature_info(certificate.pointer, &hash, &key, nil, nil) == 1 else { return nil }
        // Ed25519 hashes with SHA-512 and has no hash of its own to name.
        if key == NID_ED25519 { return .sha512 }
        return switch hash {
        case NID_sha256: .sha256
        case NID_sha384: .sha384
        case NID_sha512: .sha512
        default: nil
        }
    }

    private static func attributes(of certificate: OpenSSLObject) -> [NameAttribute] {
        let name = unsafe X509_get_subject_name(certificate.pointer)
        return unsafe (0..<max(0, X509_NAME_entry_count(name))).map { index in
            let entry = unsafe X509_NAME_get_entry(name, index)
            let type = unsafe X509_NAME_ENTRY_get_object(entry)
            return unsafe NameAttribute(
                type: objectText(type, short: true),
                value: text(X509_NAME_ENTRY_get_data(entry))
            )
        }
    }

    private static func isCritical(_ extension: CInt, in certificate: OpenSSLObject) -> Bool {
        let place = unsafe X509_get_ext_by_NID(certificate.pointer, `extension`, -1)
        return unsafe place >= 0 && X509_EXTENSION_get_critical(X509_get_ext(certificate.pointer, place)) == 1
    }

    private static func isThere(_ extension: CInt, in certificate: OpenSSLObject) -> Bool {
        unsafe X509_get_ext_by_NID(certificate.pointer, `extension`, -1) >= 0
    }

    private static func keyUsage(of certificate: OpenSSLObject) -> KeyUsage? {
        guard isThere(NID_key_usage, in: certificate) else { return nil }
        let bits = unsafe X509_get_key_usage(certificate.pointer)
        return KeyUsage(bits: bits, isCritical: isCritical(NID_key_usage, in: certificate))
    }

    private static func extendedKeyUsage(of certificate: OpenSSLObject) throws(KeyError) -> ExtendedKeyUsage? {
        guard isThere(NID_ext_key_usage, in: certificate) else { return nil }
        guard let decoded = unsafe X509_get_ext_d2i(certificate.pointer, NID_ext_key_usage, nil, nil) else {
            throw .malformed("the extended key usage of the certificate")
        }
        let list = OpaquePointer(decoded)
        defer { unsafe EXTENDED_KEY_USAGE_free(list) }
        let purposes = unsafe (0..<max(0, OPENSSL_sk_num(list))).map { index in
            unsafe objectText(OPENSSL_sk_value(list, index).map { OpaquePointer($0) }, short: false)
        }
        return ExtendedKeyUsage(purposes: purposes, isCritical: isCritical(NID_ext_key_usage, in: certificate))
    }

    private static func basicConstraints(of certificate: OpenSSLObject) throws(KeyError) -> BasicConstraints? {
        guard isThere(NID_basic_constraints, in: certificate) else { return nil }
        guard let decoded = unsafe X509_get_ext_d2i(certificate.pointer, NID_basic_constraints, nil, nil) else {
            throw .malformed("the basic constraints of the certificate")
        }
        let constraints = unsafe decoded.assumingMemoryBound(to: BASIC_CONSTRAINTS.self)
        defer { unsafe BASIC_CONSTRAINTS_free(constraints) }
        var length: Int?
        if let stated = unsafe constraints.pointee.pathlen {
            var value: Int64 = 0
            guard unsafe ASN1_INTEGER_get_int64(&value, stated) == 1, value >= 0 else {
                throw .malformed("the path length of the certificate")
            }
            length = Int(value)
        }
        return BasicConstraints(
            isAuthority: unsafe constraints.pointee.ca != 0,
            pathLength: length,
            isCritical: isCritical(NID_basic_constraints, in: certificate)
        )
    }
}

/// The name of an object identifier, or its dotted form.
///
/// - Parameter short: Whether a short name such as `CN` is wanted where there is one.
private func objectText(_ object: OpaquePointer?, short: Bool) -> String {
    guard let object = unsafe object else { return "" }
    let identifier = unsafe OBJ_obj2nid(object)
    if short, identifier != NID_undef, let name = unsafe OBJ_nid2sn(identifier) { return unsafe String(cString: name) }
    var buffer = [CChar](repeating: 0, count: 128)
    let count = unsafe Int(OBJ_obj2txt(&buffer, CInt(buffer.count), object, 1))
    return String(decoding: buffer.prefix(min(max(count, 0), 127)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The text of a string in a name, whatever its encoding; empty if it is none.
private func text(_ string: UnsafePointer<ASN1_STRING>?) -> String {
    var bytes: UnsafeMutablePointer<UInt8>?
    let count = unsafe ASN1_STRING_to_UTF8(&bytes, string)
    guard count >= 0, let start = unsafe bytes else { return "" }
    defer { unsafe CRYPTO_free(start, nil, 0) }
    return unsafe String(decoding: UnsafeBufferPointer(start: start, count: Int(count)), as: UTF8.self)
}

/// A time in seconds since 1970; `nil` if it can't be read.
func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    var parts = unsafe tm()
    guard let time = unsafe time, unsafe ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
    return unsafe Int64(timegm(&parts))
}

internal import COpenSSL

/// A leaf certificate with those that lead from it to a trusted one.
package enum CertificatePath {
    /// Checks a path as RFC 5280 says: signatures, names, validity, name constraints, path lengths.
    ///
    /// Nothing outside the arguments is trusted, and nothing is fetched.
    ///
    /// - Parameters:
    ///   - leaf: The certificate in question; it may be `anchor` itself.
    ///   - others: The certificates between them, in any order; none of them is trusted.
    ///   - anchor: The trusted certificate; it need not be self-signed.
    ///   - time: In seconds since 1970.
    /// - Returns: `nil` if the path holds, else OpenSSL's reason.
    package static func problem(
        of leaf: X509Certificate,
        through others: [X509Certificate],
        to anchor: X509Certificate,
        at time: Int64
    ) -> String? {
        defer { clearOpenSSLErrors() }
        guard let store = unsafe X509_STORE_new() else { return "OpenSSL has no memory" }
        defer { unsafe X509_STORE_free(store) }
        guard unsafe X509_STORE_add_cert(store, anchor.object.pointer) == 1,
            let context = unsafe X509_STORE_CTX_new()
        else { return "OpenSSL has no memory" }
        defer { unsafe X509_STORE_CTX_free(context) }
        // The stack only points at the certificates, which the arguments keep alive.
        guard let stack = unsafe OPENSSL_sk_new_null() else { return "OpenSSL has no memory" }
        defer { unsafe OPENSSL_sk_free(stack) }
        return withExtendedLifetime(others) {
            for other in others { unsafe _ = OPENSSL_sk_push(stack, UnsafeRawPointer(other.object.pointer)) }
            guard unsafe X509_STORE_CTX_init(context, store, leaf.object.pointer, stack) == 1 else {
                return "OpenSSL has no memory"
            }
            let parameters = unsafe X509_STORE_CTX_get0_param(context)
            unsafe X509_VERIFY_PARAM_set_time(parameters, time_t(time))
            let flags = UInt(X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_CHECK_SS_SIGNATURE)
            guard unsafe X509_VERIFY_PARAM_set_flags(parameters, flags) == 1 else { return "OpenSSL has no memory" }
            guard unsafe X509_verify_cert(context) != 1 else { return nil }
            let code = unsafe X509_STORE_CTX_get_error(context)
            return unsafe String(cString: X509_verify_cert_error_string(Int(code)))
        }
    }
}

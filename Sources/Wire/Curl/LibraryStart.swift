internal import CCurl
internal import COpenSSL
internal import Glibc

/// Initializes libcurl and OpenSSL, once in a process, before the first handle.
enum LibraryStart {
    /// Initializes on first use, on whichever thread that is.
    static let done: Bool = {
        // OpenSSL's exit handler would free memory that driver threads still use when a process exits early.
        _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        // NOSIGNAL leaves SIGPIPE to us (docs/facts/libcurl.md#threads).
        signal(SIGPIPE, SIG_IGN)
        return curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK
    }()
}

/// The number of processors of this machine.
public var processorCount: Int { max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1) }

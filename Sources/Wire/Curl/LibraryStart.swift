internal import CCurl
internal import COpenSSL
internal import Glibc

/// Initializes libcurl and OpenSSL, once per process, before the first handle is created.
enum LibraryStart {
    /// Whether the libraries could be initialized; the first use initializes them, on any thread.
    static let done: Bool = {
        // OpenSSL's exit handler would free memory that driver threads still use when a process exits early.
        _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        // With NOSIGNAL, libcurl leaves SIGPIPE to the program (docs/facts/libcurl.md#threads).
        signal(SIGPIPE, SIG_IGN)
        return curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK
    }()
}

/// The number of processors of this machine.
public var processorCount: Int { max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1) }

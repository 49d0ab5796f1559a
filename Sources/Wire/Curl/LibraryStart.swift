internal import CCurl
internal import COpenSSL
internal import Glibc

/// What must happen once in a process before the first libcurl handle.
enum LibraryStart {
    /// Touch it to be sure; it runs once, whoever comes first.
    static let done: Bool = {
        // OpenSSL's own exit handler would free what driver threads of a process that exits early still use.
        _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_ATEXIT), nil)
        // NOSIGNAL leaves SIGPIPE to us (docs/facts/libcurl.md#threads).
        signal(SIGPIPE, SIG_IGN)
        return curl_global_init(Int(CURL_GLOBAL_SSL)) == CURLE_OK
    }()
}

/// How many processors this process may use at once.
public var processorCount: Int { max(sysconf(CInt(_SC_NPROCESSORS_ONLN)), 1) }

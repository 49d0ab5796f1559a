internal import CCurl
internal import Content

extension WireError {
    /// Translates libcurl's code.
    ///
    /// - Parameters:
    ///   - text: libcurl's message, empty if it gave none.
    ///   - url: The address of the transfer.
    init(curl code: CURLcode, _ text: String, url: HTTPURL) {
        // libcurl quotes names and addresses from the server.
        var words = printable(withoutQueries(text))
        if words.isEmpty { words = unsafe String(cString: curl_easy_strerror(code)) }
        self.init(Reason(curl: code), words, url: url, curlCode: Int(code.rawValue))
    }

    /// Creates the error for a failure at the proxy or on the way to it; `nil` if the proxy is not involved.
    ///
    /// - Parameters:
    ///   - name: The proxy's host and port.
    ///   - hasUser: Whether the proxy's address has a user.
    ///   - status: The proxy's status for `CONNECT`, 0 if none was sent.
    init?(proxy name: String, hasUser: Bool, _ status: Int, _ code: CURLcode, _ text: String, url: HTTPURL) {
        let number = Int(code.rawValue)
        if status >= 300 {
            let login =
                hasUser
                ? "another user and password than HTTPS_PROXY has" : "a user and password, and HTTPS_PROXY has none"
            let hint = status == 407 ? ": it requires \(login)" : ""
            self.init(.proxyRefused, "the proxy \(name) answered \(status)\(hint)", url: url, curlCode: number)
            proxyStatus = status
        } else if text.hasPrefix("Unsupported proxy") || text.hasPrefix("Port number was not a decimal number") {
            // A retry can't help. libcurl quotes the whole address, and a password may be anywhere in it.
            self.init(.badURL, "the proxy's address is not valid: see HTTPS_PROXY", url: url, curlCode: number)
        } else if code == CURLE_COULDNT_RESOLVE_PROXY {
            self.init(.unresolvable, "the host of the proxy \(name) can't be resolved", url: url, curlCode: number)
        } else if code == CURLE_COULDNT_CONNECT, text.contains(" \(name.prefix { $0 != ":" }) ") {
            self.init(.unreachable, "the proxy \(name) can't be reached: \(text)", url: url, curlCode: number)
        } else {
            return nil
        }
    }
}

extension WireError.Reason {
    /// - Source: `libcurl-errors(3)` of libcurl 7.88.1
    init(curl code: CURLcode) {
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: self = .unresolvable
        // Only a timeout for connecting is set, so 28 means that the host did not answer.
        case CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT, CURLE_INTERFACE_FAILED, CURLE_PROXY:
            self = .unreachable
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED: self = .handshake
        // Since libcurl 7.62, code 51 is an alias of 60.
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_SSL_CRL_BADFILE:
            self = .certificate
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_SEND_FAIL_REWIND,
            CURLE_SSL_SHUTDOWN_FAILED, CURLE_AGAIN:
            self = .disconnected
        case CURLE_BAD_CONTENT_ENCODING: self = .undecodable
        case CURLE_URL_MALFORMAT: self = .badURL
        default: self = .other
        }
    }
}

/// Removes the secrets of addresses from `text`: each `?…` up to the next blank, and each `//user:password@`.
func withoutQueries(_ text: String) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false)
        .map { word in
            var word = word.contains("?") ? word.prefix { $0 != "?" } + "?…" : word
            if let at = word.lastIndex(of: "@"), let slashes = word[..<at].firstRange(of: "//") {
                word = word[..<slashes.upperBound] + "…" + word[at...]
            }
            return String(word)
        }
        .joined(separator: " ")
}

internal import CCurl
internal import HTTPTypes

extension Transfer {
    /// The kind of a transfer, which decides its buffers.
    enum Role {
        case message, source, destination
        /// Opens a connection and sends nothing.
        case warmUp
    }

    /// Sets the options of the handle.
    ///
    /// - Parameter upload: The length of the body in bytes, if the request has one.
    func prepare(
        _ configuration: TransportConfiguration,
        as role: Role,
        uploading upload: Int64?
    ) throws(WireError) {
        try setLimits(configuration, role)
        try setTrust(configuration)
        try setRequest(configuration, uploading: upload)
        // An upload that resumes at its end has nothing to send: libcurl stops when it is connected and about to begin
        // ("File already completely uploaded"), and keeps the connection.
        if role == .warmUp {
            try set(CURLOPT_RESUME_FROM_LARGE, offset: upload ?? 0)
            // Several begin together, and one that ends at once must not hand its connection to the next.
            try set(CURLOPT_FRESH_CONNECT, 1)
        }
        try connectCallbacks()
    }

    /// The buffer for small requests and for answers to uploads, in bytes.
    private static let messageBufferSize = 32 << 10

    private func setLimits(_ configuration: TransportConfiguration, _ role: Role) throws(WireError) {
        // Without this option libcurl uses SIGALRM, which is not safe with threads.
        try set(CURLOPT_NOSIGNAL, 1)
        try set(CURLOPT_CONNECTTIMEOUT_MS, max(Int(configuration.connectTimeout / .milliseconds(1)), 1))
        // HTTP/2 costs twice the CPU here, and leaks memory when transfers are paused (docs/facts/libcurl.md#http2).
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        // Redirects are returned as answers.
        try set(CURLOPT_FOLLOWLOCATION, 0)
        try set(CURLOPT_TCP_KEEPALIVE, 1)
        // Removing a handle whose name is still being resolved would otherwise wait for the resolver
        // (docs/facts/libcurl.md#threads).
        try set(CURLOPT_QUICK_EXIT, 1)
        try set(CURLOPT_BUFFERSIZE, role == .source ? configuration.bufferSize : Self.messageBufferSize)
        try set(
            CURLOPT_UPLOAD_BUFFERSIZE,
            role == .destination ? configuration.bufferSize : Self.messageBufferSize
        )
    }

    private func setTrust(_ configuration: TransportConfiguration) throws(WireError) {
        try set(CURLOPT_PROTOCOLS_STR, "http,https")
        try set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        try set(CURLOPT_SSL_VERIFYPEER, 1)
        try set(CURLOPT_SSL_VERIFYHOST, 2)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        caBundle = configuration.caBundle
        if let caBundle { try set(CURLOPT_CAINFO, caBundle) }
        // The connection to the proxy may use TLS too.
        try set(CURLOPT_PROXY_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let caBundle { try set(CURLOPT_PROXY_CAINFO, caBundle) }
        // Both are always set: without them libcurl reads the environment. An empty text means no proxy.
        let address = configuration.proxies.proxy(for: request)
        proxy = address.map { (Proxies.presentable($0), $0.contains("@")) }
        try set(CURLOPT_PROXY, address ?? "")
        try set(CURLOPT_NOPROXY, "")
        // The proxy's answer to CONNECT is not part of the answer.
        try set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    }

    private func setRequest(_ configuration: TransportConfiguration, uploading upload: Int64?) throws(WireError) {
        // The text of a signed address must stay as it is.
        try set(CURLOPT_PATH_AS_IS, 1)
        try set(CURLOPT_URL, request.url.text)
        try set(CURLOPT_USERAGENT, configuration.userAgent)
        let method = request.method
        if let upload {
            try set(CURLOPT_UPLOAD, 1)
            try set(CURLOPT_INFILESIZE_LARGE, offset: upload)
            if method != .put { try set(CURLOPT_CUSTOMREQUEST, method.rawValue) }
        } else if method == .head {
            try set(CURLOPT_NOBODY, 1)
        } else {
            try set(CURLOPT_HTTPGET, 1)
            if method != .get { try set(CURLOPT_CUSTOMREQUEST, method.rawValue) }
        }
        // libcurl sends the length of the body; a second `Content-Length` would be request smuggling.
        for field in request.fields where field.name != .contentLength {
            // swift-http-types has already replaced line ends in values. To libcurl `Name:` means "leave the field out"
            // and `Name;` "send it empty".
            let name = field.name.rawName
            try append(field: field.value.isEmpty ? "\(name);" : "\(name): \(field.value)")
        }
        // Without this field any encoding would be acceptable (RFC 9110, section 12.5.3).
        if request.decodesAnswer {
            // libcurl sends the field, and decodes any encoding that it supports, requested or not: gzip, deflate, and
            // br and zstd if it was built with them.
            try set(CURLOPT_ACCEPT_ENCODING, "identity")
        } else if request.fields[.acceptEncoding] == nil {
            try append(field: "Accept-Encoding: identity")
        }
        // libcurl would wait up to a second for a `100 Continue` that most servers don't send.
        try append(field: "Expect:")
    }
}

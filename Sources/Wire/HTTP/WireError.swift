/// A failure of a request that got no answer.
///
/// - Note: It never contains a query, a header or a body, which may hold secrets.
public struct WireError: Error, Sendable, Equatable {
    public enum Reason: String, Sendable {
        /// The host's name can't be resolved.
        case unresolvable
        /// The host refuses the connection, or can't be reached.
        case unreachable
        /// The proxy refuses the connection.
        case proxyRefused
        /// The TLS handshake failed, and not because of the certificate.
        case handshake
        /// The certificate is not trusted.
        case certificate
        /// The connection was cut before an answer was complete.
        case disconnected
        /// No byte moved within the limit.
        case stalled
        /// The whole exchange took longer than its deadline.
        case deadline
        /// The answer is longer than the limit.
        case answerTooLarge
        /// The source sent fewer bytes than its descriptor says.
        case tooShort
        /// The source sent more bytes than its descriptor says.
        case tooLong
        /// The source's bytes don't hash to the digest.
        case corrupt
        /// A destination kept the others waiting for too long, and needs a download of its own.
        case outpaced
        /// A file of this machine can't be read or written.
        case file
        /// The answer can't be decoded: its `Content-Encoding` is unknown or wrong.
        case undecodable
        /// The text is not an address, or an address that is refused.
        case badURL
        /// A redirect that is not followed.
        case badRedirect
        /// Plain http to a host that is neither this machine nor an endpoint that the user named.
        case plainHTTP
        /// The transport has been shut down.
        case closed
        /// Any other failure from libcurl.
        case other
    }

    /// An end of a relay.
    public enum End: String, Sendable { case source, destination }

    public var reason: Reason
    /// The failure in words, with the message of libcurl or the operating system.
    public var detail: String
    /// The URL without its query.
    public var url: String?
    public var end: End?
    /// libcurl's code; 0 if the failure is not libcurl's.
    public var curlCode: Int
    /// The proxy's status for `CONNECT`, if it refused.
    public var proxyStatus: Int?
    /// Whether it was a redirect from https to http.
    public var leadsToPlainHTTP = false

    public init(_ reason: Reason, _ detail: String, url: HTTPURL? = nil, end: End? = nil, curlCode: Int = 0) {
        self.reason = reason
        self.detail = detail
        self.url = url?.description
        self.end = end
        self.curlCode = curlCode
    }
}

extension WireError: CustomStringConvertible {
    public var description: String {
        [url, detail].compactMap { $0 }.joined(separator: ": ") + (curlCode == 0 ? "" : " (curl \(curlCode))")
    }
}

extension WireError: RetryAdvising {
    public var retryAdvice: RetryAdvice {
        switch reason {
        case .unresolvable, .unreachable, .handshake, .disconnected, .stalled, .deadline, .tooShort, .tooLong,
            .corrupt, .outpaced, .other:
            .backOff
        // 407 and 403 won't change, but a host that the proxy can't reach now may be reachable later.
        case .proxyRefused: proxyStatus.map { $0 >= 500 } == false ? .never : .backOff
        case .certificate, .answerTooLarge, .undecodable, .file, .badURL, .badRedirect, .plainHTTP, .closed: .never
        }
    }

    /// Whether the failure was a timeout.
    ///
    /// `unreachable` may be a refusal or a timeout; libcurl's code tells which.
    public var isTimeout: Bool {
        switch reason {
        case .stalled, .deadline: true
        case .unreachable: curlCode == Self.operationTimedOut
        default: false
        }
    }

    /// `CURLE_OPERATION_TIMEDOUT`.
    private static let operationTimedOut = 28
}

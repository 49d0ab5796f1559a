/// Why there was no answer.
///
/// - Note: Never carries a query, a header or a body: those may hold secrets.
public struct WireError: Error, Sendable, Equatable {
    public enum Reason: String, Sendable {
        /// Nobody knows the host's name.
        case unresolvable
        /// The host is there and refuses, or can't be reached.
        case unreachable
        /// The proxy doesn't let us through.
        case proxyRefused
        /// TLS could not be agreed on: a protocol failure, not a certificate.
        case handshake
        /// The certificate isn't one we trust.
        case certificate
        /// The connection was cut before an answer was complete.
        case disconnected
        /// Nothing moved for as long as we wait.
        case stalled
        /// The whole exchange took longer than its deadline.
        case deadline
        /// The answer is longer than we accept.
        case answerTooLarge
        /// The source sent fewer bytes than its descriptor says.
        case tooShort
        /// The source sent more bytes than its descriptor says.
        case tooLong
        /// The source's bytes hash to something else.
        case corrupt
        /// A destination that kept others waiting for too long; it has to be served by itself.
        case outpaced
        /// A file of this machine can't be read or written.
        case file
        /// The answer can't be decoded: its `Content-Encoding` is not known, or not true.
        case undecodable
        /// The text is no address, or one we refuse.
        case badURL
        /// A redirect that we don't follow.
        case badRedirect
        /// Plain http to a host that is neither this machine nor an endpoint that the user named.
        case plainHTTP
        /// The transport has been shut down.
        case closed
        /// Anything else libcurl says.
        case other
    }

    /// Which end of a relay.
    public enum End: String, Sendable { case source, destination }

    public var reason: Reason
    /// In words, with what libcurl or the operating system said.
    public var detail: String
    /// Without its query.
    public var url: String?
    public var end: End?
    /// libcurl's code, 0 if libcurl has no part in it.
    public var curlCode: Int
    /// What the proxy answered to `CONNECT`, if it refused.
    public var proxyStatus: Int?
    /// Whether it is about a redirect from https to http.
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
        // 407 and 403 stay what they are, and what a proxy can't reach now it may reach later.
        case .proxyRefused: proxyStatus.map { $0 >= 500 } == false ? .never : .backOff
        case .certificate, .answerTooLarge, .undecodable, .file, .badURL, .badRedirect, .plainHTTP, .closed: .never
        }
    }

    /// `unreachable` is a refusal as well as a silence: libcurl's code tells.
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

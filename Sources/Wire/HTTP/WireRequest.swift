internal import Content
public import FoundationEssentials
public import HTTPTypes

/// A complete HTTP request.
public struct WireRequest: Sendable {
    public var method: HTTPRequest.Method
    public var url: HTTPURL
    public var fields: HTTPFields
    public var content: RequestBody
    /// The buffer for the answer's body, if the status fits the request: 206 for a request with `Range`, else 200.
    ///
    /// Any other success is cut after its head: a server that doesn't support ranges would send gigabytes.
    public var receiver: PartBuffer?
    /// The longest time until the last byte of the answer; for a part of a blob, the longest time without a byte.
    public var deadline: Duration
    /// The longest body of a 2xx answer, in bytes; a longer one is an error.
    ///
    /// Other answers are cut at ``largestSmallAnswer``.
    public var largestAnswer: Int
    /// The registry that named this address: in a redirect, as an upload's location, or as its token server.
    ///
    /// Such a request may not be sent to loopback and link-local addresses; see `RedirectGuard`.
    public var namedBy: HTTPURL?
    /// Whether the user named this endpoint with `http://`, which allows plain http to another machine.
    public var allowsPlainHTTP = false
    /// Whether it must not use a proxy; set for requests to metadata services.
    public var bypassesProxy = false
    /// Whether a blob follows on the same connection, for example after an upload is opened.
    ///
    /// The request then runs on a driver for blobs, where it may wait some milliseconds, and leaves an open connection
    /// there.
    public var travelsWithBlobs = false
    /// Whether an encoded answer (`Content-Encoding`) is decoded; ``largestAnswer`` limits the decoded body.
    ///
    /// No encoding is ever requested, but a proxy or a cache in front of the registry sometimes encodes manifests.
    /// Blobs are never decoded, because their digest is that of the bytes as sent (github.com/moby/moby issue 17595).
    public var decodesAnswer = false
    /// The secrets in ``content``.
    public var secretsInBody: [String] = []

    public static let usualDeadline: Duration = .seconds(60)
    /// The longest small answer, in bytes: refusals, tokens, and answers to POST, PUT and PATCH
    /// (docs/architecture.md#bounds).
    public static let largestSmallAnswer = 256 << 10

    public init(
        _ method: HTTPRequest.Method,
        _ url: HTTPURL,
        fields: HTTPFields = [:],
        body: [UInt8] = [],
        deadline: Duration = usualDeadline,
        largestAnswer: Int = largestSmallAnswer
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        content = RequestBody(body)
        self.deadline = deadline
        self.largestAnswer = largestAnswer
    }

    /// The whole of ``content``.
    public var body: [UInt8] {
        get { content.bytes }
        set { content = RequestBody(newValue) }
    }

    /// Whether it sends or receives a part of a blob.
    var movesPart: Bool { receiver != nil || content.isPart }

    /// Returns the request that follows a redirect: the same method, with credentials only within the same origin.
    ///
    /// A redirect from `https` to `http` is refused. The caller counts the redirects.
    ///
    /// - Throws: ``WireError/Reason/badRedirect``
    public func following(_ location: String) throws(WireError) -> WireRequest {
        let next: HTTPURL
        do {
            next = try url.resolving(location)
        } catch {
            guard error.reason == .badURL else { throw error }
            throw WireError(.badRedirect, "its Location is unusable: \(error.detail)", url: url)
        }
        guard url.scheme == .http || next.scheme == .https else {
            var error = WireError(.badRedirect, "\(url) redirects to plain http at \(next)", url: url)
            error.leadsToPlainHTTP = true
            throw error
        }
        var request = self
        request.url = next
        // Kept over several redirects: the registry that named the first address.
        request.namedBy = namedBy ?? url
        if next.origin != url.origin {
            // Every other field is dropped, not only `Authorization`: libcurl would pass them on
            // (docs/facts/libcurl.md#redirects).
            request.fields = HTTPFields(fields.filter { [.range, .accept, .userAgent].contains($0.name) })
            request.allowsPlainHTTP = false
            request.bypassesProxy = false
        }
        return request
    }

    /// The most redirects of one request (docs/architecture.md#bounds).
    public static let mostRedirects = 5
}

/// An HTTP answer with any status.
public struct WireResponse: Sendable {
    public var status: HTTPResponse.Status
    public var fields: HTTPFields
    public var body: [UInt8]
    /// The `Content-Encoding` of a body that could not be decoded.
    public var undecodedEncoding: String?
    /// The secrets of the request, which the answer may quote.
    public private(set) var secrets = Secrets()

    public init(status: HTTPResponse.Status, fields: HTTPFields = [:], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The first `limit` bytes as printable text, without ``secrets``, for an error message.
    public func excerpt(_ limit: Int = 300) -> String {
        printable(secrets.cut(from: String(decoding: body.prefix(limit), as: UTF8.self)), upTo: limit)
    }

    /// A field's value as printable text, without ``secrets``, for an error message.
    public func quoted(_ name: HTTPField.Name) -> String? { fields[name].map { printable(secrets.cut(from: $0)) } }

    /// Returns this answer with the secrets of `request`.
    func answering(_ request: WireRequest) -> WireResponse {
        var answer = self
        answer.secrets = request.secrets
        return answer
    }

    /// The server's time, from its `Date`.
    public var date: Date? {
        fields[.date].flatMap { secondsSince1970(httpDate: $0) }.map { Date(timeIntervalSince1970: Double($0)) }
    }

    /// The wait that the server asks for: `Retry-After` in seconds or as a date, or `x-amz-retry-after` in
    /// milliseconds.
    ///
    /// It may be longer than a run should wait: ``RetryPolicy/longestNamedWait`` decides that. A date is compared with
    /// the answer's own `Date`, so that a wrong clock on this machine has no effect. A negative value, or one that is
    /// not a number, is ignored.
    public var retryAfter: Duration? {
        if let milliseconds = HTTPField.Name("x-amz-retry-after").flatMap({ fields[$0] }).flatMap(count) {
            return .milliseconds(milliseconds)
        }
        guard let text = fields[.retryAfter] else { return nil }
        return count(text).map { .seconds($0) } ?? durationUntil(httpDate: text, now: date ?? Date())
    }

    /// A decimal number, limited so that arithmetic with it can't overflow.
    private func count(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return min(Int(text) ?? .max, 1_000_000_000)
    }
}

/// Opens connections before they are needed.
public protocol ConnectionWarming: Sendable {
    /// Opens up to `connections` connections for blobs to a URL's origin, with TLS, and sends no request.
    ///
    /// It returns at once. A connection that can't be opened is not an error; a later request will fail.
    func warm(_ url: HTTPURL, connections: Int)
}

/// Sends small requests and waits for their answers.
///
/// ``Transport`` implements it with libcurl; tests of the layers above use a recording.
public protocol HTTPSending: Sendable {
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``WireError`` if there is no answer, or `CancellationError`.
    func send(_ request: WireRequest) async throws -> WireResponse
}

extension HTTPSending {
    /// Sends a request and adds its secrets to the answer, so that an error that quotes the answer leaves them out.
    ///
    /// - Throws: What ``send(_:)`` throws.
    package func answer(to request: WireRequest) async throws -> WireResponse {
        try await send(request).answering(request)
    }
}

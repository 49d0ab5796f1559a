internal import Content
public import FoundationEssentials
public import HTTPTypes

/// One HTTP request, complete.
public struct WireRequest: Sendable {
    public var method: HTTPRequest.Method
    public var url: HTTPURL
    public var fields: HTTPFields
    public var content: RequestBody
    /// Takes the answer's body if that is what was asked for: 206 where a `Range` was, else 200.
    ///
    /// Another success ends when its head is there, and its body is left where it is: a server that doesn't know
    /// ranges would send gigabytes.
    public var receiver: PartBuffer?
    /// From now to the last byte of the answer; where megabytes move, how long none may.
    public var deadline: Duration
    /// In bytes; a longer success is an error.
    ///
    /// Of a refusal the beginning is kept, see ``largestSmallAnswer``.
    public var largestAnswer: Int
    /// The registry that named this address: in a redirect, as the place of an upload, or of its token server.
    ///
    /// Such a request doesn't go to loopback and link-local addresses, see `RedirectGuard`.
    public var namedBy: HTTPURL?
    /// Whether somebody named this very endpoint with `http://`, who thereby allows it off this machine.
    public var allowsPlainHTTP = false
    /// Whether it goes straight to its host, whatever proxies there are, as requests to metadata services must.
    public var bypassesProxy = false
    /// Whether it belongs to a blob that follows on the same connections, such as the opening of its upload.
    ///
    /// It then waits behind blobs that are under way, some milliseconds, and leaves them an open connection.
    public var travelsWithBlobs = false
    /// Whether an answer that comes encoded (`Content-Encoding`) is decoded; ``largestAnswer`` bounds what comes out.
    ///
    /// No encoding is ever asked for. Manifests are sometimes encoded all the same, by a proxy or a cache in front of the
    /// registry. Blobs are what their digest says, whatever a label calls them, and are never decoded
    /// (github.com/moby/moby issue 17595).
    public var decodesAnswer = false
    /// What nobody may be shown of ``content``.
    public var secretsInBody: [String] = []

    public static let usualDeadline: Duration = .seconds(60)
    /// In bytes: refusals, tokens, and what is answered to POST, PUT and PATCH (DESIGN section 5, "Bounds").
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

    /// Whether a part of a blob goes or comes with it.
    var movesPart: Bool { receiver != nil || content.isPart }

    /// The request that a redirect asks for: same method, credentials only within the same origin.
    ///
    /// `https` never falls to `http`. Redirects are values here; who follows one counts the hops.
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
        // The first that named an address, however many places it leads through.
        request.namedBy = namedBy ?? url
        if next.origin != url.origin {
            // Not only `Authorization`: libcurl would hand any other header on (SWIFT.md T10).
            request.fields = HTTPFields(fields.filter { [.range, .accept, .userAgent].contains($0.name) })
            request.allowsPlainHTTP = false
            request.bypassesProxy = false
        }
        return request
    }

    /// How many redirects one request may take (DESIGN section 5).
    public static let mostRedirects = 5
}

/// What came back, whatever its status.
public struct WireResponse: Sendable {
    public var status: HTTPResponse.Status
    public var fields: HTTPFields
    public var body: [UInt8]
    /// The `Content-Encoding` of a body that could not be decoded.
    public var undecodedEncoding: String?
    /// What it may quote of the request that it answers, and nobody may be shown.
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

    /// The same answer, to this very request.
    func answering(_ request: WireRequest) -> WireResponse {
        var answer = self
        answer.secrets = request.secrets
        return answer
    }

    /// The server's own clock, where it says.
    public var date: Date? {
        fields[.date].flatMap { secondsSince1970(httpDate: $0) }.map { Date(timeIntervalSince1970: Double($0)) }
    }

    /// The wait that the server asks for: `Retry-After` in seconds or as a date, or `x-amz-retry-after` in
    /// milliseconds.
    ///
    /// It may be longer than a run should wait: ``RetryPolicy/longestNamedWait`` decides that. A date is compared with
    /// the answer's own `Date`, so that a wrong clock on this machine changes nothing. A negative value, or one that
    /// is not a number, counts as none.
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

/// Whoever can open connections before they are needed.
public protocol ConnectionWarming: Sendable {
    /// Sees to it that so many connections for blobs have been opened to a URL's origin, with TLS; sends nothing.
    ///
    /// It returns at once; one that can't be opened is no error, and found out by whoever needs it.
    func warm(_ url: HTTPURL, connections: Int)
}

/// Whoever can send a small request and wait for the whole answer.
///
/// ``Transport`` does it with libcurl; tests of what stands above put a recording in its place.
public protocol HTTPSending: Sendable {
    /// - Returns: The answer, whatever its status.
    /// - Throws: ``WireError`` when there is no answer, or `CancellationError`.
    func send(_ request: WireRequest) async throws -> WireResponse
}

extension HTTPSending {
    /// Sends a request whose answer may end up in an error: it knows what must not be quoted of it.
    ///
    /// - Throws: As ``send(_:)``
    package func answer(to request: WireRequest) async throws -> WireResponse {
        try await send(request).answering(request)
    }
}

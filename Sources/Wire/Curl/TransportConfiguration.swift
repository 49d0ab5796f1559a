/// The settings of a ``Transport``.
public struct TransportConfiguration: Sendable {
    /// The number of threads that move blobs.
    ///
    /// One thread uses one core for TLS, SHA-256 and TLS again. Small requests have a thread of their own.
    public var relayDrivers: Int
    /// A PEM file of certificates that are trusted in addition to the system's.
    public var caBundle: String?
    /// The proxies for requests that leave this machine.
    public var proxies: Proxies
    /// `host:port` of endpoints that the user named with `http://`; plain http goes to these and to loopback only.
    ///
    /// They are spelled like ``HTTPURL/authority``: lowercase, and without the port if it is 80.
    public var plainHTTPAuthorities: Set<String>
    /// The `User-Agent` of requests that don't set one.
    public var userAgent: String
    /// The longest time for resolving the name, connecting and the TLS handshake.
    public var connectTimeout: Duration
    /// The upper limit of every message's deadline; `nil` for none.
    public var messageDeadlineLimit: Duration?
    /// libcurl's receive and upload buffers for blobs, in bytes.
    public var bufferSize: Int
    /// The size of the ring between the ends of one relay, in bytes; relays beyond ``wholeRings`` get half of
    /// it, and beyond twice as many a quarter.
    public var ringSize: Int
    /// The longest time in which an end of a relay may move no byte.
    public var stallLimit: Duration
    /// The longest time in which a destination that has every byte must answer.
    public var commitLimit: Duration
    /// The fewest bytes that an end of a relay must move within ``leastRateWindow``, not counting time in which the other
    /// end or the rate limit holds it back.
    public var leastBytes: Int64
    /// The time over which ``leastBytes`` is measured.
    public var leastRateWindow: Duration
    /// The longest time in which one destination of a relay may keep the others waiting.
    public var patience: Duration
    /// The most bytes a second that all relays together may read; `nil` for no limit.
    public var limitRate: Int64?
    /// The file operations of relays.
    var files = FileAccess()

    public static let usualConnectTimeout: Duration = .seconds(10)
    /// Measured at 32 relays of 32 MiB: 64 KiB cost 10 % more CPU, 256 KiB none less but 8 MiB more memory.
    public static let usualBufferSize = 128 << 10
    /// With these rings and the buffers above, 32 relays stay within the 64 MiB allowed (docs/architecture.md#bounds).
    public static let usualRingSize = 512 << 10
    /// The relays that have a ring of the full size at the same time; many relays together need less of each.
    static let wholeRings = 8
    public static let usualStallLimit: Duration = .seconds(60)
    /// A registry hashes a layer, or moves it within its storage, before it answers: minutes for a layer of 50 GB.
    public static let usualCommitLimit: Duration = .seconds(300)
    /// 1 KiB per second over five minutes.
    ///
    /// A modem is faster, and a peer that sends a byte now and then doesn't hold a slot for ever.
    public static let usualLeastBytes: Int64 = 300 << 10
    public static let usualLeastRateWindow: Duration = .seconds(300)
    /// The limit on how long the other destinations of one download wait (docs/architecture.md#several-destinations).
    public static let usualPatience: Duration = .seconds(10)
    /// The most threads for blobs that are useful (docs/architecture.md#bounds).
    public static let mostRelayDrivers = 4

    public init(
        relayDrivers: Int = min(processorCount, mostRelayDrivers),
        caBundle: String? = nil,
        proxies: Proxies = Proxies(),
        plainHTTPAuthorities: Set<String> = [],
        userAgent: String = "ecr-replicate",
        connectTimeout: Duration = usualConnectTimeout,
        messageDeadlineLimit: Duration? = nil,
        bufferSize: Int = usualBufferSize,
        ringSize: Int = usualRingSize,
        stallLimit: Duration = usualStallLimit,
        commitLimit: Duration = usualCommitLimit,
        leastBytes: Int64 = usualLeastBytes,
        leastRateWindow: Duration = usualLeastRateWindow,
        patience: Duration = usualPatience,
        limitRate: Int64? = nil
    ) {
        self.relayDrivers = relayDrivers
        self.caBundle = caBundle
        self.proxies = proxies
        self.plainHTTPAuthorities = plainHTTPAuthorities
        self.userAgent = userAgent
        self.connectTimeout = connectTimeout
        self.messageDeadlineLimit = messageDeadlineLimit
        self.bufferSize = bufferSize
        self.ringSize = ringSize
        self.stallLimit = stallLimit
        self.commitLimit = commitLimit
        self.leastBytes = leastBytes
        self.leastRateWindow = leastRateWindow
        self.patience = patience
        self.limitRate = limitRate
    }

    /// Refuses plain http to a host that is neither this machine nor an endpoint that the user named.
    ///
    /// - Throws: ``WireError/Reason/plainHTTP``
    func permit(_ request: WireRequest) throws(WireError) {
        let url = request.url
        guard
            url.scheme == .https || url.isLoopback || request.allowsPlainHTTP
                || plainHTTPAuthorities.contains(url.authority)
        else {
            throw WireError(.plainHTTP, "refused plain http to \(url.authority)", url: url)
        }
    }
}

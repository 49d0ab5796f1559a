internal import CCurl

/// A decision about a received chunk.
enum Intake { case taken, pause, abort }

/// The result of filling libcurl's upload buffer; 0 bytes mean the end.
enum Output { case bytes(Int), pause, abort }

/// The owner of a transfer, which libcurl's callbacks call on the driver's thread.
///
/// ``receive(_:from:)`` and ``fill(_:of:)`` must not pause, resume, add or remove a handle, because libcurl delivers data
/// synchronously and would re-enter the callback. They note what to do, and call ``DriverLoop/mark(_:)``.
protocol TransferOwner: AnyObject {
    func receive(_ chunk: UnsafeRawBufferPointer, from transfer: Transfer) -> Intake
    func fill(_ room: UnsafeMutableRawBufferPointer, of transfer: Transfer) -> Output
    /// Begins the upload again at its first byte, if that is still possible.
    func rewind(_ transfer: Transfer) -> Bool
    /// Begins the upload at `offset`, if that is possible.
    func skip(to offset: Int64, of transfer: Transfer) -> Bool
    /// Called outside any callback when the transfer has ended and its handle is freed; `nil` means a complete answer.
    func ended(_ transfer: Transfer, _ failure: WireError?)
}

extension TransferOwner {
    func skip(to offset: Int64, of transfer: Transfer) -> Bool { false }
}

/// One libcurl handle, and the head of its answer.
///
/// It is created, used and closed on one driver's thread. It is a class because the callbacks hold its address; the loop
/// keeps it until ``close()``.
@safe final class Transfer {
    /// The handle's address.
    typealias ID = UInt

    let handle: UnsafeMutableRawPointer
    let request: WireRequest
    private(set) var head = AnswerHead()
    private(set) var headIsTooLarge = false
    private let redirects: RedirectGuard
    /// The reason for which the request was not sent on its connection.
    private var refusal: WireError?
    unowned let owner: any TransferOwner
    /// The proxy, without its password, and whether its address has a user; `nil` if the host is reached directly.
    var proxy: (name: String, hasUser: Bool)?
    var caBundle: String?
    private var fieldList: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>

    init(_ request: WireRequest, owner: any TransferOwner, _ redirects: RedirectGuard) throws(WireError) {
        guard let handle = unsafe curl_easy_init() else {
            throw WireError(.other, "libcurl can't create a handle; is the process out of memory?", url: request.url)
        }
        unsafe self.handle = handle
        self.request = request
        self.owner = owner
        self.redirects = redirects
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    }

    var id: ID { unsafe ID(bitPattern: handle) }

    /// Frees the handle, which is not used afterwards; never called from `deinit`.
    func close() {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(fieldList)
        unsafe fieldList = nil
        unsafe errorText.deallocate()
    }

    /// Resumes both directions; libcurl may call back before this returns.
    ///
    /// - Throws: The failure that a callback caused.
    func resume() throws(WireError) {
        let code = unsafe curl_easy_pause(handle, CURLPAUSE_RECV_CONT | CURLPAUSE_SEND_CONT)
        if let failure = failure(code) { throw failure }
    }

    func failure(_ code: CURLcode) -> WireError? {
        if let refusal { return refusal }
        if headIsTooLarge {
            return WireError(.answerTooLarge, "a head of more than \(AnswerHead.largest) bytes", url: request.url)
        }
        guard code != CURLE_OK else { return nil }
        if code == CURLE_SSL_CACERT_BADFILE, let caBundle {
            let words = "\(caBundle) is not a file of certificates in PEM form, or can't be read: see --ca-bundle"
            return WireError(.certificate, words, url: request.url, curlCode: Int(code.rawValue))
        }
        let text = unsafe String(cString: errorText)
        if let proxy,
            let error = WireError(proxy: proxy.name, hasUser: proxy.hasUser, proxyStatus, code, text, url: request.url)
        {
            return error
        }
        return WireError(curl: code, text, url: request.url)
    }

    /// The proxy's status for `CONNECT`; 0 if none was sent.
    private var proxyStatus: Int {
        var status = 0
        unsafe curl_easy_getinfo_long(handle, CURLINFO_HTTP_CONNECTCODE, &status)
        return status
    }

    /// The bytes of the body that the socket has accepted.
    var uploaded: Int64 {
        var count: curl_off_t = 0
        unsafe curl_easy_getinfo_offset(handle, CURLINFO_SIZE_UPLOAD_T, &count)
        return Int64(count)
    }

    var connectionsOpened: Int {
        var count = 0
        unsafe curl_easy_getinfo_long(handle, CURLINFO_NUM_CONNECTS, &count)
        return count
    }

    // MARK: Options

    func set(_ option: CURLoption, _ value: Int) throws(WireError) {
        try check(unsafe curl_easy_setopt_long(handle, option, value), option)
    }

    func set(_ option: CURLoption, offset value: Int64) throws(WireError) {
        try check(unsafe curl_easy_setopt_offset(handle, option, curl_off_t(value)), option)
    }

    /// Sets a text option; libcurl copies the text.
    func set(_ option: CURLoption, _ text: String) throws(WireError) {
        try check(unsafe curl_easy_setopt_text(handle, option, text), option)
    }

    /// Adds one line to the head of the request.
    func append(field line: String) throws(WireError) {
        guard let list = unsafe curl_slist_append(fieldList, line) else {
            throw WireError(
                .other,
                "libcurl could not store a header field; is the process out of memory?",
                url: request.url
            )
        }
        unsafe fieldList = list
    }

    /// Sets header fields, error text and callbacks, after every other option.
    func connectCallbacks() throws(WireError) {
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        try check(unsafe curl_easy_setopt_list(handle, CURLOPT_HTTPHEADER, fieldList), CURLOPT_HTTPHEADER)
        try check(unsafe curl_easy_setopt_pointer(handle, CURLOPT_ERRORBUFFER, errorText), CURLOPT_ERRORBUFFER)
        for option in [CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_READDATA, CURLOPT_SEEKDATA, CURLOPT_PREREQDATA] {
            try check(unsafe curl_easy_setopt_pointer(handle, option, this), option)
        }
        try check(
            unsafe curl_easy_setopt_bytes_fn(handle, CURLOPT_HEADERFUNCTION, onHeader),
            CURLOPT_HEADERFUNCTION
        )
        try check(unsafe curl_easy_setopt_bytes_fn(handle, CURLOPT_WRITEFUNCTION, onBody), CURLOPT_WRITEFUNCTION)
        try check(unsafe curl_easy_setopt_bytes_fn(handle, CURLOPT_READFUNCTION, onRoom), CURLOPT_READFUNCTION)
        try check(unsafe curl_easy_setopt_offset_fn(handle, CURLOPT_SEEKFUNCTION, onSeek), CURLOPT_SEEKFUNCTION)
        try check(unsafe curl_easy_setopt_ready_fn(handle, CURLOPT_PREREQFUNCTION, onReady), CURLOPT_PREREQFUNCTION)
    }

    private func check(_ code: CURLcode, _ option: CURLoption) throws(WireError) {
        guard code != CURLE_OK else { return }
        let name = unsafe curl_easy_option_by_id(option).map { unsafe String(cString: $0.pointee.name) }
        let words = "libcurl refused \(name ?? "option \(option.rawValue)")"
        throw WireError(.other, words, url: request.url, curlCode: Int(code.rawValue))
    }

    // MARK: Callbacks

    /// Decides whether to send on a connection, new or kept, before anything is sent.
    fileprivate func isReady(at address: String, port: Int) -> Bool {
        let isDirect = proxy.map { proxy in port == request.url.port && !proxy.name.hasSuffix(":\(port)") } ?? true
        if request.namedBy == nil {
            redirects.note(request.url, isLoopback: isDirect && GuardedAddress.isLoopback(address))
        } else if isDirect {
            refusal = redirects.refusal(of: request, at: address)
        }
        return refusal == nil
    }

    fileprivate func receiveHead(_ line: UnsafeRawBufferPointer) -> Int {
        guard unsafe head.take(line) else {
            headIsTooLarge = true
            return 0
        }
        return line.count
    }

    fileprivate func receive(_ chunk: UnsafeRawBufferPointer) -> Int {
        switch unsafe owner.receive(chunk, from: self) {
        case .taken: chunk.count
        case .pause: Int(CURL_WRITEFUNC_PAUSE)
        // Any number except the length of the chunk ends the transfer; 0 would be the length of an empty chunk.
        case .abort: Int(CURL_WRITEFUNC_ERROR)
        }
    }

    fileprivate func fill(_ room: UnsafeMutableRawBufferPointer) -> Int {
        switch unsafe owner.fill(room, of: self) {
        case .bytes(let count): count
        case .pause: Int(CURL_READFUNC_PAUSE)
        case .abort: Int(CURL_READFUNC_ABORT)
        }
    }

    fileprivate func seek(to offset: Int64) -> CInt {
        (offset == 0 ? owner.rewind(self) : owner.skip(to: offset, of: self)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
    }
}

@available(*, unavailable) extension Transfer: Sendable {}

// libcurl's callbacks: they capture nothing and decide nothing.

private let onHeader: curl_bytes_fn = { bytes, size, count, context in
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.receiveHead(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private let onBody: curl_bytes_fn = { bytes, size, count, context in
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private let onRoom: curl_bytes_fn = { bytes, size, count, context in
    guard let context = unsafe context else { return Int(CURL_READFUNC_ABORT) }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return unsafe transfer.fill(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
}

private let onReady: curl_ready_fn = { context, address, _, port, _ in
    guard let context = unsafe context, let address = unsafe address else { return CURL_PREREQFUNC_ABORT }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let isReady = unsafe transfer.isReady(at: String(cString: address), port: Int(port))
    return isReady ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private let onSeek: curl_offset_fn = { context, offset, origin in
    guard let context = unsafe context, origin == SEEK_SET else { return CURL_SEEKFUNC_FAIL }
    return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().seek(to: Int64(offset))
}

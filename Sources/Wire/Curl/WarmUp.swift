internal import HTTPTypes

/// Opens one connection on a driver's thread and leaves it in libcurl's cache.
///
/// No request is sent, so no request budget counts it.
final class WarmUp: Job {
    let ticket: Ticket
    private unowned let loop: DriverLoop
    private let url: HTTPURL
    private var transfer: Transfer?

    init(_ url: HTTPURL, _ ticket: Ticket, on loop: DriverLoop) {
        self.ticket = ticket
        self.loop = loop
        self.url = url
    }

    func begin() throws(WireError) {
        transfer = try loop.start(WireRequest(.put, url), as: .warmUp, uploading: 1, for: self)
    }

    func receive(_ chunk: UnsafeRawBufferPointer, from transfer: Transfer) -> Intake { .abort }
    /// Is never called: the transfer ends before a byte is sent.
    func fill(_ room: UnsafeMutableRawBufferPointer, of transfer: Transfer) -> Output { .abort }
    func rewind(_ transfer: Transfer) -> Bool { false }
    func skip(to offset: Int64, of transfer: Transfer) -> Bool { true }

    func ended(_ transfer: Transfer, _ failure: WireError?) {
        self.transfer = nil
        loop.forget(self)
    }

    func settle() {}
    /// libcurl itself limits the time for connecting.
    func check() -> ContinuousClock.Instant { loop.now + .seconds(60) }

    func fail(_ error: any Error) {
        if let transfer = transfer.take() { loop.drop(transfer) }
        loop.forget(self)
    }
}

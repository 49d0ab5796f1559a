import Platform
import Wire

/// A sender that answers with a closure and records the requests.
public final class RecordingSender: HTTPSending {
    private let answer: @Sendable (WireRequest, Int) async throws -> WireResponse
    private let sent = Lock<[WireRequest]>([])

    /// - Parameter answer: Gets each request, and its number from 1.
    public init(_ answer: @escaping @Sendable (_ request: WireRequest, _ number: Int) async throws -> WireResponse) {
        self.answer = answer
    }

    public var requests: [WireRequest] { sent.withLock { $0 } }

    public func send(_ request: WireRequest) async throws -> WireResponse {
        let number = sent.withLock { sent in
            sent.append(request)
            return sent.count
        }
        return try await answer(request, number)
    }
}

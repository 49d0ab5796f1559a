internal import FoundationEssentials
public import Wire

/// One call of the ECR JSON API, as a value: what to send, what comes back.
///
/// Adding an operation is adding one conforming struct; ``ECRClient/send(_:)`` signs, retries, decodes and
/// explains failures the same way for all of them.
public protocol ECROperation: Encodable, Sendable {
    associatedtype Response: Decodable & Sendable

    /// The last part of `X-Amz-Target`, for example `"PutImage"`.
    static var name: String { get }

    /// How long one attempt may take; a part of a blob may take longer as long as it moves.
    static var deadline: Duration { get }

    /// In bytes; a longer answer is refused while it comes in.
    var largestAnswer: Int { get }

    /// The request's body; JSON of `self` unless an operation knows a cheaper way.
    func body() throws -> RequestBody
}

extension ECROperation {
    public static var deadline: Duration { WireRequest.usualDeadline }

    public var largestAnswer: Int { WireRequest.largestSmallAnswer }

    public func body() throws -> RequestBody { RequestBody(try json()) }

    /// What is encoded of `self`, in one line.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return Array(try encoder.encode(self))
    }
}

/// An operation whose answer comes in pages.
public protocol PagedECROperation: ECROperation where Response: ECRPage {
    /// What the page before said; `nil` for the first.
    var nextToken: String? { get set }
}

extension PagedECROperation {
    /// A thousand images with many tags each; larger pages were never seen.
    public var largestAnswer: Int { 8 << 20 }
}

/// One page of an answer.
public protocol ECRPage: Decodable, Sendable {
    /// What to ask for the next page with; `nil` on the last.
    var nextToken: String? { get }
}

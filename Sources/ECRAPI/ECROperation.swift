internal import FoundationEssentials
public import Wire

/// One call of a JSON API of AWS's as a value: the request to send and the type of the answer.
public protocol AWSJSONOperation: Encodable, Sendable {
    associatedtype Response: Decodable & Sendable

    /// The last part of `X-Amz-Target`, for example `"PutImage"`.
    static var name: String { get }

    /// How long one attempt may take; an upload of a part may take longer as long as bytes move.
    static var deadline: Duration { get }

    /// The longest answer, in bytes; reception of a longer one is aborted.
    var largestAnswer: Int { get }

    /// Returns the request's body: JSON of `self`, unless an operation has a cheaper way.
    func body() throws -> RequestBody
}

/// One call of the ECR JSON API as a value.
///
/// A new operation is one conforming struct; ``ECRClient/send(_:)`` signs, retries, decodes and explains failures for
/// all of them alike.
public protocol ECROperation: AWSJSONOperation {}

extension AWSJSONOperation {
    public static var deadline: Duration { WireRequest.usualDeadline }

    public var largestAnswer: Int { WireRequest.largestSmallAnswer }

    public func body() throws -> RequestBody { RequestBody(try json()) }

    /// Encodes `self` as JSON in one line.
    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        return Array(try encoder.encode(self))
    }
}

/// An operation whose answer comes in pages.
public protocol PagedECROperation: ECROperation where Response: ECRPage {
    /// The token from the page before; `nil` for the first page.
    var nextToken: String? { get set }
}

extension PagedECROperation {
    /// Room for a thousand images with many tags each; no larger page has been seen.
    public var largestAnswer: Int { 8 << 20 }
}

/// One page of an answer.
public protocol ECRPage: Decodable, Sendable {
    /// The token of the next page; `nil` on the last page.
    var nextToken: String? { get }
}

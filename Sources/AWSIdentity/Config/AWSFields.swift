package import HTTPTypes

/// The header fields that AWS adds to HTTP.
extension HTTPField.Name {
    package static let amzDate = aws("X-Amz-Date")
    package static let amzSecurityToken = aws("X-Amz-Security-Token")
    package static let amzTarget = aws("X-Amz-Target")
    package static let amzRequestID = aws("x-amzn-RequestId")
    package static let amzErrorType = aws("x-amzn-ErrorType")
    /// Identifies a call: all its attempts send the same value, unsigned, as SDKs do.
    package static let sdkInvocationID = aws("amz-sdk-invocation-id")
    /// The number of this attempt, sent unsigned, as SDKs do.
    package static let sdkRequest = aws("amz-sdk-request")

    private static func aws(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("\(name) is not a header name") }
        return name
    }
}

/// The user agent that this program sends to AWS.
package enum UserAgent {
    package static let value = "ecr-replicate/0.1.0"
}

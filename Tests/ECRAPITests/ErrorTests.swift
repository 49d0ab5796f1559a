import Content
import FoundationEssentials
import HTTPTypes
import TestDoubles
import Testing
import Wire

@testable import AWSIdentity
@testable import ECRAPI

@Suite("An error of ECR")
struct ErrorTests {
    private let describe = DescribeRepositories(registryId: account)

    private func failure(_ response: WireResponse) async throws -> ECRError {
        let sender = RecordingSender { _, _ in response }
        return try #require(
            await #expect(throws: ECRError.self) { try await client(sender, attempts: 1).send(describe) }
        )
    }

    @Test(
        "is read in all its forms",
        arguments: [
            (#"{"__type":"ImageNotFoundException","message":"m"}"#, "ImageNotFoundException", "m"),
            (#"{"__type":"com.amazonaws.ecr#ImageNotFoundException","Message":"m"}"#, "ImageNotFoundException", "m"),
            (#"{"__type":"ImageNotFoundException:http://x/y#z","message":"m"}"#, "ImageNotFoundException", "m"),
            (#"{"__type":"a#ImageNotFoundException:u","message":null,"Message":"m"}"#, "ImageNotFoundException", "m"),
            (#"{"message":"m"}"#, "400", "m"), (#"{"message":3}"#, "400", "no reason given"),
            ("<html>\nbad\u{1B}[31m</html>", "400", "<html> bad [31m</html>"), ("", "400", "no reason given"),
        ]
    )
    func forms(_ body: String, _ code: String, _ message: String) async throws {
        let error = try await failure(answer(400, body, [.amzRequestID: "id-1"]))
        #expect(error.code.rawValue == code)
        #expect(error.message == message)
        #expect(error.status == 400)
        #expect(error.requestID == "id-1")
        #expect(error.operation == "DescribeRepositories")
        #expect("\(error)" == "DescribeRepositories: \(code): \(message) (request id-1)")
    }

    @Test("may have its code in a header, and other members")
    func details() async throws {
        let named = try await failure(answer(400, "{}", [.amzErrorType: "InvalidParameterException:http://x"]))
        #expect(named.code == .invalidParameter)
        let part = try await failure(
            answer(400, #"{"__type":"InvalidLayerPartException","message":"m","lastValidByteReceived":11304959}"#)
        )
        #expect(part.lastValidByteReceived == 11_304_959)
        let kms = try await failure(answer(400, #"{"__type":"KmsException","message":"m","kmsError":"disabled"}"#))
        #expect(kms.kmsError == "disabled")
        #expect("\(kms)".contains("(disabled)"))
    }

    @Test("has only the beginning of a proxy's HTML")
    func clipped() async throws {
        let error = try await failure(answer(502, String(repeating: "x", count: 100_000)))
        #expect(error.message.count == 300)
    }

    @Test("leaves out the request that AWS repeats when it refuses a signature")
    func signatureRefused() async throws {
        let said = """
            The request signature we calculated does not match.\\n\\nThe Canonical String for this request should have \
            been\\n'POST\\n/\\n\\nx-amz-security-token:hidden'
            """
        let error = try await failure(fault(400, "InvalidSignatureException", said))
        #expect(error.message == "The request signature we calculated does not match.")
        let other = try await failure(fault(400, "InvalidSignatureException", "Got 'X-Amz-Security-Token:hidden'"))
        #expect(other.message == "Got '")
    }

    /// Code, status, and whether to retry.
    static let advice: [(String, Int, Bool)] =
        [
            "RepositoryNotFoundException", "RepositoryAlreadyExistsException", "ImageNotFoundException",
            "ImageAlreadyExistsException", "ImageTagAlreadyExistsException", "ImageDigestDoesNotMatchException",
            "ReferencedImagesNotFoundException", "LayersNotFoundException", "LayerInaccessibleException",
            "LayerAlreadyExistsException", "LayerPartTooSmallException", "InvalidLayerException",
            "InvalidLayerPartException", "EmptyUploadException", "UploadNotFoundException", "LimitExceededException",
            "InvalidParameterException", "ValidationException", "KmsException", "UnableToGetUpstreamImageException",
            "UnableToGetUpstreamLayerException", "UnableToListUpstreamImageReferrersException",
            "AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException",
            "ExpiredTokenException", "IncompleteSignatureException", "MissingAuthenticationTokenException",
            "OptInRequired", "UnknownOperationException", "SerializationException", "RequestExpired", "Unheard", "404",
        ].map { ($0, 400, false) }
        + [
            "Throttling", "ThrottlingException", "ThrottleException", "ThrottledException",
            "RequestThrottledException", "TooManyRequestsException", "ProvisionedThroughputExceededException",
            "TransactionInProgressException", "RequestLimitExceeded", "BandwidthLimitExceeded", "RequestThrottled",
            "SlowDown", "PriorRequestNotComplete", "EC2ThrottledException", "ServerException", "RequestTimeout",
            "RequestTimeoutException", "InternalFailure", "ServiceUnavailable",
        ].map { ($0, 400, true) }
        + [
            ("Unheard", 500, true), ("502", 502, true), ("503", 503, true), ("504", 504, true), ("429", 429, true),
            ("408", 408, true), ("LimitExceededException", 429, false), ("LimitExceededException", 500, false),
            ("KmsException", 500, false), ("UnreadableAnswer", 200, true), ("RepeatedPage", 200, false),
        ]

    @Test("advises by code, and by status if the code is unknown", arguments: advice)
    func advises(_ code: String, _ status: Int, _ isWorthwhile: Bool) {
        let error = ECRError(operation: "PutImage", code: .init(rawValue: code), message: "", status: status)
        #expect(error.retryAdvice == (isWorthwhile ? .backOff : .never))
        let waiting = ECRError(
            operation: "PutImage",
            code: .init(rawValue: code),
            message: "",
            status: status,
            retryAfter: .seconds(3)
        )
        #expect(waiting.retryAdvice == (isWorthwhile ? .wait(.seconds(3)) : .never))
    }

    @Test(
        "tells whether the credentials are refused",
        arguments: [("ExpiredTokenException", true), ("UnrecognizedClientException", true), ("KmsException", false)]
    )
    func authentication(_ code: String, _ isRefused: Bool) {
        let error = ECRError(operation: "PutImage", code: .init(rawValue: code), message: "", status: 400)
        #expect(error.isAuthentication == isRefused)
    }

    static let sentence =
        "User: arn:aws:sts::1:assumed-role/R/S is not authorized to perform: ecr:InitiateLayerUpload "
        + "on resource: arn:aws:ecr:us-west-2:2:repository/x "

    @Test(
        "of a denial has principal, action, resource and the kind of policy",
        arguments: [
            ("because no resource-based policy allows the ecr:InitiateLayerUpload action", .resourcePolicy, false),
            ("because no identity-based policy allows the ecr:InitiateLayerUpload action", .identityPolicy, false),
            ("with an explicit deny in a service control policy", .serviceControlPolicy, true),
            ("with an explicit deny in a resource-based policy", .resourcePolicy, true),
            ("with an explicit deny in an identity-based policy", .identityPolicy, true),
            ("because no session policy allows the action", .sessionPolicy, false),
            ("with an explicit deny in a sessions policy", .sessionPolicy, true),
            ("because no role trust policy allows the sts:AssumeRole action", .resourcePolicy, false),
            ("with an explicit deny in the role trust policy", .resourcePolicy, true),
            ("because no permissions boundary allows the action", .permissionsBoundary, false),
            ("because no VPC endpoint policy allows the action", .endpointPolicy, false),
            ("with an explicit deny in a resource control policy", .resourceControlPolicy, true),
            ("", .unstated, false),
        ] as [(String, ECRError.Denial.Reason, Bool)]
    )
    func denial(_ ending: String, _ reason: ECRError.Denial.Reason, _ isExplicit: Bool) throws {
        let error = ECRError(operation: "X", code: .accessDenied, message: Self.sentence + ending, status: 400)
        let denial = try #require(error.denial)
        #expect(denial.principal == "arn:aws:sts::1:assumed-role/R/S")
        #expect(denial.action == "ecr:InitiateLayerUpload")
        #expect(denial.resource == "arn:aws:ecr:us-west-2:2:repository/x")
        #expect(denial.reason == reason)
        #expect(denial.isExplicit == isExplicit)
    }

    @Test("names the operation's own action if the sentence is unknown")
    func unreadableDenial() {
        func denial(_ operation: String, _ code: ECRError.Code = .accessDenied) -> ECRError.Denial? {
            ECRError(operation: operation, code: code, message: "go away", status: 400).denial
        }
        #expect(denial("PutImage")?.action == "ecr:PutImage")
        #expect(denial("PutImage")?.principal == nil && denial("PutImage")?.resource == nil)
        #expect(denial("ListImageReferrers")?.action == "ecr:BatchGetImage")
        #expect(denial("PutImage", .kms) == nil)
        let star = ECRError(
            operation: "GetAuthorizationToken",
            code: .accessDenied,
            message: "User: u is not authorized to perform: ecr:GetAuthorizationToken on resource: * because x",
            status: 400
        )
        #expect(star.denial?.resource == "*")
    }
}

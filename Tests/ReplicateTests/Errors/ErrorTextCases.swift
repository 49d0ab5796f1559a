import AWSIdentity
import Content
import ECRAPI
import Testing
import Wire

@testable import Replicate

/// Each way in which the search for a failure's cause ends, and all that is said then.
///
/// - Source: docs/facts/ecr-api.md#errors, docs/facts/ecr-registry.md#error-answers, docs/facts/quotas.md#clock-skew,
///   docs/facts/permissions.md#texts-of-refusals; libcurl's own texts as libcurl 7.88.1 writes them
struct ErrorTextCase: Sendable, CustomTestStringConvertible {
    var name: String
    var error: CopyError
    var expected: String

    var testDescription: String { name }

    static let source = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1"
    static let destination = "444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1"
    static let caller = "arn:aws:sts::111122223333:assumed-role/build/me"
    static let repository = "arn:aws:ecr:us-west-2:444455556666:repository/prod/app"

    init(
        _ name: String,
        _ error: any Error,
        side: CopyError.Side = .destination,
        image: String? = nil,
        operation: String = "asking",
        says expected: String
    ) {
        self.name = name
        self.error = CopyError(
            explaining: error,
            side: side,
            image: image ?? (side == .source ? Self.source : Self.destination),
            operation
        )
        self.expected = expected
    }

    /// What ECR's API answers, with the sentence of a denial after the action.
    static func denied(
        _ action: String,
        by caller: String = caller,
        on resource: String = repository,
        _ why: String
    ) -> ECRError {
        api(
            String(action.dropFirst(4)),
            "AccessDeniedException",
            "User: \(caller) is not authorized to perform: \(action) on resource: \(resource)"
                + (why.isEmpty ? "" : " \(why)")
        )
    }

    static func api(_ operation: String, _ code: String, _ message: String) -> ECRError {
        ECRError(
            operation: operation,
            code: .init(rawValue: code),
            message: message,
            status: 400,
            requestID: "r-1",
            credentials: "…KEY1 from profile build"
        )
    }

    static func wire(_ reason: WireError.Reason, _ detail: String, _ url: String, _ code: Int) -> WireError {
        var error = WireError(reason, detail, curlCode: code)
        error.url = url
        if reason == .proxyRefused {
            error.proxyStatus = detail.split(separator: " ").compactMap { Int($0.prefix(3)) }.first
        }
        return error
    }

    static func role(
        _ code: String,
        _ message: String,
        externalID: Bool = false,
        mfa: Bool = false,
        partition: String = "aws"
    ) -> IdentityError {
        let arn = "arn:\(partition):iam::444455556666:role/promoter"
        return IdentityError(
            "the role \(arn) could not be assumed: \(code): \(message)",
            tried: ["the role flag, with …KEY1 from environment"],
            remedy: "ask",
            requestID: "r-9",
            refusal: RoleRefusal(
                roleARN: arn,
                sentExternalID: externalID,
                sentMFA: mfa,
                code: code,
                message: message
            )
        )
    }

    static let all =
        denials + furtherDenials + registry + credentials + tokens + network + hosts + missing
}

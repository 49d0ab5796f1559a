@testable import AWSIdentity
@testable import Replicate

/// What is said where STS takes no credentials, or not these.
extension ErrorTextCase {
    static let tokens: [ErrorTextCase] = [
        Self(
            "STS, unknown key",
            sts(
                "InvalidClientTokenId",
                "The security token included in the request is invalid."
            ),
            says: """
                GetCallerIdentity failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: AWS does not accept the credentials (InvalidClientTokenId): The security token included in the request is invalid.
                  next: check the access key id and the session token: AWS doesn't know them, or they were deleted; keys of one partition (aws, aws-cn, aws-us-gov) aren't known in another
                  request id: r-5
                """
        ),
        Self(
            "STS, clock behind",
            sts(
                "SignatureDoesNotMatch",
                "Signature expired: 20260115T120000Z is now earlier than 20260115T122000Z (20260115T122500Z - 5 min.)"
            ),
            says: """
                GetCallerIdentity failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: AWS does not accept the credentials (SignatureDoesNotMatch): Signature expired: 20260115T120000Z is now earlier than 20260115T122000Z (20260115T122500Z - 5 min.)
                  next: set this machine's clock: it is 25 min 0 s behind AWS's
                  request id: r-5
                """
        ),
        Self(
            "STS, wrong secret",
            sts(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided."
            ),
            says: """
                GetCallerIdentity failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: AWS does not accept the credentials (SignatureDoesNotMatch): The request signature we calculated does not match the signature you provided.
                  next: check the secret access key: it doesn't belong to this access key id, or only part of it was copied; a proxy that changes requests has the same effect
                  request id: r-5
                """
        ),
        Self(
            "STS, region not enabled",
            sts(
                "RegionDisabledException",
                "STS is not activated in this region"
            ),
            image: "444455556666.dkr.ecr.af-south-1.amazonaws.com/prod/app:v1",
            says: """
                GetCallerIdentity failed at the destination 444455556666.dkr.ecr.af-south-1.amazonaws.com/prod/app:v1: AWS does not accept the credentials (RegionDisabledException): STS is not activated in this region
                  next: af-south-1 may not be enabled for the account: aws account enable-region --region-name af-south-1
                  request id: r-5
                """
        ),
        Self(
            "STS, region not enabled, other partition",
            sts(
                "RegionDisabledException",
                "STS is not activated in this region"
            ),
            image: "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/prod/app:v1",
            says: """
                GetCallerIdentity failed at the destination 444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/prod/app:v1: AWS does not accept the credentials (RegionDisabledException): STS is not activated in this region
                  next: cn-north-1 may not be enabled for the account: ask the account's administrator
                  request id: r-5
                """
        ),
        Self(
            "STS, region not enabled, no ECR",
            sts(
                "RegionDisabledException",
                "STS is not activated in this region"
            ),
            image: "a.test:5000/team/app:v1",
            says: """
                GetCallerIdentity failed at the destination a.test:5000/team/app:v1: AWS does not accept the credentials (RegionDisabledException): STS is not activated in this region
                  next: the region may not be enabled for the account: ask the account's administrator
                  request id: r-5
                """
        ),
    ]

    private static func sts(_ code: String, _ message: String) -> STSError {
        STSError(
            operation: "GetCallerIdentity",
            code: code,
            message: message,
            status: 403,
            requestID: "r-5",
            retryAfter: nil
        )
    }
}

@testable import Replicate

/// What is said where AWS takes no credentials, or not these.
extension ErrorTextCase {
    static let credentials: [ErrorTextCase] = [
        Self(
            "expired",
            api("BatchGetImage", "ExpiredTokenException", "The security token included in the request is expired"),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: AWS does not accept the credentials (ExpiredTokenException): The security token included in the request is expired
                  next: the session has ended: start a new one (aws sso login, aws sts assume-role, a new job), then run again
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "unknown key",
            api(
                "BatchGetImage",
                "UnrecognizedClientException",
                "The security token included in the request is invalid."
            ),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: AWS does not accept the credentials (UnrecognizedClientException): The security token included in the request is invalid.
                  next: check the access key id and the session token: AWS doesn't know them, or they were deleted; keys of one partition (aws, aws-cn, aws-us-gov) aren't known in another
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "unknown key, opt-in region",
            api(
                "BatchGetImage",
                "UnrecognizedClientException",
                "The security token included in the request is invalid."
            ),
            image: "444455556666.dkr.ecr.eu-south-2.amazonaws.com/prod/app:v1",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.eu-south-2.amazonaws.com/prod/app:v1: AWS does not accept the credentials (UnrecognizedClientException): The security token included in the request is invalid.
                  next: eu-south-2 may not be enabled for the account: aws account enable-region --region-name eu-south-2; a session from the global STS endpoint is not valid there either: set AWS_STS_REGIONAL_ENDPOINTS=regional and start a new one; and keys of one partition (aws, aws-cn, aws-us-gov) aren't known in another
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "unknown key, other partition",
            api(
                "BatchGetImage",
                "UnrecognizedClientException",
                "The security token included in the request is invalid."
            ),
            image: "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/prod/app:v1",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/prod/app:v1: AWS does not accept the credentials (UnrecognizedClientException): The security token included in the request is invalid.
                  next: check the access key id and the session token: AWS doesn't know them, or they were deleted; partition aws-cn has its own accounts and keys
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "region not enabled",
            api("BatchGetImage", "OptInRequired", "You are not subscribed to this service"),
            image: "444455556666.dkr.ecr.af-south-1.amazonaws.com/prod/app:v1",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.af-south-1.amazonaws.com/prod/app:v1: AWS does not accept the credentials (OptInRequired): You are not subscribed to this service
                  next: af-south-1 may not be enabled for the account: aws account enable-region --region-name af-south-1
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "region not enabled, STS",
            role("RegionDisabledException", "STS is not activated in this region"),
            image: "444455556666.dkr.ecr.af-south-1.amazonaws.com/prod/app:v1",
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.af-south-1.amazonaws.com/prod/app:v1: the role arn:aws:iam::444455556666:role/promoter could not be assumed: RegionDisabledException: STS is not activated in this region; tried the role flag, with …KEY1 from environment
                  next: af-south-1 may not be enabled for the account: aws account enable-region --region-name af-south-1
                  request id: r-9
                """
        ),
        Self(
            "clock behind",
            api(
                "BatchGetImage",
                "InvalidSignatureException",
                "Signature expired: 20260115T120000Z is now earlier than 20260115T122000Z (20260115T122500Z - 5 min.)"
            ),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: AWS does not accept the credentials (InvalidSignatureException): Signature expired: 20260115T120000Z is now earlier than 20260115T122000Z (20260115T122500Z - 5 min.)
                  next: set this machine's clock: it is 25 min 0 s behind AWS's
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "unknown key, a role of another partition",
            role("InvalidClientTokenId", "The security token included in the request is invalid.", partition: "aws-cn"),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the role arn:aws-cn:iam::444455556666:role/promoter could not be assumed: InvalidClientTokenId: The security token included in the request is invalid.; tried the role flag, with …KEY1 from environment
                  next: the role is in partition aws-cn, and us-west-2 is in aws: keys of one partition (aws, aws-cn, aws-us-gov) aren't known in another; use credentials and a role of aws
                  request id: r-9
                """
        ),
        Self(
            "two clocks, and a cloud that isn't AWS",
            api(
                "BatchGetImage",
                "InvalidSignatureException",
                "Signature expired: 20260115T120000Z is now earlier than 20260115T122000Z (20260115T122500Z - 5 min.)"
            ),
            image: "444455556666.dkr.ecr.us-west-2.localhost:4510/prod/app:v1",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.localhost:4510/prod/app:v1: AWS does not accept the credentials (InvalidSignatureException): Signature expired: 20260115T120000Z is now earlier than 20260115T122000Z (20260115T122500Z - 5 min.)
                  next: this machine's clock is 25 min 0 s behind that of 444455556666.dkr.ecr.us-west-2.localhost:4510: correct the clock that is wrong
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "clock ahead",
            api(
                "BatchGetImage",
                "InvalidSignatureException",
                "Signature not yet current: 20260115T142010Z is still later than 20260115T120500Z (20260115T120000Z + 5 min.)"
            ),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: AWS does not accept the credentials (InvalidSignatureException): Signature not yet current: 20260115T142010Z is still later than 20260115T120500Z (20260115T120000Z + 5 min.)
                  next: set this machine's clock: it is 2 h 20 min ahead of AWS's
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "wrong secret",
            api(
                "BatchGetImage",
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided."
            ),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: AWS does not accept the credentials (InvalidSignatureException): The request signature we calculated does not match the signature you provided.
                  next: check the secret access key: it doesn't belong to this access key id, or only part of it was copied; a proxy that changes requests has the same effect
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "wrong region",
            api("BatchGetImage", "InvalidSignatureException", "Credential should be scoped to a valid region."),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: AWS does not accept the credentials (InvalidSignatureException): Credential should be scoped to a valid region.
                  next: the endpoint belongs to another region or service than the reference: check the endpoint flags and AWS_ENDPOINT_URL_ECR
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "no signature",
            api("BatchGetImage", "MissingAuthenticationTokenException", "Missing Authentication Token"),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: AWS does not accept the credentials (MissingAuthenticationTokenException): Missing Authentication Token
                  next: check the proxy and the endpoint: something between this machine and AWS changes the requests' headers
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "role, expired",
            role("ExpiredToken", "The security token included in the request is expired"),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the role arn:aws:iam::444455556666:role/promoter could not be assumed: ExpiredToken: The security token included in the request is expired; tried the role flag, with …KEY1 from environment
                  next: the session has ended: start a new one (aws sso login, aws sts assume-role, a new job), then run again
                  request id: r-9
                """
        ),
    ]
}

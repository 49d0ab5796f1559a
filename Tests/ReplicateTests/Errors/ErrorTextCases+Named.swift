@testable import Replicate

/// What a denial says where a role, a key or a stranger is named.
extension ErrorTextCase {
    static let furtherDenials: [ErrorTextCase] = [
        Self(
            "STS, permission set with an external id",
            role(
                "AccessDenied",
                "User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter",
                externalID: true
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter; tried the role flag, with …KEY1 from environment
                  next: one of two statements is missing, and AWS doesn't say which. Add this to an identity policy of permission set Deploy (IAM Identity Center, account 111122223333):
                    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/promoter"}
                  or add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Deploy_0123456789abcdef"},"StringEquals":{"sts:ExternalId":"THE-EXTERNAL-ID-THAT-WAS-SENT"}}}
                    an external id was sent; if the trust policy requires sts:ExternalId, it must name that id
                    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set mfa_serial in the profile instead: the statement above does not require one
                  request id: r-9
                """
        ),
        Self(
            "STS, permission set",
            role(
                "AccessDenied",
                "User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter"
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter; tried the role flag, with …KEY1 from environment
                  next: one of two statements is missing, and AWS doesn't say which. Add this to an identity policy of permission set Deploy (IAM Identity Center, account 111122223333):
                    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/promoter"}
                  or add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Deploy_0123456789abcdef"}}}
                    no external id was sent; if the trust policy requires sts:ExternalId, pass it with --external-id
                    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set mfa_serial in the profile instead: the statement above does not require one
                  request id: r-9
                """
        ),
        Self(
            "STS, trust, permission set with an external id",
            role(
                "AccessDenied",
                "User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no resource-based policy allows the sts:AssumeRole action",
                externalID: true
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no resource-based policy allows the sts:AssumeRole action; tried the role flag, with …KEY1 from environment
                  next: add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Deploy_0123456789abcdef"},"StringEquals":{"sts:ExternalId":"THE-EXTERNAL-ID-THAT-WAS-SENT"}}}
                    an external id was sent; if the trust policy requires sts:ExternalId, it must name that id
                    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set mfa_serial in the profile instead: the statement above does not require one
                  request id: r-9
                """
        ),
        Self(
            "STS, trust, external id sent",
            role(
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no resource-based policy allows the sts:AssumeRole action",
                externalID: true
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no resource-based policy allows the sts:AssumeRole action; tried the role flag, with …KEY1 from environment
                  next: add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"THE-EXTERNAL-ID-THAT-WAS-SENT"}}}
                    an external id was sent; if the trust policy requires sts:ExternalId, it must name that id
                    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set mfa_serial in the profile instead: the statement above does not require one
                  request id: r-9
                """
        ),
        Self(
            "STS, second factor sent",
            role(
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter",
                mfa: true
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter; tried the role flag, with …KEY1 from environment
                  next: one of two statements is missing, and AWS doesn't say which. Add this to an identity policy of user ann in account 111122223333:
                    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/promoter"}
                  or add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}
                    no external id was sent; if the trust policy requires sts:ExternalId, pass it with --external-id
                  request id: r-9
                """
        ),
        Self(
            "STS, trust, all of them",
            role(
                "AccessDenied",
                "User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no resource-based policy allows the sts:AssumeRole action",
                externalID: true,
                mfa: true
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no resource-based policy allows the sts:AssumeRole action; tried the role flag, with …KEY1 from environment
                  next: add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Deploy_0123456789abcdef"},"StringEquals":{"sts:ExternalId":"THE-EXTERNAL-ID-THAT-WAS-SENT"},"Bool":{"aws:MultiFactorAuthPresent":"true"}}}
                    an external id was sent; if the trust policy requires sts:ExternalId, it must name that id
                  request id: r-9
                """
        ),
        Self(
            "STS, mistyped code",
            role("AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code.", mfa: true),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code.; tried the role flag, with …KEY1 from environment
                  next: run again with the device's current code, because each code can be used only once; if it is refused again, check the device's clock and mfa_serial in the profile
                  request id: r-9
                """
        ),
        Self(
            "everything named",
            denied(
                "ecr:PutImage",
                on: "*",
                "because no identity-based policy allows the ecr:PutImage action"
            ),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: * because no identity-based policy allows the ecr:PutImage action
                  next: add this to an identity policy of role build in account 111122223333:
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "all repositories named",
            denied(
                "ecr:PutImage",
                on: "arn:aws:ecr:us-west-2:444455556666:repository/*",
                "because no identity-based policy allows the ecr:PutImage action"
            ),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/* because no identity-based policy allows the ecr:PutImage action
                  next: add this to an identity policy of role build in account 111122223333:
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "another's repository named",
            denied(
                "ecr:PutImage",
                on: "arn:aws:ecr:us-west-2:777788889999:repository/prod/app",
                "because no identity-based policy allows the ecr:PutImage action"
            ),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:777788889999:repository/prod/app because no identity-based policy allows the ecr:PutImage action
                  next: add this to an identity policy of role build in account 111122223333:
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "a caller of another partition named",
            denied(
                "ecr:PutImage",
                by: "arn:aws-cn:iam::111122223333:role/build",
                on: "arn:aws:ecr:us-west-2:444455556666:repository/prod/app",
                "because no resource-based policy allows the ecr:PutImage action"
            ),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws-cn:iam::111122223333:role/build is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no resource-based policy allows the ecr:PutImage action
                  next: allow the identity used for the destination to call ecr:PutImage, in the policy of repository prod/app in account 444455556666, us-west-2
                    to print every policy that the copy needs: ecr-replicate iam-policy SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "many callers named",
            denied(
                "ecr:PutImage",
                by: "arn:aws:iam::111122223333:role/*",
                on: "arn:aws:ecr:us-west-2:444455556666:repository/prod/app",
                "because no resource-based policy allows the ecr:PutImage action"
            ),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:iam::111122223333:role/* is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no resource-based policy allows the ecr:PutImage action
                  next: allow the identity used for the destination to call ecr:PutImage, in the policy of repository prod/app in account 444455556666, us-west-2
                    to print every policy that the copy needs: ecr-replicate iam-policy SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "key",
            api(
                "CreateRepository",
                "AccessDeniedException",
                "User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: kms:CreateGrant on resource: arn:aws:kms:us-west-2:444455556666:key/1 because no resource-based policy allows the kms:CreateGrant action"
            ),
            says: """
                CreateRepository failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to kms:CreateGrant: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: kms:CreateGrant on resource: arn:aws:kms:us-west-2:444455556666:key/1 because no resource-based policy allows the kms:CreateGrant action
                  next: add this to the policy of arn:aws:kms:us-west-2:444455556666:key/1:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"kms:CreateGrant","Resource":"arn:aws:kms:us-west-2:444455556666:key/1"}
                    (if the role has a path, get its ARN with: aws iam get-role --role-name build --query Role.Arn)
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "another's key",
            api(
                "CreateRepository",
                "AccessDeniedException",
                "User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: kms:CreateGrant on resource: arn:aws:kms:us-west-2:777788889999:key/1 because no identity-based policy allows the kms:CreateGrant action"
            ),
            says: """
                CreateRepository failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to kms:CreateGrant: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: kms:CreateGrant on resource: arn:aws:kms:us-west-2:777788889999:key/1 because no identity-based policy allows the kms:CreateGrant action
                  next: allow kms:CreateGrant in an identity policy of role build in account 111122223333, on the resource that the error names, if it is yours
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
    ]
}

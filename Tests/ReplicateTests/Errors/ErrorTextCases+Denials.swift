@testable import Replicate

/// What a denial says, for each reason that AWS gives and for none.
extension ErrorTextCase {
    static let denials: [ErrorTextCase] = [
        Self(
            "identity",
            denied("ecr:PutImage", "because no identity-based policy allows the ecr:PutImage action"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no identity-based policy allows the ecr:PutImage action
                  next: add this to an identity policy of role build in account 111122223333:
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "resource",
            denied(
                "ecr:InitiateLayerUpload",
                "because no resource-based policy allows the ecr:InitiateLayerUpload action"
            ),
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:InitiateLayerUpload: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no resource-based policy allows the ecr:InitiateLayerUpload action
                  next: add this to the policy of repository prod/app in account 444455556666, us-west-2:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"ecr:InitiateLayerUpload"}
                    (if the role has a path, get its ARN with: aws iam get-role --role-name build --query Role.Arn)
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "resource, of a user",
            denied(
                "ecr:BatchGetImage",
                by: "arn:aws:iam::444455556666:user/ops/ann",
                on: "arn:aws:ecr:eu-west-1:111122223333:repository/team/app",
                "because no resource-based policy allows the ecr:BatchGetImage action"
            ),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: not allowed to ecr:BatchGetImage: User: arn:aws:iam::444455556666:user/ops/ann is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:111122223333:repository/team/app because no resource-based policy allows the ecr:BatchGetImage action
                  next: add this to the policy of repository team/app in account 111122223333, eu-west-1:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::444455556666:user/ops/ann"},"Action":"ecr:BatchGetImage"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::444455556666:user/ops/ann SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "resource, of a permission set",
            denied(
                "ecr:PutImage",
                by: "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test",
                "because no resource-based policy allows the ecr:PutImage action"
            ),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no resource-based policy allows the ecr:PutImage action
                  next: add this to the policy of repository prod/app in account 444455556666, us-west-2:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"ecr:PutImage","Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Deploy_0123456789abcdef"}}}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/AWSReservedSSO_Deploy_0123456789abcdef SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "identity, of a permission set",
            denied(
                "ecr:PutImage",
                by: "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test",
                "because no identity-based policy allows the ecr:PutImage action"
            ),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Deploy_0123456789abcdef/ann@a.test is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no identity-based policy allows the ecr:PutImage action
                  next: add this to an identity policy of permission set Deploy (IAM Identity Center, account 111122223333):
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/AWSReservedSSO_Deploy_0123456789abcdef SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "registry",
            denied("ecr:CreateRepository", "because no resource-based policy allows the ecr:CreateRepository action"),
            says: """
                CreateRepository failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:CreateRepository: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:CreateRepository on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no resource-based policy allows the ecr:CreateRepository action
                  next: add this to the registry policy of account 444455556666, us-west-2:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"ecr:CreateRepository","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    (if the role has a path, get its ARN with: aws iam get-role --role-name build --query Role.Arn)
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "token",
            denied(
                "ecr:GetAuthorizationToken",
                on: "*",
                "because no identity-based policy allows the ecr:GetAuthorizationToken action"
            ),
            says: """
                GetAuthorizationToken failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:GetAuthorizationToken: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the ecr:GetAuthorizationToken action
                  next: add this to an identity policy of role build in account 111122223333:
                    {"Effect":"Allow","Action":"ecr:GetAuthorizationToken","Resource":"*"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "China",
            denied(
                "ecr:PutImage",
                by: "arn:aws-cn:sts::111122223333:assumed-role/build/me",
                on: "arn:aws-cn:ecr:cn-north-1:444455556666:repository/prod/app",
                "because no resource-based policy allows the ecr:PutImage action"
            ),
            image: "444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/prod/app:v1",
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.cn-north-1.amazonaws.com.cn/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws-cn:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws-cn:ecr:cn-north-1:444455556666:repository/prod/app because no resource-based policy allows the ecr:PutImage action
                  next: add this to the policy of repository prod/app in account 444455556666, cn-north-1:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::111122223333:role/build"},"Action":"ecr:PutImage"}
                    (if the role has a path, get its ARN with: aws iam get-role --role-name build --query Role.Arn)
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws-cn:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "session",
            denied("ecr:PutImage", "because no session policy allows the ecr:PutImage action"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no session policy allows the ecr:PutImage action
                  next: add this to the session policy of role build in account 111122223333, which is set when the session starts:
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "boundary",
            denied("ecr:PutImage", "because no permissions boundary allows the ecr:PutImage action"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no permissions boundary allows the ecr:PutImage action
                  next: add this to the permissions boundary of role build in account 111122223333 (ask the account's IAM administrator):
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "organization",
            denied("ecr:PutImage", "because no service control policy allows the ecr:PutImage action"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no service control policy allows the ecr:PutImage action
                  next: add this to a service control policy of account 111122223333 (ask an administrator of its organization):
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "organization of the resource",
            denied("ecr:PutImage", "because no resource control policy allows the ecr:PutImage action"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no resource control policy allows the ecr:PutImage action
                  next: ask an administrator of the organization of account 444455556666 to change a resource control policy: such policies only deny, so one of them has a Deny that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app, or lacks an exception for role build in account 111122223333
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "endpoint",
            denied("ecr:PutImage", "because no VPC endpoint policy allows the ecr:PutImage action"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no VPC endpoint policy allows the ecr:PutImage action
                  next: add this to the policy of the VPC endpoint for ecr.api in us-west-2:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "deny, identity",
            denied("ecr:PutImage", "with an explicit deny in an identity-based policy"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app with an explicit deny in an identity-based policy
                  next: narrow the Deny statement that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app, in a policy of role build in account 111122223333; a Deny overrides every Allow
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "deny, resource",
            denied("ecr:PutImage", "with an explicit deny in a resource-based policy"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app with an explicit deny in a resource-based policy
                  next: narrow the Deny statement that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app by role build in account 111122223333, in the policy of repository prod/app in account 444455556666, us-west-2; a Deny overrides every Allow
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "deny, session",
            denied("ecr:PutImage", "with an explicit deny in a session policy"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app with an explicit deny in a session policy
                  next: narrow the Deny statement that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app, in the session policy of role build in account 111122223333, which is set when the session starts
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "deny, boundary",
            denied("ecr:PutImage", "with an explicit deny in a permissions boundary"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app with an explicit deny in a permissions boundary
                  next: narrow the Deny statement that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app, in the permissions boundary of role build in account 111122223333: ask the account's IAM administrator
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "deny, organization",
            denied(
                "ecr:PutImage",
                "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1"
            ),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/service_control_policy/p-1
                  next: ask an administrator of the organization of account 111122223333 to narrow the Deny statement that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app, in a service control policy
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "deny, organization of the resource",
            denied("ecr:PutImage", "with an explicit deny in a resource control policy"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app with an explicit deny in a resource control policy
                  next: ask an administrator of the organization of account 444455556666 to narrow the Deny statement that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app, in a resource control policy
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "deny, endpoint",
            denied("ecr:PutImage", "with an explicit deny in a VPC endpoint policy"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app with an explicit deny in a VPC endpoint policy
                  next: narrow the Deny statement that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app, in the policy of the VPC endpoint for ecr.api in us-west-2
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "deny, unstated",
            denied("ecr:PutImage", "with an explicit deny"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app with an explicit deny
                  next: narrow the Deny statement that matches ecr:PutImage on arn:aws:ecr:us-west-2:444455556666:repository/prod/app; AWS doesn't say whether it is in a policy of role build in account 111122223333, in the policy of repository prod/app in account 444455556666, us-west-2 or in a policy of the organization
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "unstated",
            denied("ecr:PutImage", ""),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app
                  next: add this to an identity policy of role build in account 111122223333:
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                  and, across accounts, add this to the policy of repository prod/app in account 444455556666, us-west-2:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"ecr:PutImage"}
                    (if the role has a path, get its ARN with: aws iam get-role --role-name build --query Role.Arn)
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "unstated, one account",
            denied("ecr:PutImage", by: "arn:aws:iam::444455556666:user/ann", ""),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: User: arn:aws:iam::444455556666:user/ann is not authorized to perform: ecr:PutImage on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app
                  next: add this to an identity policy of user ann in account 444455556666:
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::444455556666:user/ann SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "another sentence",
            api("PutImage", "AccessDeniedException", "go away"),
            says: """
                PutImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:PutImage: go away
                  next: add this to the policy of the identity used for the destination:
                    {"Effect":"Allow","Action":"ecr:PutImage","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy SOURCE DESTINATION
                  credentials: …KEY1 from profile build
                  request id: r-1
                """
        ),
        Self(
            "STS",
            role(
                "AccessDenied",
                "User: \(caller) is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter"
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter; tried the role flag, with …KEY1 from environment
                  next: one of two statements is missing, and AWS doesn't say which. Add this to an identity policy of role build in account 111122223333:
                    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/promoter"}
                  or add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"sts:AssumeRole"}
                    (if the role has a path, get its ARN with: aws iam get-role --role-name build --query Role.Arn)
                    no external id was sent; if the trust policy requires sts:ExternalId, pass it with --external-id
                    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set mfa_serial in the profile instead: the statement above does not require one
                  request id: r-9
                """
        ),
        Self(
            "STS, external id sent",
            role(
                "AccessDenied",
                "User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter",
                externalID: true
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:iam::111122223333:user/ann is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter; tried the role flag, with …KEY1 from environment
                  next: one of two statements is missing, and AWS doesn't say which. Add this to an identity policy of user ann in account 111122223333:
                    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/promoter"}
                  or add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:user/ann"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"THE-EXTERNAL-ID-THAT-WAS-SENT"}}}
                    an external id was sent; if the trust policy requires sts:ExternalId, it must name that id
                    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set mfa_serial in the profile instead: the statement above does not require one
                  request id: r-9
                """
        ),
        Self(
            "STS, identity",
            role(
                "AccessDenied",
                "User: \(caller) is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no identity-based policy allows the sts:AssumeRole action"
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no identity-based policy allows the sts:AssumeRole action; tried the role flag, with …KEY1 from environment
                  next: add this to an identity policy of role build in account 111122223333:
                    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/promoter"}
                  request id: r-9
                """
        ),
        Self(
            "STS, trust",
            role(
                "AccessDenied",
                "User: \(caller) is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no resource-based policy allows the sts:AssumeRole action"
            ),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/promoter because no resource-based policy allows the sts:AssumeRole action; tried the role flag, with …KEY1 from environment
                  next: add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"sts:AssumeRole"}
                    (if the role has a path, get its ARN with: aws iam get-role --role-name build --query Role.Arn)
                    no external id was sent; if the trust policy requires sts:ExternalId, pass it with --external-id
                    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set mfa_serial in the profile instead: the statement above does not require one
                  request id: r-9
                """
        ),
        Self(
            "STS, another sentence",
            role("AccessDenied", "no"),
            says: """
                finding credentials failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to sts:AssumeRole: the role arn:aws:iam::444455556666:role/promoter could not be assumed: AccessDenied: no; tried the role flag, with …KEY1 from environment
                  next: one of two statements is missing, and AWS doesn't say which. Add this to an identity policy of the caller:
                    {"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::444455556666:role/promoter"}
                  or add this to the trust policy of role promoter in account 444455556666:
                    {"Effect":"Allow","Principal":{"AWS":"ARN-OF-THE-CALLER"},"Action":"sts:AssumeRole"}
                    no external id was sent; if the trust policy requires sts:ExternalId, pass it with --external-id
                    no MFA code was sent; if the trust policy requires aws:MultiFactorAuthPresent, set mfa_serial in the profile instead: the statement above does not require one
                  request id: r-9
                """
        ),
    ]
}

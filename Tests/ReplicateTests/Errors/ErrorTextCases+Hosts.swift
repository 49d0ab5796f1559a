@testable import Replicate

/// What is said where one of a service's several names isn't reached.
extension ErrorTextCase {
    static let hosts: [ErrorTextCase] = [
        Self(
            "dual stack, API",
            wire(
                .unresolvable,
                "Could not resolve host: ecr.us-west-2.api.aws",
                "https://ecr.us-west-2.api.aws/",
                6
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://ecr.us-west-2.api.aws/: Could not resolve host: ecr.us-west-2.api.aws (curl 6)
                  next: check the region in the reference ('us-west-2') and this machine's DNS; in a VPC without internet access, leave dual stack off (--dual-stack, AWS_USE_DUALSTACK_ENDPOINT, use_dualstack_endpoint in the profile): interface endpoints have only AWS's plain names
                """
        ),
        Self(
            "dual stack, registry",
            wire(
                .unreachable,
                "Connection timed out after 10001 milliseconds",
                "https://444455556666.dkr-ecr.us-west-2.on.aws/v2/",
                28
            ),
            operation: "InitiateLayerUpload",
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://444455556666.dkr-ecr.us-west-2.on.aws/v2/: Connection timed out after 10001 milliseconds (curl 28)
                  next: check this machine's routes and firewalls, port 443; in a VPC without internet access, leave dual stack off (--dual-stack, AWS_USE_DUALSTACK_ENDPOINT, use_dualstack_endpoint in the profile): interface endpoints have only AWS's plain names
                """
        ),
        Self(
            "FIPS, registry",
            wire(
                .unresolvable,
                "Could not resolve host: 444455556666.dkr.ecr-fips.us-west-2.amazonaws.com",
                "https://444455556666.dkr.ecr-fips.us-west-2.amazonaws.com/",
                6
            ),
            operation: "asking",
            says: """
                asking failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://444455556666.dkr.ecr-fips.us-west-2.amazonaws.com/: Could not resolve host: 444455556666.dkr.ecr-fips.us-west-2.amazonaws.com (curl 6)
                  next: check the region in the reference ('us-west-2') and this machine's DNS; in a VPC without internet access, create an interface endpoint for ecr.dkr in us-west-2, with private DNS
                """
        ),
        Self(
            "VPC endpoint, registry",
            wire(
                .unresolvable,
                "Could not resolve host: vpce-1.dkr.ecr.us-west-2.vpce.amazonaws.com",
                "https://vpce-1.dkr.ecr.us-west-2.vpce.amazonaws.com/",
                6
            ),
            operation: "asking",
            says: """
                asking failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://vpce-1.dkr.ecr.us-west-2.vpce.amazonaws.com/: Could not resolve host: vpce-1.dkr.ecr.us-west-2.vpce.amazonaws.com (curl 6)
                  next: check the region in the reference ('us-west-2') and this machine's DNS; in a VPC without internet access, create an interface endpoint for ecr.dkr in us-west-2, with private DNS
                """
        ),
        Self(
            "FIPS, API",
            wire(
                .unresolvable,
                "Could not resolve host: ecr-fips.us-west-2.amazonaws.com",
                "https://ecr-fips.us-west-2.amazonaws.com/",
                6
            ),
            operation: "asking",
            says: """
                asking failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://ecr-fips.us-west-2.amazonaws.com/: Could not resolve host: ecr-fips.us-west-2.amazonaws.com (curl 6)
                  next: check the region in the reference ('us-west-2') and this machine's DNS; in a VPC without internet access, create an interface endpoint for ecr.api in us-west-2, with private DNS
                """
        ),
        Self(
            "FIPS, STS",
            wire(
                .unresolvable,
                "Could not resolve host: sts-fips.us-west-2.amazonaws.com",
                "https://sts-fips.us-west-2.amazonaws.com/",
                6
            ),
            operation: "asking",
            says: """
                asking failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://sts-fips.us-west-2.amazonaws.com/: Could not resolve host: sts-fips.us-west-2.amazonaws.com (curl 6)
                  next: check the region in the reference ('us-west-2') and this machine's DNS; in a VPC without internet access, create an interface endpoint for sts in us-west-2, with private DNS
                """
        ),
        Self(
            "proxy gets no further",
            wire(
                .proxyRefused,
                "the proxy proxy.test:3128 answered 502",
                "https://api.ecr.us-west-2.amazonaws.com/",
                56
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://api.ecr.us-west-2.amazonaws.com/: the proxy proxy.test:3128 answered 502 (curl 56)
                  next: the proxy can't reach api.ecr.us-west-2.amazonaws.com: ask its operator, or, if this machine can reach it, name api.ecr.us-west-2.amazonaws.com in NO_PROXY
                """
        ),
    ]
}

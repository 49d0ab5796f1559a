@testable import Replicate

/// Errors of hosts that don't answer, of other servers that answer in their place, and of what is missing.
extension ErrorTextCase {
    static let network: [ErrorTextCase] = [
        Self(
            "API's name",
            wire(
                .unresolvable,
                "Could not resolve host: api.ecr.us-wset-2.amazonaws.com",
                "https://api.ecr.us-wset-2.amazonaws.com/",
                6
            ),
            image: "444455556666.dkr.ecr.us-wset-2.amazonaws.com/prod/app:v1",
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-wset-2.amazonaws.com/prod/app:v1: no answer: https://api.ecr.us-wset-2.amazonaws.com/: Could not resolve host: api.ecr.us-wset-2.amazonaws.com (curl 6)
                  next: check the region in the reference ('us-wset-2') and this machine's DNS; in a VPC without internet access, create an interface endpoint for ecr.api in us-wset-2, with private DNS
                """
        ),
        Self(
            "registry's name",
            wire(
                .unresolvable,
                "Could not resolve host: 444455556666.dkr.ecr.us-west-2.amazonaws.com",
                "https://444455556666.dkr.ecr.us-west-2.amazonaws.com/v2/prod/app/blobs/uploads/",
                6
            ),
            operation: "InitiateLayerUpload",
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://444455556666.dkr.ecr.us-west-2.amazonaws.com/v2/prod/app/blobs/uploads/: Could not resolve host: 444455556666.dkr.ecr.us-west-2.amazonaws.com (curl 6)
                  next: check the region in the reference ('us-west-2') and this machine's DNS; in a VPC without internet access, create an interface endpoint for ecr.dkr in us-west-2, with private DNS
                """
        ),
        Self(
            "API, refused",
            wire(
                .unreachable,
                "Failed to connect to api.ecr.us-west-2.amazonaws.com port 443 after 2 ms: Couldn't connect to server",
                "https://api.ecr.us-west-2.amazonaws.com/",
                7
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://api.ecr.us-west-2.amazonaws.com/: Failed to connect to api.ecr.us-west-2.amazonaws.com port 443 after 2 ms: Couldn't connect to server (curl 7)
                  next: check this machine's routes and firewalls, port 443; in a VPC without internet access, create an interface endpoint for ecr.api in us-west-2, with private DNS and a security group that allows this machine
                """
        ),
        Self(
            "registry, silent",
            wire(
                .unreachable,
                "Connection timed out after 10001 milliseconds",
                "https://444455556666.dkr.ecr.us-west-2.amazonaws.com/v2/prod/app/blobs/uploads/",
                28
            ),
            operation: "InitiateLayerUpload",
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://444455556666.dkr.ecr.us-west-2.amazonaws.com/v2/prod/app/blobs/uploads/: Connection timed out after 10001 milliseconds (curl 28)
                  next: check this machine's routes and firewalls, port 443; in a VPC without internet access, create an interface endpoint for ecr.dkr in us-west-2, with private DNS and a security group that allows this machine
                """
        ),
        Self(
            "custom endpoint",
            wire(
                .unreachable,
                "Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server",
                "http://127.0.0.1:9/",
                7
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: http://127.0.0.1:9/: Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server (curl 7)
                  next: nothing answers at 127.0.0.1:9: check the endpoint flags of the destination, AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_ECR, _STS and so on
                """
        ),
        Self(
            "layers, silent",
            wire(
                .unreachable,
                "Connection timed out after 10001 milliseconds",
                "https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/a/b?…",
                28
            ),
            side: .source,
            operation: "downloading sha256:1",
            says: """
                downloading sha256:1 failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: no answer: https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/a/b?…: Connection timed out after 10001 milliseconds (curl 28)
                  next: layers come from S3 (prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com): in a VPC without internet access, create a gateway endpoint for S3 in eu-west-1, in the route table of this machine's subnet; its policy must have
                    {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"}
                """
        ),
        Self(
            "layers' name",
            wire(
                .unresolvable,
                "Could not resolve host: prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn",
                "https://prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn/a/b?…",
                6
            ),
            side: .source,
            image: "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app:v1",
            operation: "downloading sha256:1",
            says: """
                downloading sha256:1 failed at the source 111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn/team/app:v1: no answer: https://prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn/a/b?…: Could not resolve host: prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn (curl 6)
                  next: layers come from S3 (prod-cn-north-1-starport-layer-bucket.s3.cn-north-1.amazonaws.com.cn): in a VPC without internet access, create a gateway endpoint for S3 in cn-north-1, in the route table of this machine's subnet; its policy must have
                    {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws-cn:s3:::prod-cn-north-1-starport-layer-bucket/*"}
                """
        ),
        Self(
            "TLS looked into",
            wire(
                .certificate,
                "SSL certificate problem: self-signed certificate in certificate chain",
                "https://api.ecr.us-west-2.amazonaws.com/",
                60
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the server's certificate could not be verified: https://api.ecr.us-west-2.amazonaws.com/: SSL certificate problem: self-signed certificate in certificate chain (curl 60)
                  next: a proxy or firewall that inspects TLS seems to answer in place of api.ecr.us-west-2.amazonaws.com, because its certificate is not signed by a trusted CA: get its CA certificate from its operator and pass it with --ca-bundle FILE
                """
        ),
        Self(
            "other name",
            wire(
                .certificate,
                "SSL: no alternative certificate subject name matches target host name 'vpce-1.api.ecr.us-west-2.vpce.amazonaws.com'",
                "https://vpce-1.api.ecr.us-west-2.vpce.amazonaws.com/",
                60
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the server's certificate could not be verified: https://vpce-1.api.ecr.us-west-2.vpce.amazonaws.com/: SSL: no alternative certificate subject name matches target host name 'vpce-1.api.ecr.us-west-2.vpce.amazonaws.com' (curl 60)
                  next: the certificate is not for vpce-1.api.ecr.us-west-2.vpce.amazonaws.com: call a VPC endpoint by a name in its certificate (with private DNS, that is AWS's own name)
                """
        ),
        Self(
            "certificate expired",
            wire(
                .certificate,
                "SSL certificate problem: certificate has expired",
                "https://api.ecr.us-west-2.amazonaws.com/",
                60
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the server's certificate could not be verified: https://api.ecr.us-west-2.amazonaws.com/: SSL certificate problem: certificate has expired (curl 60)
                  next: check this machine's clock; if it is right, the certificate of api.ecr.us-west-2.amazonaws.com must be renewed
                """
        ),
        Self(
            "bundle",
            wire(
                .certificate,
                "error setting certificate file: /no/bundle",
                "https://api.ecr.us-west-2.amazonaws.com/",
                77
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the server's certificate could not be verified: https://api.ecr.us-west-2.amazonaws.com/: error setting certificate file: /no/bundle (curl 77)
                  next: the CA bundle can't be read: check --ca-bundle, AWS_CA_BUNDLE and ca_bundle in the profile
                """
        ),
        Self(
            "private registry",
            wire(.certificate, "SSL certificate problem: self-signed certificate", "https://a.test:5000/v2/", 60),
            image: "a.test:5000/team/app:v1",
            says: """
                asking failed at the destination a.test:5000/team/app:v1: the server's certificate could not be verified: https://a.test:5000/v2/: SSL certificate problem: self-signed certificate (curl 60)
                  next: if a proxy or a private registry should answer there, pass its CA certificate with --ca-bundle FILE
                """
        ),
        Self(
            "no TLS",
            wire(.handshake, "error:0A00010B:SSL routines::wrong version number", "https://127.0.0.1:9/", 35),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://127.0.0.1:9/: error:0A00010B:SSL routines::wrong version number (curl 35)
                  next: check the scheme and the port, and any proxy or firewall in between: 127.0.0.1:9 doesn't speak TLS 1.2
                """
        ),
        Self(
            "proxy's name",
            wire(
                .unresolvable,
                "the host of the proxy porxy.test:3128 can't be resolved",
                "https://api.ecr.us-west-2.amazonaws.com/",
                5
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://api.ecr.us-west-2.amazonaws.com/: the host of the proxy porxy.test:3128 can't be resolved (curl 5)
                  next: check the proxy's name in HTTPS_PROXY
                """
        ),
        Self(
            "proxy, silent",
            wire(
                .unreachable,
                "the proxy proxy.test:3128 can't be reached: Failed to connect to proxy.test port 3128 after 1 ms: Couldn't connect to server",
                "https://api.ecr.us-west-2.amazonaws.com/",
                7
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://api.ecr.us-west-2.amazonaws.com/: the proxy proxy.test:3128 can't be reached: Failed to connect to proxy.test port 3128 after 1 ms: Couldn't connect to server (curl 7)
                  next: that is the proxy's address: check HTTPS_PROXY, or name api.ecr.us-west-2.amazonaws.com in NO_PROXY
                """
        ),
        Self(
            "proxy refuses",
            wire(
                .proxyRefused,
                "the proxy proxy.test:3128 answered 403",
                "https://api.ecr.us-west-2.amazonaws.com/",
                56
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://api.ecr.us-west-2.amazonaws.com/: the proxy proxy.test:3128 answered 403 (curl 56)
                  next: allow api.ecr.us-west-2.amazonaws.com at the proxy, or name it in NO_PROXY
                """
        ),
        Self(
            "proxy wants another login",
            wire(
                .proxyRefused,
                "the proxy proxy.test:3128 answered 407: it requires another user and password than HTTPS_PROXY has",
                "https://api.ecr.us-west-2.amazonaws.com/",
                56
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://api.ecr.us-west-2.amazonaws.com/: the proxy proxy.test:3128 answered 407: it requires another user and password than HTTPS_PROXY has (curl 56)
                  next: check the user and the password in HTTPS_PROXY: write special characters as %40 (@), %3A (:) and so on
                """
        ),
        Self(
            "proxy wants a login, and was given none",
            wire(
                .proxyRefused,
                "the proxy proxy.test:3128 answered 407: it requires a user and password, and HTTPS_PROXY has none",
                "https://api.ecr.us-west-2.amazonaws.com/",
                56
            ),
            operation: "BatchGetImage",
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://api.ecr.us-west-2.amazonaws.com/: the proxy proxy.test:3128 answered 407: it requires a user and password, and HTTPS_PROXY has none (curl 56)
                  next: the proxy requires a login: write it as HTTPS_PROXY=http://USER:PASSWORD@PROXY:PORT
                """
        ),
        Self(
            "plain registry",
            wire(
                .unreachable,
                "Failed to connect to a.test port 5000 after 1 ms: Couldn't connect to server",
                "https://a.test:5000/v2/",
                7
            ),
            image: "a.test:5000/team/app:v1",
            says: """
                asking failed at the destination a.test:5000/team/app:v1: no answer: https://a.test:5000/v2/: Failed to connect to a.test port 5000 after 1 ms: Couldn't connect to server (curl 7)
                  next: check that the registry is running at a.test:5000, and this machine's routes and firewalls; if only a proxy can reach it, set HTTPS_PROXY
                """
        ),
        Self(
            "cut",
            wire(
                .disconnected,
                "Empty reply from server",
                "https://444455556666.dkr.ecr.us-west-2.amazonaws.com/v2/prod/app/blobs/uploads/",
                52
            ),
            operation: "InitiateLayerUpload",
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: no answer: https://444455556666.dkr.ecr.us-west-2.amazonaws.com/v2/prod/app/blobs/uploads/: Empty reply from server (curl 52)
                  next: check the network, the endpoint and the proxy, then run again; blobs that arrived stay at the destination
                """
        ),
    ]

    static let missing: [ErrorTextCase] = [
        Self(
            "repository, destination",
            api(
                "BatchGetImage",
                "RepositoryNotFoundException",
                "The repository with name 'prod/app' does not exist in the registry with id '444455556666'"
            ),
            says: """
                BatchGetImage failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the repository does not exist
                  next: create it, with credentials of account 444455556666:
                    aws ecr create-repository --region us-west-2 --repository-name prod/app
                  or pass --create-repository defaults; if it exists, check the reference: ECR looked in account 444455556666, region us-west-2, as the reference says
                  request id: r-1
                """
        ),
        Self(
            "repository, source",
            api(
                "BatchGetImage",
                "RepositoryNotFoundException",
                "The repository with name 'team/app' does not exist in the registry with id '111122223333'"
            ),
            side: .source,
            says: """
                BatchGetImage failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1: the repository does not exist
                  next: check name, account and region: ECR looked in account 111122223333, region eu-west-1, as the reference says; list the repositories with
                    aws ecr describe-repositories --region eu-west-1 --registry-id 111122223333
                  request id: r-1
                """
        ),
    ]
}

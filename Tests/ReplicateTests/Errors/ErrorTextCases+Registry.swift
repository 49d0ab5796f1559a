import Content
import HTTPTypes
import Wire

@testable import Distribution
@testable import Replicate

/// What the registry and the layers' host say in words of their own.
extension ErrorTextCase {
    static let registry: [ErrorTextCase] = [
        Self(
            "registry, resource",
            registry(
                .denied,
                "User: \(caller) is not authorized to perform: ecr:InitiateLayerUpload on resource: \(repository) because no resource-based policy allows the ecr:InitiateLayerUpload action"
            ),
            operation: "InitiateLayerUpload",
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:InitiateLayerUpload: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no resource-based policy allows the ecr:InitiateLayerUpload action
                  next: add this to the policy of repository prod/app in account 444455556666, us-west-2:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"ecr:InitiateLayerUpload"}
                    (if the role has a path, get its ARN with: aws iam get-role --role-name build --query Role.Arn)
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  request id: r-2
                """
        ),
        Self(
            "registry, endpoint",
            registry(
                .denied,
                "User: \(caller) is not authorized to perform: ecr:InitiateLayerUpload on resource: \(repository) because no VPC endpoint policy allows the ecr:InitiateLayerUpload action"
            ),
            operation: "InitiateLayerUpload",
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:InitiateLayerUpload: User: arn:aws:sts::111122223333:assumed-role/build/me is not authorized to perform: ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-west-2:444455556666:repository/prod/app because no VPC endpoint policy allows the ecr:InitiateLayerUpload action
                  next: add this to the policy of the VPC endpoint for ecr.dkr in us-west-2:
                    {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/build"},"Action":"ecr:InitiateLayerUpload","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy --principal arn:aws:iam::111122223333:role/build SOURCE DESTINATION
                  request id: r-2
                """
        ),
        Self(
            "registry, another sentence",
            registry(.denied, "denied"),
            operation: "InitiateLayerUpload",
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: not allowed to ecr:InitiateLayerUpload: denied
                  next: add this to the policy of the identity used for the destination:
                    {"Effect":"Allow","Action":"ecr:InitiateLayerUpload","Resource":"arn:aws:ecr:us-west-2:444455556666:repository/prod/app"}
                    to print every policy that the copy needs: ecr-replicate iam-policy SOURCE DESTINATION
                  request id: r-2
                """
        ),
        Self(
            "registry, token of another region",
            registry(.unauthorized, "Not Authorized"),
            operation: "InitiateLayerUpload",
            says: """
                InitiateLayerUpload failed at the destination 444455556666.dkr.ecr.us-west-2.amazonaws.com/prod/app:v1: the registry does not accept the credentials: Not Authorized
                  next: the registry requires a token of region us-west-2: check whether the endpoint flags of the destination send GetAuthorizationToken to another region, and whether the session that got the token has ended
                  request id: r-2
                """
        ),
        Self(
            "layers, forbidden",
            forbiddenLayer("Access Denied"),
            side: .source,
            says: """
                downloading sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app: not allowed to s3:GetObject: the layers' host prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com says AccessDenied: Access Denied
                  next: most likely a VPC endpoint for S3 in eu-west-1 forbids it, because ECR issued the address; add this to the endpoint's policy:
                    {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"}
                  request id: r-3
                """
        ),
        Self(
            "layers, forbidden by something in between",
            forbiddenLayer(body: "<html><body>Blocked by policy 7. X-Amz-Signature=1</body></html>"),
            side: .source,
            says: """
                downloading sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app: not allowed to s3:GetObject: the layers' host prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com answered 403, but not in S3's format
                  next: a proxy or firewall forbids it: ask its operator to allow prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com, or name that host in NO_PROXY if this machine can reach it directly
                """
        ),
        Self(
            "layers, key",
            forbiddenLayer("User: a is not authorized to perform: kms:Decrypt on resource: &quot;k&quot;"),
            side: .source,
            says: """
                downloading sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app: ECR can't use the repository's KMS key: the layers' host prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com says AccessDenied: User: a is not authorized to perform: kms:Decrypt on resource: "k"
                  next: find the key with:
                    aws ecr describe-repositories --region eu-west-1 --registry-id 111122223333 --repository-names team/app --query 'repositories[].encryptionConfiguration.kmsKey'
                    and check its state: aws kms describe-key --region eu-west-1 --key-id KEY
                    if it is enabled, ECR's grant on it was revoked or retired; the repository's key and grant can't be changed: push the images to a new repository
                  request id: r-3
                """
        ),
        Self(
            "layers, words with the request in them",
            forbiddenLayer("no: X-Amz-Credential=AKIA"),
            side: .source,
            says: """
                downloading sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 failed at the source 111122223333.dkr.ecr.eu-west-1.amazonaws.com/team/app: not allowed to s3:GetObject: the layers' host prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com says AccessDenied
                  next: most likely a VPC endpoint for S3 in eu-west-1 forbids it, because ECR issued the address; add this to the endpoint's policy:
                    {"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::prod-eu-west-1-starport-layer-bucket/*"}
                  request id: r-3
                """
        ),
    ]

    private static func registry(_ kind: RegistryError.Kind, _ message: String) -> any Error {
        do {
            let url = try HTTPURL("https://444455556666.dkr.ecr.us-west-2.amazonaws.com/v2/prod/app/blobs/uploads/")
            return RegistryError(.startUpload, kind, message, url: url, status: 403, requestID: "r-2")
        } catch {
            return error
        }
    }

    private static func forbiddenLayer(_ message: String) -> any Error {
        forbiddenLayer(body: "<Error><Code>AccessDenied</Code><Message>\(message)</Message></Error>")
    }

    private static func forbiddenLayer(body: String) -> any Error {
        do {
            let answer = WireResponse(
                status: .forbidden,
                fields: [HTTPField.Name("x-amz-request-id") ?? .age: "r-3"],
                body: Array(body.utf8)
            )
            return try BlobFailure(
                sourceAnswered: answer,
                Descriptor(mediaType: .ociManifest, digest: .ofNothing, size: 1),
                FakeRepository(
                    .source,
                    "team/app",
                    CallLog(),
                    registry: "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
                ),
                from: try HTTPURL(
                    "https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/a?X-Amz-Signature=1"
                )
            )
        } catch {
            return error
        }
    }
}

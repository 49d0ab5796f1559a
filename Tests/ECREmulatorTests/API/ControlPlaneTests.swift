import Content
import Foundation
import Testing

@testable import ECREmulator

@Suite("The API over HTTP", .timeLimit(.minutes(1)))
struct ControlPlaneTests {
    @Test("a correctly signed request is answered, with a request id")
    func signed() async throws {
        try await withClient { emulator, client in
            let answer = try await client.call("DescribeRepositories")
            #expect(answer.status == 200)
            #expect(answer.headers["x-amzn-requestid"]?.isEmpty == false)
            #expect(try answer.json("repositories", "0", "repositoryName") == "team/app")
            #expect(
                try answer.json("repositories", "0", "repositoryUri")
                    == "\(emulator.registryHost(account: account, region: region))/team/app"
            )
            #expect(
                try await client.send("POST", "/", [("X-Amz-Target", "x")]).code
                    == "MissingAuthenticationTokenException"
            )
            #expect(try await client.call("Nonsense").code == "UnknownOperationException")
            #expect(try await client.call("ListImages", "[]").code == "SerializationException")
            let late = try await client.call("DescribeRepositories", at: emulator.aws.now.addingTimeInterval(-400))
            #expect(try late.code == "InvalidSignatureException")
        }
    }

    @Test("one account can read another's registry, unless access is denied")
    func crossAccount() async throws {
        try await withClient { emulator, client in
            let image = SeedImage.oci("app", layers: [10])
            try emulator.seedApp(image, tag: "v1")
            var other = client
            other.account = otherAccount
            let body = #"{"repositoryName":"team/app","imageIds":[{"imageTag":"v1"}]}"#
            #expect(try await other.call("BatchGetImage", body).code == "RepositoryNotFoundException")
            let named = #"{"registryId":"\#(account)","# + body.dropFirst()
            let answer = try await other.call("BatchGetImage", named)
            #expect(try answer.json("images", "0", "imageManifest") == String(decoding: image.bytes, as: UTF8.self))
            emulator.deny(action: "BatchGetImage", repository: "team/app", principalAccount: otherAccount)
            let denied = try await other.call("BatchGetImage", named)
            #expect(try denied.code == "AccessDeniedException")
            #expect(
                try denied.json("message")
                    == "User: arn:aws:iam::\(otherAccount):user/emulator is not authorized to perform: "
                    + "ecr:BatchGetImage on resource: arn:aws:ecr:\(region):\(account):repository/team/app because no "
                    + "resource-based policy allows the ecr:BatchGetImage action"
            )
            #expect(try await client.call("BatchGetImage", named).status == 200)
        }
    }

    @Test("a layer is uploaded in parts, and the error for a repeated part gives the next byte")
    func layerUpload() async throws {
        try await withClient { emulator, client in
            let layer = SeedBytes(seed: 3).prefix(5_242_880 + 10)
            let name = #""repositoryName":"team/app""#
            let begun = try await client.call("InitiateLayerUpload", "{\(name)}")
            let id = try #require(try begun.json("uploadId"))
            #expect(try begun.json("partSize") == "10485760")
            func part(_ range: Range<Int>) async throws -> PlainAnswer {
                let blob = Data(layer[range]).base64EncodedString()
                return try await client.call(
                    "UploadLayerPart",
                    "{\(name),\"uploadId\":\"\(id)\",\"partFirstByte\":\(range.lowerBound),"
                        + "\"partLastByte\":\(range.upperBound - 1),\"layerPartBlob\":\"\(blob)\"}"
                )
            }
            #expect(try await part(0..<5_242_880).json("lastByteReceived") == "5242879")
            let again = try await part(0..<5_242_880)
            #expect(try again.code == "InvalidLayerPartException")
            #expect(try again.json("lastValidByteReceived") == "5242879")
            #expect(try await part(5_242_880..<layer.count).status == 200)
            let digest = Digest(of: layer)
            let end = "{\(name),\"uploadId\":\"\(id)\",\"layerDigests\":[\"\(digest)\"]}"
            #expect(try await client.call("CompleteLayerUpload", end).json("layerDigest") == "\(digest)")
            #expect(emulator.blob(digest, account: account, region: region, repository: "team/app") == layer)
            #expect(emulator.openUploads(account: account, region: region, repository: "team/app") == 0)
            #expect(try await client.call("CompleteLayerUpload", end).code == "UploadNotFoundException")
            let check = "{\(name),\"layerDigests\":[\"\(digest)\",\"\(Digest.ofNothing)\",\"junk\"]}"
            let availability = try await client.call("BatchCheckLayerAvailability", check)
            #expect(try availability.json("layers", "0", "layerAvailability") == "AVAILABLE")
            #expect(try availability.json("layers", "0", "layerSize") == "\(layer.count)")
            #expect(try availability.json("layers", "1", "layerAvailability") == "UNAVAILABLE")
            #expect(try availability.json("failures", "0", "failureCode") == "InvalidLayerDigest")
        }
    }

    @Test("referrers are listed in pages of twenty unless the request asks for more")
    func referrers() async throws {
        try await withClient { emulator, client in
            let image = SeedImage.oci("app", layers: [10])
            try emulator.seedApp(image)
            for number in 0..<25 { try emulator.seedApp(.referrer(to: image, content: "sbom \(number)")) }
            let subject = #""repositoryName":"team/app","subjectId":{"imageDigest":"\#(image.digest)"}"#
            let first = try await client.call("ListImageReferrers", "{\(subject)}")
            #expect(try first.json("referrers", "19", "digest") != nil)
            #expect(try first.json("referrers", "20", "digest") == nil)
            let token = try #require(try first.json("nextToken"))
            let second = try await client.call("ListImageReferrers", "{\(subject),\"nextToken\":\"\(token)\"}")
            #expect(try second.json("referrers", "4", "artifactType") == "application/spdx+json")
            #expect(try second.json("nextToken") == nil)
            #expect(
                try await client.call("ListImageReferrers", "{\(subject),\"maxResults\":51}").code
                    == "InvalidParameterException"
            )
            let details = try await client.call("DescribeImages", #"{"repositoryName":"team/app","maxResults":1000}"#)
            #expect(details.text.contains("\"subjectManifestDigest\":\"\(image.digest)\""))
        }
    }

    @Test("repositories are created, changed, tagged and deleted")
    func repositories() async throws {
        try await withClient { emulator, client in
            let created = try await client.call(
                "CreateRepository",
                #"{"repositoryName":"new/one","imageTagMutability":"IMMUTABLE_WITH_EXCLUSION","imageTagMutabilityExclusionFilters":[{"filterType":"WILDCARD","filter":"dev*"}],"encryptionConfiguration":{"encryptionType":"KMS","kmsKey":"k1"},"imageScanningConfiguration":{"scanOnPush":true},"tags":[{"Key":"a","Value":"b"}]}"#
            )
            #expect(try created.json("repository", "imageTagMutabilityExclusionFilters", "0", "filter") == "dev*")
            #expect(try created.json("repository", "encryptionConfiguration", "kmsKey") == "k1")
            let arn = try #require(try created.json("repository", "repositoryArn"))
            #expect(
                try await client.call("ListTagsForResource", #"{"resourceArn":"\#(arn)"}"#).json("tags", "0", "Value")
                    == "b"
            )
            let again = try await client.call("CreateRepository", #"{"repositoryName":"new/one"}"#)
            #expect(try again.code == "RepositoryAlreadyExistsException")
            #expect(
                try await client.call("CreateRepository", #"{"repositoryName":"No"}"#).code
                    == "InvalidParameterException"
            )
            let name = #"{"repositoryName":"new/one"}"#
            #expect(try await client.call("GetRepositoryPolicy", name).code == "RepositoryPolicyNotFoundException")
            #expect(try await client.call("GetLifecyclePolicy", name).code == "LifecyclePolicyNotFoundException")
            let text = #"{"Statement":{"Effect":"Allow","Action":"ecr:*","Principal":"*"}}"#
            let quoted = text.replacing(#"""#, with: #"\""#)
            let policy = #"{"repositoryName":"new/one","policyText":"\#(quoted)"}"#
            #expect(try await client.call("SetRepositoryPolicy", policy).status == 200)
            #expect(try await client.call("GetRepositoryPolicy", name).json("policyText") == text)
            try emulator.seed(.oci("x", layers: [1]), account: account, region: region, repository: "new/one")
            #expect(try await client.call("DeleteRepository", name).code == "RepositoryNotEmptyException")
            #expect(
                try await client.call("DeleteRepository", #"{"repositoryName":"new/one","force":true}"#).status == 200
            )
            #expect(emulator.repositories(account: account, region: region) == ["team/app"])
            let setting = #"{"name":"BLOB_MOUNTING","value":"ENABLED"}"#
            #expect(try await client.call("PutAccountSetting", setting).status == 200)
            #expect(try await client.call("GetAccountSetting", #"{"name":"BLOB_MOUNTING"}"#).json("value") == "ENABLED")
        }
    }

    @Test("an archived image is hidden and can't be pulled until it is restored")
    func archive() async throws {
        try await withClient { emulator, client in
            try emulator.seedApp(.oci("app", layers: [10]), tag: "v1")
            let id = #""repositoryName":"team/app","imageId":{"imageTag":"v1"}"#
            let archived = try await client.call(
                "UpdateImageStorageClass",
                "{\(id),\"targetStorageClass\":\"ARCHIVE\"}"
            )
            #expect(try archived.json("imageStatus") == "ARCHIVED")
            #expect(try await client.call("ListImages", #"{"repositoryName":"team/app"}"#).json("imageIds", "0") == nil)
            let all = try await client.call(
                "ListImages",
                #"{"repositoryName":"team/app","filter":{"imageStatus":"ANY"}}"#
            )
            #expect(try all.json("imageIds", "0", "imageTag") == "v1")
            let got = try await client.call(
                "BatchGetImage",
                #"{"repositoryName":"team/app","imageIds":[{"imageTag":"v1"}]}"#
            )
            #expect(try got.json("failures", "0", "failureCode") == "ImageInaccessible")
            #expect(try await client.registry("GET", "/v2/team/app/manifests/v1").code == "MANIFEST_UNKNOWN")
            let restored = try await client.call(
                "UpdateImageStorageClass",
                "{\(id),\"targetStorageClass\":\"STANDARD\"}"
            )
            #expect(try restored.json("imageStatus") == "ACTIVE")
        }
    }

    @Test("a scan returns the findings that the test has set")
    func scans() async throws {
        try await withClient { emulator, client in
            let digest = try emulator.seedApp(.oci("app", layers: [10]), tag: "v1")
            let body = #"{"repositoryName":"team/app","imageId":{"imageTag":"v1"}}"#
            #expect(try await client.call("DescribeImageScanFindings", body).code == "ScanNotFoundException")
            try emulator.setScan(
                of: digest,
                counts: ["HIGH": 2, "LOW": 0],
                account: account,
                region: region,
                repository: "team/app"
            )
            let found = try await client.call("DescribeImageScanFindings", body)
            #expect(try found.json("imageScanStatus", "status") == "COMPLETE")
            #expect(try found.json("imageScanFindings", "findingSeverityCounts", "HIGH") == "2")
            #expect(try found.json("imageScanFindings", "findings", "1", "severity") == "HIGH")
            #expect(try found.json("imageScanFindings", "findings", "2") == nil)
        }
    }

    @Test("a role's session acts for the role's account until it ends")
    func assumeRole() async throws {
        let clock = HandClock()
        var configuration = EmulatorConfiguration()
        configuration.now = { clock.now }
        configuration.roles = [.init(arn: "arn:aws:iam::\(otherAccount):role/promoter", externalID: "ex-1")]
        try await withClient(configuration) { emulator, client in
            let role =
                "Action=AssumeRole&Version=2011-06-15&RoleSessionName=me"
                + "&RoleArn=arn%3Aaws%3Aiam%3A%3A\(otherAccount)%3Arole%2Fpromoter"
            let refused = try await client.sts(role)
            #expect(refused.status == 403)
            #expect(refused.text.contains("<Code>AccessDenied</Code>"))
            let answer = try await client.sts(role + "&ExternalId=ex-1").text
            func member(_ name: String) -> String {
                String(answer.components(separatedBy: "<\(name)>").last?.components(separatedBy: "<").first ?? "")
            }
            #expect(member("Expiration") == "2026-01-15T13:00:00Z")
            let session = (member("AccessKeyId"), member("SecretAccessKey"), member("SessionToken"))
            let registry = try await client.call("DescribeRegistry", session: session)
            #expect(try registry.json("registryId") == otherAccount)
            clock.advance(3_601)
            #expect(try await client.call("DescribeRegistry", session: session).code == "ExpiredTokenException")
            let identity = try await client.sts("Action=GetCallerIdentity&Version=2011-06-15").text
            #expect(identity.contains("<Account>\(account)</Account>"))
            #expect(emulator.requests.map(\.operation).filter { $0 == "AssumeRole" }.count == 2)
        }
    }

    @Test("state in a directory is read by the next process")
    func persistence() async throws {
        var configuration = EmulatorConfiguration()
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("emulator-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        configuration.stateDirectory = directory.path
        let image = SeedImage.oci("app", layers: [1_000])
        try await withClient(configuration) { emulator, _ in try emulator.seedApp(image, tag: "v1") }
        try await withEmulator(configuration) { emulator in
            let place = (account, region, "team/app")
            #expect(emulator.tag("v1", account: place.0, region: place.1, repository: place.2) == image.digest)
            let manifest = emulator.manifest(image.digest, account: place.0, region: place.1, repository: place.2)
            #expect(manifest == image.bytes)
            let layer = image.blobs[1].digest
            let bytes = emulator.blob(layer, account: place.0, region: place.1, repository: place.2)
            #expect(bytes.map { Digest(of: $0) } == layer)
        }
    }
}

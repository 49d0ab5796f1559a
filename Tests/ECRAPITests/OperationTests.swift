import AWSIdentity
import Content
import FoundationEssentials
import HTTPTypes
import TestDoubles
import Testing
import Wire

@testable import ECRAPI

/// The requests to the byte, and the decoded answers.
@Suite("Operations")
struct OperationTests {
    private let common = #""registryId":"001122223333","repositoryName":"team/app""#

    @Test("are a POST with these headers; the SDK's own are not signed")
    func headers() async throws {
        let sender = RecordingSender { _, _ in answer(#"{"authorizationData":[]}"#) }
        _ = try await client(sender, credentials: RotatingCredentials(last: 1)).send(GetAuthorizationToken())
        let request = try #require(sender.requests.first)
        #expect(request.method == .post)
        #expect(request.url.text == "https://api.ecr.eu-west-1.amazonaws.com/")
        #expect(
            Set(request.fields.map(\.name.canonicalName)) == [
                "content-type", "x-amz-target", "x-amz-date", "x-amz-security-token", "authorization", "user-agent",
                "amz-sdk-invocation-id", "amz-sdk-request",
            ]
        )
        #expect(request.fields[.contentType] == "application/x-amz-json-1.1")
        #expect(request.fields[.userAgent]?.hasPrefix("ecr-replicate/") == true)
        #expect(request.fields[.sdkRequest] == "attempt=1; max=4")
        #expect(request.fields[.sdkInvocationID]?.count == 36)
        let signed = "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,"
        #expect(request.fields[.authorization]?.contains(signed) == true)
        #expect(
            request.fields[.authorization]?.contains("Credential=ASIA1/20260115/eu-west-1/ecr/aws4_request") == true
        )
        #expect(request.body == Array("{}".utf8))
    }

    @Test("GetAuthorizationToken: times of any form, a password after the first colon, no secret in the description")
    func token() async throws {
        for time in ["1768521600", "1768521600.0", "1.7685216E9"] {
            let response = try await exchange(
                GetAuthorizationToken(),
                "GetAuthorizationToken",
                sends: "{}",
                gets: """
                    {"authorizationData":[{"authorizationToken":"QVdTOmE6Yg==","expiresAt":\(time),
                     "proxyEndpoint":"https://001122223333.dkr.ecr.eu-west-1.amazonaws.com"}]}
                    """
            )
            let data = try #require(response.authorizationData.first)
            #expect(data.expiresAt?.date == Date(timeIntervalSince1970: 1_768_521_600))
            #expect(data.proxyEndpoint == "https://001122223333.dkr.ecr.eu-west-1.amazonaws.com")
            let pair = try #require(data.userAndPassword)
            #expect(pair == ("AWS", "a:b"))
            var dumped = ""
            dump(response, to: &dumped)
            #expect(!dumped.contains("QVdTOmE6Yg==") && !"\(response)".contains("QVdTOmE6Yg=="))
        }
    }

    @Test("BatchGetImage: images and failures, with unknown members")
    func batchGetImage() async throws {
        let types = MediaType.everyManifest.map { "\"\($0)\"" }.joined(separator: ",")
        let response = try await exchange(
            BatchGetImage(
                registryId: account,
                repositoryName: repository,
                imageIds: [.init(tag: v1), .init(digest: digest), .init(digest: digest, tag: v1)]
            ),
            "BatchGetImage",
            sends: #"{"acceptedMediaTypes":[\#(types)],"imageIds":[{"imageTag":"v1"},{"imageDigest":"\#(digest)"},"#
                + #"{"imageDigest":"\#(digest)","imageTag":"v1"}],\#(common)}"#,
            gets: """
                {"images":[{"imageId":{"imageDigest":"\(digest)","imageTag":"v1","new":1},"imageManifest":"{}\\n"}],
                 "failures":[{"imageId":{"imageTag":"v2"},"failureCode":"ImageNotFound","failureReason":"none"},
                 {"failureCode":"Unheard"}],"more":{"a":[null]}}
                """
        )
        #expect(response.images.map(\.imageId?.digest) == [digest])
        #expect(response.images.map(\.imageId?.tag) == [v1])
        #expect(response.images.map(\.manifestBytes) == [Array("{}\n".utf8)])
        #expect(response.images[0].imageManifestMediaType == nil)
        #expect(response.failures.map(\.failureCode) == [.imageNotFound, .init(rawValue: "Unheard")])
        #expect(response.failures[0].imageId?.imageTag == "v2")
        #expect(response.failures[0].failureReason == "none")
    }

    @Test("BatchGetImage: accepts the types of the service's model, and every other type")
    func acceptedTypes() {
        let operation = BatchGetImage(registryId: account, repositoryName: repository, imageIds: [.init(tag: v1)])
        let must = [
            "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json",
            "application/vnd.docker.distribution.manifest.v2+json",
            "application/vnd.docker.distribution.manifest.list.v2+json",
            "application/vnd.docker.distribution.manifest.v1+prettyjws",
            "application/vnd.docker.distribution.manifest.v1+json",
        ]
        #expect(Set(must).isSubset(of: operation.acceptedMediaTypes.map(\.rawValue)))
        #expect(operation.acceptedMediaTypes.count <= 100)
    }

    @Test("BatchCheckLayerAvailability: available, unavailable, archived, failed and unknown")
    func availability() async throws {
        let response = try await exchange(
            BatchCheckLayerAvailability(
                registryId: account,
                repositoryName: repository,
                layerDigests: [digest, other]
            ),
            "BatchCheckLayerAvailability",
            sends: #"{"layerDigests":["\#(digest)","\#(other)"],\#(common)}"#,
            gets: """
                {"layers":[{"layerDigest":"\(digest)","layerAvailability":"AVAILABLE","layerSize":6000000000,
                "mediaType":"application/vnd.docker.container.image.v1+json"},
                {"layerDigest":"\(other)","layerAvailability":"FROZEN"}],
                "failures":[{"layerDigest":"x","failureCode":"InvalidLayerDigest"}]}
                """
        )
        #expect(response.layers.map(\.layerAvailability) == [.available, .init(rawValue: "FROZEN")])
        #expect(response.layers.map(\.layerSize) == [6_000_000_000, nil])
        #expect(response.layers[0].mediaType == .dockerConfig)
        #expect(response.failures.map(\.failureCode) == [.invalidLayerDigest])
    }

    @Test("GetDownloadUrlForLayer: a URL that is never printed")
    func downloadURL() async throws {
        let response = try await exchange(
            GetDownloadUrlForLayer(registryId: account, repositoryName: repository, layerDigest: digest),
            "GetDownloadUrlForLayer",
            sends: #"{"layerDigest":"\#(digest)",\#(common)}"#,
            gets: #"{"downloadUrl":"https:\/\/s3\/x?X-Amz-Signature=hidden","layerDigest":"\#(digest)"}"#
        )
        #expect(response.downloadUrl == "https://s3/x?X-Amz-Signature=hidden")
        var dumped = ""
        dump(response, to: &dumped)
        #expect(!"\(response)".contains("hidden") && !dumped.contains("hidden"))
    }

    @Test("an upload in parts: begin, part, end")
    func upload() async throws {
        let begun = try await exchange(
            InitiateLayerUpload(registryId: account, repositoryName: repository),
            "InitiateLayerUpload",
            sends: "{\(common)}",
            gets: #"{"uploadId":"u-1","partSize":10485760}"#
        )
        #expect(begun.uploadId == "u-1" && begun.partSize == 10_485_760)
        let part = try await exchange(
            UploadLayerPart(
                registryId: account,
                repositoryName: repository,
                uploadId: "u-1",
                partFirstByte: 10_485_760,
                layerPartBlob: PartBuffer(Array("layer".utf8))
            ),
            "UploadLayerPart",
            sends: #"{"layerPartBlob":"bGF5ZXI=","partFirstByte":10485760,"partLastByte":10485764,"#
                + #""registryId":"001122223333","repositoryName":"team/app","uploadId":"u-1"}"#,
            gets: #"{"uploadId":"u-1","lastByteReceived":10485764}"#
        )
        #expect(part.lastByteReceived == 10_485_764)
        let ended = try await exchange(
            CompleteLayerUpload(registryId: account, repositoryName: repository, uploadId: "u-1", layerDigest: digest),
            "CompleteLayerUpload",
            sends: #"{"layerDigests":["\#(digest)"],\#(common),"uploadId":"u-1"}"#,
            gets: #"{"uploadId":"u-1","layerDigest":"\#(digest)"}"#
        )
        #expect(ended.layerDigest == digest)
    }

    @Test("CompleteLayerUpload has minutes for its answer, and no other call has")
    func deadlines() async throws {
        let sender = RecordingSender { _, _ in answer(#"{"uploadId":"u-1","partSize":1}"#) }
        _ = try await client(sender).send(
            CompleteLayerUpload(registryId: account, repositoryName: repository, uploadId: "u-1", layerDigest: digest)
        )
        _ = try await client(sender).send(InitiateLayerUpload(registryId: account, repositoryName: repository))
        #expect(sender.requests.map(\.deadline) == [.seconds(300), .seconds(60)])
    }

    @Test("ListImageReferrers and BatchDeleteImage")
    func referrers() async throws {
        let response = try await exchange(
            ListImageReferrers(registryId: account, repositoryName: repository, subject: digest),
            "ListImageReferrers",
            sends:
                #"{"filter":{"artifactStatus":"ANY"},"maxResults":50,\#(common),"subjectId":{"imageDigest":"\#(digest)"}}"#,
            gets: """
                {"referrers":[{"digest":"\(other)","mediaType":"application/vnd.oci.image.manifest.v1+json","size":7,
                "artifactType":"application/x","annotations":{"a":"b"},"artifactStatus":"ARCHIVED"}]}
                """
        )
        #expect(response.referrers.map(\.digest) == [other])
        #expect(response.referrers[0].artifactStatus == .archived)
        #expect(response.referrers[0].annotations == ["a": "b"])
        #expect(response.referrers[0].size == 7)
        let deleted = try await exchange(
            BatchDeleteImage(registryId: account, repositoryName: repository, imageIds: [.init(tag: v1)]),
            "BatchDeleteImage",
            sends: #"{"imageIds":[{"imageTag":"v1"}],\#(common)}"#,
            gets: #"{"imageIds":[{"imageTag":"v1"}],"failures":[{"failureCode":"ImageReferencedByManifestList"}]}"#
        )
        #expect(deleted.imageIds == [.init(tag: v1)])
        #expect(deleted.failures.map(\.failureCode) == [.imageReferencedByManifestList])
    }

    @Test("DescribeImages and ListImages request archived images too")
    func listing() async throws {
        let images = try await exchange(
            DescribeImages(registryId: account, repositoryName: repository),
            "DescribeImages",
            sends: #"{"filter":{"imageStatus":"ANY"},"maxResults":1000,\#(common)}"#,
            gets: """
                {"imageDetails":[{"imageDigest":"\(digest)","imageTags":["v1","latest"],"imageSizeInBytes":5,
                "imagePushedAt":1448875853.241,"subjectManifestDigest":"\(other)","imageStatus":"ARCHIVED",
                "imageScanStatus":{"status":"COMPLETE"}},{"imageDigest":"\(other)","subjectManifestDigest":"sha512:00"}]}
                """
        )
        #expect(images.imageDetails.map(\.imageTags) == [["v1", "latest"], nil])
        #expect(images.imageDetails[0].imagePushedAt?.secondsSince1970 == 1_448_875_853.241)
        #expect(images.imageDetails.map(\.subjectManifestDigest) == [other, nil])
        #expect(images.imageDetails[0].imageStatus == .archived)
        #expect(images.imageDetails[0].imageScanStatus?.status == "COMPLETE")

        let some = DescribeImages(registryId: account, repositoryName: repository, imageIds: [.init(digest: digest)])
        let none = try await exchange(
            some,
            "DescribeImages",
            sends: #"{"filter":{"imageStatus":"ANY"},"imageIds":[{"imageDigest":"\#(digest)"}],\#(common)}"#,
            gets: #"{"imageDetails":[]}"#
        )
        #expect(none.imageDetails.isEmpty)

        let tags = try await exchange(
            ListImages(registryId: account, repositoryName: repository, filter: .init(tagStatus: .tagged)),
            "ListImages",
            sends: #"{"filter":{"imageStatus":"ANY","tagStatus":"TAGGED"},"maxResults":1000,\#(common)}"#,
            gets: #"{"imageIds":[{"imageDigest":"\#(digest)","imageTag":"v1"},{"imageDigest":"\#(other)"}]}"#
        )
        #expect(tags.imageIds == [.init(digest: digest, tag: v1), .init(digest: other)])
    }

    @Test("DescribeImageScanFindings: basic and enhanced findings, states that are new, and no result")
    func scanFindings() async throws {
        let question = DescribeImageScanFindings(
            registryId: account,
            repositoryName: repository,
            imageId: .init(digest: digest),
            maxResults: 250
        )
        let sent = #"{"imageId":{"imageDigest":"\#(digest)"},"maxResults":250,\#(common)}"#
        let basic = try await exchange(
            question,
            "DescribeImageScanFindings",
            sends: sent,
            gets: """
                {"imageId":{"imageDigest":"\(digest)"},"imageScanStatus":{"status":"COMPLETE","description":"done"},
                "imageScanFindings":{"imageScanCompletedAt":1448875853.241,"findingSeverityCounts":{"HIGH":1,"UNDEFINED":2},
                "findings":[{"name":"CVE-1","severity":"HIGH","uri":"https://x","attributes":[{"key":"package_name","value":"z"}]},
                {"severity":"UNDEFINED"}]},"nextToken":"next"}
                """
        )
        #expect(basic.imageScanStatus?.status == .complete && basic.nextToken == "next")
        #expect(basic.imageScanFindings?.findings.map(\.name) == ["CVE-1", nil])
        #expect(basic.imageScanFindings?.findings[0].attribute("package_name") == "z")
        #expect(basic.imageScanFindings?.findingSeverityCounts == ["HIGH": 1, "UNDEFINED": 2])
        #expect(basic.imageScanFindings?.imageScanCompletedAt?.secondsSince1970 == 1_448_875_853.241)
        let enhanced = try await exchange(
            question,
            "DescribeImageScanFindings",
            sends: sent,
            gets: """
                {"imageScanStatus":{"status":"ACTIVE"},"imageScanFindings":{"enhancedFindings":[{"severity":"CRITICAL",
                "status":"ACTIVE","score":9.8,"fixAvailable":"YES","packageVulnerabilityDetails":{"vulnerabilityId":"CVE-2",
                "cvss":[{"baseScore":9.8}],"vulnerablePackages":[{"name":"z","version":"1","fixedInVersion":"2"}]}}]}}
                """
        )
        let finding = try #require(enhanced.imageScanFindings?.enhancedFindings.first)
        #expect(finding.packageVulnerabilityDetails?.vulnerabilityId == "CVE-2")
        #expect(finding.packageVulnerabilityDetails?.vulnerablePackages?.first?.fixedInVersion == "2")
        #expect(enhanced.imageScanFindings?.findings.isEmpty == true)
        let none = try await exchange(
            question,
            "DescribeImageScanFindings",
            sends: sent,
            gets: #"{"imageScanStatus":{"status":"IMAGE_SIZE_EXCEEDED"}}"#
        )
        #expect(none.imageScanStatus?.status == .imageSizeExceeded && none.imageScanFindings == nil)
    }

    @Test("DescribeImageSigningStatus: a status for each profile")
    func signingStatus() async throws {
        let answer = try await exchange(
            DescribeImageSigningStatus(registryId: account, repositoryName: repository, imageId: .init(tag: v1)),
            "DescribeImageSigningStatus",
            sends: #"{"imageId":{"imageTag":"v1"},\#(common)}"#,
            gets: """
                {"imageId":{"imageDigest":"\(digest)","imageTag":"v1"},"signingStatuses":[{"signingProfileArn":"arn:p",
                "status":"FAILED","failureCode":"AccessDenied","failureReason":"no"},{"status":"COMPLETE"}]}
                """
        )
        #expect(answer.signingStatuses.map(\.status) == [.failed, .complete])
        #expect(answer.signingStatuses[0].failureReason == "no" && answer.imageId?.digest == digest)
    }
}

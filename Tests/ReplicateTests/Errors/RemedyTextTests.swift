import Content
import HTTPTypes
import Reporting
import Testing
import Wire

@testable import Distribution
@testable import Replicate

/// What to do next, where an error's first guess used to send people the wrong way.
@Suite("Remedies")
struct RemedyTextTests {
    private static let plain = "r.example/team/app:v1"

    private func atRegistry(_ error: any Error) -> CopyError {
        CopyError(
            explaining: error,
            side: .destination,
            image: Self.plain,
            "storing the manifest",
            at: PlainRegistry(authority: "r.example")
        )
    }

    private func answer(
        _ kind: RegistryError.Kind,
        _ operation: RegistryError.Operation = .writeManifest,
        status: Int = 400,
        _ message: String = "said"
    ) throws -> RegistryError {
        RegistryError(operation, kind, message, url: try HTTPURL("https://r.example/v2/team/app/x"), status: status)
    }

    private func wire(_ reason: WireError.Reason, _ detail: String = "said") -> WireError {
        ErrorTextCase.wire(reason, detail, "https://r.example/v2/", 0)
    }

    @Test("an http address behind a TLS proxy names the header that is missing")
    func lostScheme() throws {
        let upload = atRegistry(try answer(.insecureAddress, .startUpload, status: 202, "an upload address of http"))
        #expect(upload.cause == "HTTP 202: an upload address of http" && upload.kind == .failed)
        let secure = WireRequest(.get, try HTTPURL("https://r.example/v2/team/app/blobs/x"))
        let redirect = #expect(throws: WireError.self) { try secure.following("http://r.example/b?sig=hunter22") }
        let download = atRegistry(try #require(redirect))
        for error in [upload, download] {
            #expect(error.remedy.contains("X-Forwarded-Proto: https"), "\(error)")
            #expect(error.remedy.contains("https://r.example") && !error.explanation.contains("hunter22"))
        }
        let ecr = CopyError(
            explaining: try answer(.insecureAddress, .startUpload, status: 202),
            side: .destination,
            image: ErrorTextCase.destination,
            "InitiateLayerUpload"
        )
        #expect(ecr.remedy.contains("X-Forwarded-Proto"))
    }

    @Test("an error of a registry that is not ECR doesn't mention AWS's endpoints")
    func plainRegistry() throws {
        let reasons: [WireError.Reason] = [
            .unresolvable, .unreachable, .disconnected, .stalled, .deadline, .badURL, .badRedirect, .answerTooLarge,
            .other,
        ]
        for reason in reasons {
            let error = atRegistry(wire(reason))
            #expect(!error.remedy.contains("AWS_") && !error.remedy.contains("endpoint"), "\(error)")
        }
        #expect(atRegistry(wire(.unresolvable)).remedy.contains("DNS does not know r.example"))
        #expect(atRegistry(wire(.unreachable)).remedy.contains("is running at r.example"))
    }

    @Test("bytes that are not a manifest point to the server that answered, and a too large request to the proxy")
    func strangeAnswers() {
        func failed(_ reason: CopyError.Reason) -> CopyError {
            CopyError(reason, side: .source, image: "r.example/team/app:v1", operation: "reading the manifest")
        }
        #expect(failed(.badManifest(.notJSON("it is a page"))).remedy.contains("a sign-in page or a proxy"))
        #expect(failed(.rejected(code: "HTTP 413", text: "")).remedy.contains("client_max_body_size"))
        #expect(failed(.rejected(code: "HTTP 407", text: " ")).cause == "HTTP 407: no reason was given")
    }

    @Test("an invalid proxy address is named as the thing to correct")
    func proxyAddress() {
        let error = WireError(.badURL, "the proxy's address is not valid: see HTTPS_PROXY", curlCode: 7)
        #expect(atRegistry(error).remedy.hasPrefix("write HTTPS_PROXY"))
    }

    @Test(
        "an answer that was refused is not blamed on the network",
        arguments: [WireError.Reason.disconnected, .badRedirect, .answerTooLarge]
    )
    func answered(reason: WireError.Reason) throws {
        #expect(!atRegistry(wire(reason)).remedy.contains("network"))
        #expect(!atRegistry(try answer(.serverFault, status: 500)).remedy.contains("network"))
    }

    @Test("a wrong endpoint of ECR names ECR's endpoint settings")
    func endpoints() {
        let own = CopyError(.wrongEndpoint("x"), side: .source, image: "team/app", operation: "asking")
        let ecr = CopyError(.wrongEndpoint("x"), side: .source, image: ErrorTextCase.source, operation: "asking")
        for error in [own, ecr] { #expect(error.remedy.contains("AWS_ENDPOINT_URL_ECR")) }
        let plain = CopyError(.wrongEndpoint("x"), side: .source, image: Self.plain, operation: "asking")
        #expect(plain.remedy == "check the registry's address in the reference")
    }

    @Test("an unsupported request is called neither 405 nor a rule of ECR")
    func unsupported() throws {
        for status in [400, 405, 501] {
            let push = try answer(.unsupported, status: status)
            #expect(!push.description.contains("ECR") && (status == 405 || !push.description.contains("405")))
            #expect(atRegistry(push).remedy.contains("read-only or a pull-through cache"))
        }
        #expect(!atRegistry(try answer(.unsupported, .readManifest, status: 405)).remedy.contains("pushes"))
    }

    // MARK: Quotas, keys, the archive

    private func ecr(_ reason: CopyError.Reason, _ image: String = ErrorTextCase.destination) -> CopyError {
        CopyError(reason, side: .destination, image: image, operation: "PutImage")
    }

    private static let tags =
        "Adding tag 'v1' to an image in the repository with name 'prod/app' in registry with id '444455556666' exceeds the "
        + "maximum allowed number of tags per image which is '1000'"
    private static let repository = "--region us-west-2 --registry-id 444455556666 --repository-name prod/app"

    @Test("tags per image can't be raised; images and repositories can, by their quota's code")
    func quotas() throws {
        let tags = ecr(.quota(Self.tags)).remedy
        #expect(tags.contains("can't be raised") && !tags.contains("service-quotas"), "\(tags)")
        #expect(tags.contains("aws ecr batch-delete-image \(Self.repository) --image-ids imageTag=TAG"))
        let images = ecr(.quota("exceeds the maximum allowed number of images per repository")).remedy
        #expect(images.contains("--region us-west-2 --quota-code L-03A36CE1"), "\(images)")
        let repositories = ecr(.quota("the limit of repositories is reached")).remedy
        #expect(repositories.contains("--quota-code L-CFEB8E8D"), "\(repositories)")
        #expect(ecr(.quota("something else")).remedy.contains("list-service-quotas"))
    }

    @Test("an exhausted quota is not a denial, whatever its code")
    func quotaOfRegistry() throws {
        let words = [
            Self.tags, "adding 1 GiB of storage resource, which will exceed the configured upper limit of 1 GiB",
            "Quota has been exceeded on namespace",
        ]
        for text in words {
            for kind in [RegistryError.Kind.denied, .other, .serverFault] {
                let error = atRegistry(try answer(kind, status: 403, text))
                #expect(error.reason == .quota(text) && error.kind == .failed && !error.remedy.contains("log in"))
            }
        }
        let error = CopyError(
            explaining: try answer(.denied, status: 403, Self.tags),
            side: .destination,
            image: ErrorTextCase.destination,
            "PutImage"
        )
        #expect(error.reason == .quota(Self.tags) && error.remedy.contains("can't be raised"))
    }

    @Test("a key's state decides the remedy, and a lost grant can't be restored")
    func keys() {
        let disabled = ecr(.keyUnusable("KMS.DisabledException")).remedy
        #expect(disabled.contains("aws kms enable-key --region us-west-2"), "\(disabled)")
        let pending = ecr(.keyUnusable("KMSInvalidStateException: pending deletion")).remedy
        #expect(pending.contains("cancel-key-deletion"))
        #expect(ecr(.keyUnusable("KMS.NotFoundException")).remedy.contains("can't be read any more"))
        for text in ["AccessDeniedException", "", "odd"] {
            let remedy = ecr(.keyUnusable(text)).remedy
            #expect(remedy.contains("describe-key"), "\(remedy)")
            #expect(remedy.contains("push the images to a new repository"), "\(remedy)")
            #expect(!remedy.contains("restore"))
        }
        #expect(ecr(.keyUnusable("x"), Self.plain).remedy.contains("aws kms describe-key"))
    }

    @Test("a key with which no repository can be created has no repository to look it up in")
    func keyOfNewRepository() {
        var error = ecr(.keyUnusable("NotFoundException"))
        error.operation = "CreateRepository"
        #expect(error.remedy.contains("in region us-west-2") && error.remedy.contains("iam-policy --kms-key ARN"))
        #expect(!error.remedy.contains("describe-repositories"))
    }

    @Test("an archived image comes with the whole command that restores it")
    func archive() {
        let tag = ecr(.archived).remedy
        #expect(
            tag.contains(
                "aws ecr update-image-storage-class \(Self.repository) --image-id imageTag=v1 --target-storage-class STANDARD"
            ),
            "\(tag)"
        )
        let digest = Digest(of: [1])
        let pinned = ecr(.archived, "\(ErrorTextCase.destination)@\(digest)").remedy
        #expect(pinned.contains("--image-id imageDigest=\(digest) "), "\(pinned)")
        #expect(pinned.contains("imageStatus"))
    }

    @Test("a refused manifest with foreign layers names the layers and the setting that allows them")
    func foreignLayers() throws {
        let image = try FakeImage.image("windows", foreign: ["a", "b", "c", "d"])
        let refusal = try answer(.foreignLayersRefused, status: 500, "unknown error")
        let error = CopyError(
            refusing: image.root.foreignBlobs,
            refusal,
            .digest(image.digest),
            by: try FakeRepository(.destination, "team/app", CallLog(), registry: "r.example")
        )
        #expect(error.cause.contains("\(FakeImage.blob("a").digest) (https://x.test/l)"), "\(error)")
        #expect(error.cause.contains("named by urls") || error.cause.contains("layers by urls"))
        #expect(error.cause.hasSuffix("and 1 more") && error.cause.contains("HTTP 500 unknown error"))
        #expect(error.remedy.contains("--platform") && error.remedy.contains("validation.manifests.urls"))
        #expect(!error.explanation.contains("run again"))
    }
}

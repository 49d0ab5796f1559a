import Content
import HTTPTypes
import Reporting
import Testing
import Wire

@testable import Distribution
@testable import Replicate

/// What people read where a registry that is not ECR wants them to log in.
@Suite("Remedies about logins")
struct LoginTextTests {
    private func explained(
        _ kind: RegistryError.Kind,
        at host: String = "r.example",
        login: LoginTool? = nil,
        wait: Duration? = nil
    ) throws -> CopyError {
        let answer = RegistryError(
            .readManifest,
            kind,
            "said",
            url: try HTTPURL("https://\(host)/v2/a/b/manifests/v1"),
            status: wait == nil ? 403 : 429,
            retryAdvice: wait.map { .wait($0) } ?? .never,
            login: login
        )
        return CopyError(
            explaining: wait.map { RetryWaitTooLong(wait: $0, reason: answer) } ?? answer,
            side: .source,
            image: "\(host)/a/b:v1",
            "reading the manifest",
            at: PlainRegistry(authority: host)
        )
    }

    private static let publicLogin =
        "aws ecr-public get-login-password --region us-east-1 | docker login --username AWS --password-stdin public.ecr.aws"

    @Test("a refusal without a login asks for one, and with a login names both remedies")
    func refused() throws {
        for kind in [RegistryError.Kind.denied, .unauthorized, .tokenExpired] {
            let stranger = try explained(kind)
            #expect(
                stranger.remedy
                    == "log in with: docker login r.example (or podman login), with an account that has permission"
            )
            #expect(stranger.kind == .notPermitted && stranger.cause == "not allowed to read the manifest: said")
            #expect(
                try explained(kind, login: .podman).remedy
                    == "log in again, with an account that has permission: podman login r.example\n    or, if the image is public, log out: "
                    + "podman logout r.example"
            )
            #expect(
                try explained(kind, at: "public.ecr.aws", login: .docker).remedy
                    == "log in again, with an account that has permission: \(Self.publicLogin)\n    or, if the image is public, log out: "
                    + "docker logout public.ecr.aws"
            )
            #expect(
                try explained(kind, at: "public.ecr.aws").remedy
                    == "log in with: \(Self.publicLogin), with an account that has permission"
            )
        }
    }

    @Test("a pull limit asks for a login, or for an account with a higher limit")
    func pullLimit() throws {
        let stranger = try explained(.pullLimit, at: "docker.io")
        #expect(stranger.cause == "throttled: said" && stranger.kind == .failed)
        #expect(
            stranger.remedy
                == "log in, because the limit is higher with a login: docker login\n    or run again when the limit is reset"
        )
        #expect(
            try explained(.pullLimit, at: "docker.io", login: .docker).remedy
                == "run again when the limit is reset, or log in to an account with a higher limit: docker login"
        )
        #expect(try explained(.pullLimit, at: "public.ecr.aws").remedy.contains(Self.publicLogin))
    }

    @Test(
        "a wait of hours is named, with the login that may shorten it",
        arguments: [RegistryError.Kind.pullLimit, .tooManyRequests]
    )
    func longWait(kind: RegistryError.Kind) throws {
        let error = try explained(kind, at: "docker.io", wait: .seconds(21_600))
        #expect(error.cause == "throttled: said; the service asks to wait 6 h")
        #expect(
            error.remedy == "log in, because the limit is higher with a login: docker login\n    or run again in 6 h"
        )
        let fault = try explained(.serverFault, wait: .seconds(5_400))
        #expect(fault.cause == "throttled: HTTP 429: said; the service asks to wait 1 h 30 min")
    }

    @Test("a wait of hours at ECR's API is named, without advice about docker")
    func longWaitOfAPI() {
        let answer = ErrorTextCase.api("PutImage", "ThrottlingException", "Rate exceeded")
        let error = CopyError(
            explaining: RetryWaitTooLong(wait: .seconds(3_600), reason: answer),
            side: .destination,
            image: ErrorTextCase.destination,
            "PutImage"
        )
        #expect(error.cause == "throttled: Rate exceeded; the service asks to wait 1 h")
        #expect(error.remedy == "run again in 1 h")
    }

    @Test("a blob that meets a limit for pulls is not tried again, and says how to log in")
    func blob() throws {
        let body = #"{"errors":[{"code":"TOOMANYREQUESTS","message":"Data limit exceeded"}]}"#
        let failure = try BlobFailure(
            sourceAnswered: WireResponse(status: .tooManyRequests, body: Array(body.utf8)),
            FakeImage.blob("layer"),
            FakeRepository(.source, "a/b", CallLog(), registry: "public.ecr.aws")
        )
        #expect(failure.retryAdvice == .never && failure.error.remedy.contains(Self.publicLogin))
    }
}

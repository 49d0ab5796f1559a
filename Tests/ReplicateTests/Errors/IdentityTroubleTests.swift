import AWSIdentity
import Reporting
import Testing
import Wire

@testable import Replicate

@Suite("Credential services that can't be reached")
struct IdentityTroubleTests {
    private static let image = "444455556666.dkr.ecr.eu-west-1.amazonaws.com/prod/app:v1"

    private func explained(_ error: IdentityError) -> CopyError {
        CopyError(explaining: error, side: .destination, image: Self.image, "BatchGetImage")
    }

    private func unreachable(_ reason: WireError.Reason, _ detail: String) throws -> IdentityError {
        let url = try HTTPURL("https://sts.eu-west-1.amazonaws.com/")
        return IdentityError(
            "the role r could not be assumed: \(detail)",
            tried: ["the role flag"],
            remedy: "check that this machine reaches STS",
            failure: WireError(reason, detail, url: url)
        )
    }

    @Test("are network errors with advice about the network, not missing permissions")
    func network() throws {
        let timeout = explained(try unreachable(.unreachable, "Connection timed out"))
        #expect(timeout.reason.name == "unreachable" && ExitStatus.of(timeout) == 1)
        #expect(
            timeout.cause == "no answer: the role r could not be assumed: Connection timed out; tried the role flag"
        )
        #expect(timeout.remedy.contains("an interface endpoint for sts in eu-west-1"), "\(timeout.remedy)")
        let intercepted = explained(try unreachable(.certificate, "self-signed certificate in certificate chain"))
        #expect(intercepted.reason.name == "untrusted" && ExitStatus.of(intercepted) == 1)
        #expect(intercepted.remedy.contains("--ca-bundle FILE"), "\(intercepted.remedy)")
    }

    @Test("that throttle are reported as throttling")
    func passing() {
        let error = explained(IdentityError("the role r: Throttling", remedy: "run again", isPassing: true))
        #expect(error.reason.name == "throttled" && ExitStatus.of(error) == 1 && error.remedy == "run again")
    }
}

import Content
import Replicate
import Testing

@testable import IAMPolicies

@Suite("Repositories and keys in policies")
struct PolicyPlaceTests {
    private static let build = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"

    @Test(
        "name the repository, or all that match the pattern",
        arguments: [
            ("\(build)/team/*", "team/*"), ("\(build)/te*m/app:v1", "te*m/app"),
            ("\(build)/team/app@sha256:1", "team/app"),
            ("arn:aws:ecr:eu-west-1:111122223333:repository/team/*", "team/*"), ("\(build)/*", "*"),
            ("\(build)/a*b*:v1", "a*b*"),
        ]
    )
    func patterns(_ text: String, _ pattern: String) throws {
        let place = try #require(try PolicyPlace(parsing: text))
        #expect(place.pattern == pattern && place.arn == "arn:aws:ecr:eu-west-1:111122223333:repository/\(pattern)")
    }

    @Test(
        "need the repository's account and region",
        arguments: [
            "team/app", "\(build)/", "\(build)/Team/*", "",
            "111122223333.dkr.ecr.eu-*.amazonaws.com/team/app",
        ]
    )
    func noPlace(_ text: String) {
        #expect(throws: ReferenceError.self) { try PolicyPlace(parsing: text) }
    }

    @Test("name only callers that a policy can name")
    func callers() {
        let words = [
            "arn:aws:iam::111122223333:role/ops/deploy": "role deploy in account 111122223333",
            "arn:aws:iam::111122223333:user/ann": "user ann in account 111122223333",
            "arn:aws:sts::111122223333:federated-user/bob": "the user who federates bob in account 111122223333",
            "arn:aws-us-gov:iam::111122223333:root": "account 111122223333",
        ]
        for (arn, expected) in words {
            #expect(Principal(arn: arn)?.words == expected)
            #expect(Principal(arn: arn)?.arn == arn)
        }
        for text in [
            "", "111122223333", "arn:aws:iam::111122223333:group/g", "arn:aws:iam::x:role/r", "arn:aws:iam::1:role/",
            "arn:aws:iam::1:role/a b", "arn:aws:sts::1:assumed-role/r", "arn:aws:s3:::b", "arn:aws:iam:eu:1:role/r",
        ] { #expect(Principal(arn: text) == nil, "\(text)") }
    }
}

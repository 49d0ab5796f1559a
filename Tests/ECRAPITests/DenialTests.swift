import TestInputs
import Testing

@testable import ECRAPI

@Suite("A denial's sentence", .timeLimit(.minutes(1)))
struct DenialTests {
    private static let sentence =
        "User: arn:aws-cn:sts::111122223333:assumed-role/build/me@a.test is not authorized to perform: "
        + "ecr:InitiateLayerUpload on resource: arn:aws-cn:ecr:cn-north-1:444455556666:repository/prod/app"

    private func denial(_ sentence: String) -> ECRError.Denial { .init(sentence: sentence, operation: "PutImage") }

    @Test(
        "is parsed with other text around it",
        arguments: [
            "because no session policy allows the ecr:InitiateLayerUpload action",
            "because no session policy allows the ecr:InitiateLayerUpload action. Encoded authorization failure message: "
                + "fX0identity-based_explicit_denyq",
            "because no session policy allows it (Service: Ecr, Status Code: 400, Request ID: resource-based)",
        ]
    )
    func otherText(_ ending: String) {
        let read = denial("com.amazonaws.ecr denied: \(Self.sentence) \(ending)")
        #expect(read.principal == "arn:aws-cn:sts::111122223333:assumed-role/build/me@a.test")
        #expect(read.action == "ecr:InitiateLayerUpload")
        #expect(read.resource == "arn:aws-cn:ecr:cn-north-1:444455556666:repository/prod/app")
        #expect(read.reason == .sessionPolicy && !read.isExplicit)
    }

    @Test("is parsed correctly if names look like reasons")
    func misleadingNames() {
        let text =
            "User: arn:aws:sts::1:assumed-role/resource-based/identity-based is not authorized to perform: ecr:PutImage on "
            + "resource: arn:aws:ecr:r:1:repository/explicit-deny/identity-based "
        #expect(denial(text).reason == .unstated && !denial(text).isExplicit)
        let why = denial(text + "because no permissions boundary allows the ecr:PutImage action")
        #expect(why.reason == .permissionsBoundary && !why.isExplicit)
    }

    @Test("may end with a full stop, or have names in quotes as from S3")
    func punctuation() {
        #expect(denial(Self.sentence + ".").resource?.hasSuffix("prod/app") == true)
        let quoted = denial(
            "is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::bucket/key\" because no"
        )
        #expect(quoted.action == "s3:GetObject" && quoted.resource == "arn:aws:s3:::bucket/key")
    }

    @Test(
        "gives only values that a policy may contain",
        arguments: [
            "User: arn:aws:iam::1:user/\",\"x is not authorized to perform: a:b\",\"c on resource: arn:aws:\",\"",
            "User: anonymous is not authorized to perform: * on resource: everything",
            "User:  is not authorized to perform:  on resource: ",
        ]
    )
    func unusable(_ text: String) {
        let read = denial(text)
        #expect(read.principal == nil && read.resource == nil)
        #expect(["ecr:PutImage", "a:b"].contains(read.action))
    }

    @Test("is parsed safely after any mutation")
    func mutations() {
        var random = Seeded(41)
        let endings = [
            "because no identity-based policy allows the ecr:PutImage action",
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o/p",
        ]
        let count = 4_000
        var parsed = 0
        for index in 0..<count {
            let read = denial(mutated("\(Self.sentence) \(endings[index % 2])", using: &random))
            let texts = [read.principal, read.action, read.resource].compactMap { $0 }
            #expect(texts.allSatisfy { $0.utf8.allSatisfy { (33..<127).contains($0) && $0 != 34 && $0 != 92 } })
            #expect(read.action.split(separator: ":").count == 2)
            if read.reason != .unstated { parsed += 1 }
        }
        #expect(parsed > count / 2)
        reportCases("fuzz, denials", count)
    }
}

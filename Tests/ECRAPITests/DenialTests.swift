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
        "is read whatever stands around it",
        arguments: [
            "because no session policy allows the ecr:InitiateLayerUpload action",
            "because no session policy allows the ecr:InitiateLayerUpload action. Encoded authorization failure message: "
                + "fX0identity-based_explicit_denyq",
            "because no session policy allows it (Service: Ecr, Status Code: 400, Request ID: resource-based)",
        ]
    )
    func surroundings(_ ending: String) {
        let read = denial("com.amazonaws.ecr denied: \(Self.sentence) \(ending)")
        #expect(read.principal == "arn:aws-cn:sts::111122223333:assumed-role/build/me@a.test")
        #expect(read.action == "ecr:InitiateLayerUpload")
        #expect(read.resource == "arn:aws-cn:ecr:cn-north-1:444455556666:repository/prod/app")
        #expect(read.reason == .sessionPolicy && !read.isExplicit)
    }

    @Test("isn't misled by names that read like reasons")
    func misleading() {
        let text =
            "User: arn:aws:sts::1:assumed-role/resource-based/identity-based is not authorized to perform: ecr:PutImage on "
            + "resource: arn:aws:ecr:r:1:repository/explicit-deny/identity-based "
        #expect(denial(text).reason == .unstated && !denial(text).isExplicit)
        let why = denial(text + "because no permissions boundary allows the ecr:PutImage action")
        #expect(why.reason == .permissionsBoundary && !why.isExplicit)
    }

    @Test("may end with a full stop, or quote what it names as S3 does")
    func punctuation() {
        #expect(denial(Self.sentence + ".").resource?.hasSuffix("prod/app") == true)
        let quoted = denial(
            "is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::bucket/key\" because no"
        )
        #expect(quoted.action == "s3:GetObject" && quoted.resource == "arn:aws:s3:::bucket/key")
    }

    @Test(
        "gives nothing that couldn't stand in a policy",
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

    @Test("is read without harm however it was mangled")
    func mangled() {
        var random = Seeded(41)
        let endings = [
            "because no identity-based policy allows the ecr:PutImage action",
            "with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o/p",
        ]
        let count = 4_000
        var understood = 0
        for index in 0..<count {
            let read = denial(mutated("\(Self.sentence) \(endings[index % 2])", using: &random))
            let texts = [read.principal, read.action, read.resource].compactMap { $0 }
            #expect(texts.allSatisfy { $0.utf8.allSatisfy { (33..<127).contains($0) && $0 != 34 && $0 != 92 } })
            #expect(read.action.split(separator: ":").count == 2)
            if read.reason != .unstated { understood += 1 }
        }
        #expect(understood > count / 2)
        reportCases("fuzz, denials", count)
    }
}

import Content
import ECRAPI
import FoundationEssentials
import Testing

@testable import Replicate

/// What a repository that is created like another gets, and what it must not get.
@Suite("The settings of a repository like the source's")
struct NewRepositoryTests {
    private static let build: ECRHost = host("111122223333", "eu-west-1")
    private static let far: ECRHost = host("111122223333", "us-east-1")
    private static let production: ECRHost = host("444455556666", "eu-west-1")
    private static let china: ECRHost = host("444455556666", "cn-north-1")

    private static func host(_ account: String, _ region: String) -> ECRHost {
        guard let account = try? AccountID(parsing: account) else { preconditionFailure(account) }
        return ECRHost(account: account, region: region)
    }

    private func settings(_ change: (inout RepositorySettings) -> Void = { _ in }) throws -> RepositorySettings {
        let described = try JSONDecoder().decode(
            ECRRepository.self,
            from: Data(#"{"repositoryName":"team/app"}"#.utf8)
        )
        var settings = RepositorySettings(of: described, in: Self.build)
        change(&settings)
        return settings
    }

    // MARK: Keys

    private static let id = "11111111-2222-3333-4444-555555555555"
    private static let sourceKey = "arn:aws:kms:eu-west-1:111122223333:key/\(id)"

    private func key(
        _ key: String?,
        _ type: String = "KMS",
        at host: ECRHost,
        _ keys: [String: String] = [:]
    ) throws -> ECRRepository.Encryption? {
        let settings = try settings { $0.encryption = .init(encryptionType: type, kmsKey: key) }
        return try NewRepository(like: settings, at: host, keys: keys).encryption
    }

    private static let names: [(reported: String, named: String)] = [
        (sourceKey, sourceKey), (sourceKey, id), (sourceKey, "key/\(id)"), (id, sourceKey),
        ("alias/build", "alias/build"), ("arn:aws:kms:eu-west-1:111122223333:alias/build", "alias/build"),
        ("alias/build", "arn:aws:kms:eu-west-1:111122223333:alias/build"),
    ]

    @Test("A key is found by its ARN, its id or its alias, however ECR reports it", arguments: names)
    func mapped(reported: String, named: String) throws {
        for host in [Self.far, Self.production, Self.build] {
            let found = try key(reported, at: host, [named: "alias/prod", "alias/other": "alias/wrong"])
            #expect(found == .init(encryptionType: "KMS", kmsKey: "alias/prod"))
        }
    }

    @Test("Without an entry, a key is used in its own registry only")
    func unmapped() throws {
        #expect(try key(Self.sourceKey, at: Self.build)?.kmsKey == Self.sourceKey)
        for host in [Self.far, Self.production, Self.china] {
            for named in [Self.sourceKey, "alias/build"] {
                let error = #expect(throws: UnsuitableKey.self) { try key(named, at: host, ["alias/x": "alias/y"]) }
                #expect(error?.reason == .unmappedKey(named))
            }
        }
    }

    @Test("AWS's own key stays AWS's own, and can take the place of another")
    func ofAWS() throws {
        for named in [nil, "", "alias/aws/ecr", "arn:aws:kms:eu-west-1:111122223333:alias/aws/ecr"] {
            #expect(try key(named, at: Self.production) == .init(encryptionType: "KMS"))
        }
        let replaced = try key(Self.sourceKey, "KMS_DSSE", at: Self.far, [Self.sourceKey: "alias/aws/ecr"])
        #expect(replaced == .init(encryptionType: "KMS_DSSE"))
        #expect(try key(nil, "AES256", at: Self.far) == .init(encryptionType: "AES256"))
        #expect(try NewRepository(like: settings(), at: Self.far).encryption == nil)
    }

    @Test("A key of another region is refused, since ECR would refuse it")
    func otherRegion() throws {
        let here = "arn:aws:kms:us-east-1:111122223333:key/1"
        #expect(try key(Self.sourceKey, at: Self.far, [Self.sourceKey: here])?.kmsKey == here)
        let error = #expect(throws: UnsuitableKey.self) {
            try key(Self.sourceKey, at: Self.production, [Self.sourceKey: here])
        }
        #expect(error?.reason == .keyOfOtherRegion(here, region: "eu-west-1"))
    }

    // MARK: Policies

    private func policy(_ principal: String, at host: ECRHost) throws -> (text: String?, notes: [String]) {
        let text = """
            { "Statement" : [ {"Sid":"a111122223333","Effect":"Allow","Action":"ecr:BatchGetImage",\(principal)} ] }
            """
        let new = try NewRepository(like: settings { $0.repositoryPolicy = text }, at: host)
        return (new.repositoryPolicy, new.notes)
    }

    @Test("Within an account a policy is copied as it is, with all its principals")
    func ownAccount() throws {
        for principal in [#""Principal":"*""#, #""Principal":{"AWS":"777788889999"}"#, #""Principal":7"#] {
            let (text, notes) = try policy(principal, at: Self.far)
            #expect(text?.contains(principal) == true && notes.isEmpty)
        }
    }

    @Test(
        "To another account a policy is copied with the account replaced, if it names no third party",
        arguments: [
            (
                #""Principal":{"AWS":"arn:aws:iam::111122223333:root"}"#,
                #""Principal":{"AWS":"arn:aws:iam::444455556666:root"}"#
            ),
            (
                #""NotPrincipal":{"AWS":["111122223333","arn:aws:iam::444455556666:role/ci"]}"#,
                #""NotPrincipal":{"AWS":["444455556666","arn:aws:iam::444455556666:role/ci"]}"#
            ),
            (
                #""Principal":{"Service":"lambda.amazonaws.com"},"Condition":{"StringLike":{"aws:SourceArn":"arn:aws:lambda:eu-west-1:111122223333:function:*"}}"#,
                #""Principal":{"Service":"lambda.amazonaws.com"},"Condition":{"StringLike":{"aws:SourceArn":"arn:aws:lambda:eu-west-1:444455556666:function:*"}}"#
            ),
        ]
    )
    func otherAccount(before: String, after: String) throws {
        let (text, notes) = try policy(before, at: Self.production)
        // The rest of the text stays as it is: also a number within a word.
        let expected = """
            { "Statement" : [ {"Sid":"a111122223333","Effect":"Allow","Action":"ecr:BatchGetImage",\(after)} ] }
            """
        #expect(text == expected)
        #expect(notes == ["in the repository policy, account 111122223333 is replaced by 444455556666"])
        let (there, _) = try policy(before, at: Self.china)
        #expect(there == expected.replacing("arn:aws:", with: "arn:aws-cn:"))
    }

    @Test("A policy that names nothing of the account is copied without a note")
    func serviceOnly() throws {
        let (text, notes) = try policy(#""Principal":{"Service":"lambda.amazonaws.com"}"#, at: Self.production)
        #expect(text?.contains("lambda.amazonaws.com") == true && notes.isEmpty)
    }

    @Test(
        "A policy that lets in others is not copied to another account, and a note names them",
        arguments: [
            (#""Principal":"*""#, "because it names everyone;"),
            (
                #""Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::777788889999:root"]}"#,
                "because it names account 777788889999;"
            ),
            (
                #""Principal":{"AWS":["777788889999","*","AIDAEXAMPLE"]}"#,
                "because it names account 777788889999, everyone, AIDAEXAMPLE;"
            ),
            (#""NotPrincipal":{"Federated":"accounts.google.com"}"#, "because it names accounts.google.com;"),
            (#""Principal":7"#, "because it can't be read;"),
        ]
    )
    func others(principal: String, reason: String) throws {
        let (text, notes) = try policy(principal, at: Self.production)
        #expect(text == nil && notes.count == 1)
        #expect(
            notes.first?.contains(reason) == true && notes.first?.contains("set-repository-policy") == true,
            "\(notes)"
        )
    }

    // MARK: Other settings

    @Test("Tags that AWS has set are left out, and the rest is named in words")
    func words() throws {
        let lifecycle = #"{"rules":[{"rulePriority":1},{"rulePriority":2,"selection":{}}]}"#
        let settings = try settings {
            ($0.tagMutability, $0.exclusionFilters) = (
                .immutableWithExclusion, [.init(filter: "dev-*"), .init(filter: "x")]
            )
            ($0.encryption, $0.scanning) = (.init(encryptionType: "KMS", kmsKey: "alias/a"), .init(scanOnPush: true))
            $0.tags = [
                .init(key: "team", value: "a"), .init(key: "aws:cloudformation:stack-name", value: "s"),
                .init(key: "AWS:x", value: ""),
            ]
            $0.lifecyclePolicy = lifecycle
            $0.repositoryPolicy = #"{"Statement":{"Effect":"Allow","Action":"ecr:*","Principal":"*"}}"#
        }
        let new = try NewRepository(like: settings, at: Self.build)
        #expect(new.tags == [.init(key: "team", value: "a")])
        #expect(new.lifecyclePolicy == lifecycle)
        #expect(
            new.words == [
                "immutable tags (except dev-*, x)", "KMS key alias/a", "scan on push", "1 resource tag",
                "lifecycle policy (2 rules)", "repository policy (1 statement)",
            ]
        )
        let plain = try self.settings {
            ($0.tagMutability, $0.encryption) = (.mutable, .init(encryptionType: "KMS_DSSE"))
            $0.scanning = .init(scanOnPush: false)
            $0.lifecyclePolicy = "odd"
        }
        let words = try NewRepository(like: plain, at: Self.far).words
        #expect(words == ["mutable tags", "KMS_DSSE with AWS's KMS key", "lifecycle policy"])
        #expect(try NewRepository(like: self.settings(), at: Self.far).words == [])
    }
}

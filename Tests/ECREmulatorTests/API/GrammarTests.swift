import Testing

@testable import ECREmulator

@Suite("The patterns of the service model")
struct GrammarTests {
    @Test(
        "a namespace matches only the model's pattern",
        arguments: [
            ("prod", true), ("prod/", true), ("prod/team", true), ("ROOT", true), ("a", true), ("1", true),
            ("a-b.c_d__e", true), ("a---b", true), ("", false), ("/", false), ("prod//", false), ("/prod", false),
            ("Prod", false), ("root", true), ("a..b", false), ("a___b", false), ("a-", false), ("a_-b", false),
            ("ROOT/", false),
        ]
    )
    func namespace(text: String, isOne: Bool) { #expect(Grammar.repositoryPrefix.accepts(text) == isOne) }

    @Test(
        "a filter with stars matches only the model's pattern",
        arguments: [
            ("*", true), ("team/*", true), ("**", true), ("a.b_c-d/e", true), ("", false), ("a//b", false),
            ("a._b", false), ("/a", false), ("a/", false), ("A", false),
            // A backtracking engine would practically never finish with this text.
            (String(repeating: "a", count: 255) + "!", false),
        ]
    )
    func starred(text: String, isOne: Bool) {
        #expect(Grammar.scanningFilter.accepts(text) == isOne)
        #expect(Grammar.signingFilter.accepts(text) == isOne)
    }

    @Test(
        "a replication filter matches only the model's pattern",
        arguments: [
            ("team/", true), ("team/a-", true), ("team", true), ("te_am.", true), ("/team", false), ("T", false),
            ("team//", false), ("a/-", true), ("-a/b", false),
        ]
    )
    func replication(text: String, isOne: Bool) { #expect(Grammar.replicationFilter.accepts(text) == isOne) }

    @Test(
        "an ARN of each kind matches only the model's pattern",
        arguments: [
            (0, "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab", true), (0, "", true),
            (0, "arn:aws:kms:eu-west-1:111122223333:alias/a", false), (0, "alias/a", false),
            (1, "arn:aws:iam::111122223333:role/a", true), (1, "arn:aws-cn:iam::111122223333:user/p/a@b", true),
            (1, "arn:aws:iam::111122223333:root", false), (1, "arn:aws:iam::1:role/a", false),
            (1, "arn:aws:iam::111122223333:role//a", false),
            (1, "arn:aws:sts::111122223333:assumed-role/a/b", false),
            (2, "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/ab", true),
            (2, "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/a", false),
            (2, "arn:aws:signer:eu-west-1:111122223333:/signing-profiles/a-b", false),
        ]
    )
    func arn(kind: Int, text: String, isOne: Bool) {
        let grammar: Grammar = [.kmsKey, .principal, .signingProfile][kind]
        #expect(grammar.accepts(text) == isOne)
    }
}

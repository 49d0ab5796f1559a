import Content
import Platform
import Testing

@testable import Promotion

@Suite("Notation's trust policies", .timeLimit(.minutes(1)))
struct TrustPolicyTests {
    let image = SignatureScene().image.descriptor

    static func policy(
        scopes: String = #""registry.example/team/app""#,
        level: String = "strict",
        stores: String = #""ca:acme""#,
        identities: String = #""x509.subject: C=DE, ST=Berlin, O=Acme""#
    ) -> String {
        """
        {"version":"1.0","trustPolicies":[{"name":"release","registryScopes":[\(scopes)],\
        "signatureVerification":{"level":"\(level)"},"trustStores":[\(stores)],"trustedIdentities":[\(identities)]}]}
        """
    }

    private func problem(_ policy: String, in repository: String = "registry.example/team/app") -> SignatureProblem? {
        let made = TestNotation(TestKeys.p256, of: image)
        do throws(SignatureProblem) {
            _ = try TrustStore.test([made.chain.root], kind: .authority, policy: policy).verify(
                NotationSignature(made.jws(), type: NotationSignature.jwsType),
                of: image,
                in: repository,
                identities: [],
                now: TestCertificate.now
            )
            return nil
        } catch {
            return error
        }
    }

    @Test("allow the signers and the stores that they name for the repository")
    func allowed() {
        #expect(problem(Self.policy()) == nil)
        #expect(problem(Self.policy(scopes: #""*""#)) == nil)
        #expect(problem(Self.policy(identities: #""*""#)) == nil)
        let identities = #""x509.subject: C=FR, ST=Paris, O=Acme","x509.subject:CN=signer,O=Acme,ST=Berlin,C=DE""#
        #expect(problem(Self.policy(identities: identities)) == nil)
    }

    @Test("refuse others")
    func refused() {
        #expect(problem(Self.policy(), in: "registry.example/team/other")?.reason.contains("no statement") == true)
        #expect(problem(Self.policy(level: "skip"))?.reason.contains("skips verification") == true)
        #expect(problem(Self.policy(stores: #""ca:other""#))?.kind == .otherSigner)
        #expect(problem(Self.policy(stores: #""signingAuthority:acme""#))?.kind == .otherSigner)
        #expect(problem(Self.policy(stores: ""))?.kind == .otherSigner)
        for identity in [
            "x509.subject: C=DE, ST=Berlin, O=Other", "x509.subject: C=DE, ST=Berlin, O=Acme, CN=other",
            "x509.subject: C=DE, ST=Berlin, O=Acme, OU=x",
            "arn:aws:signer:eu-west-1:000011112222:/signing-profiles/release",
        ] {
            #expect(problem(Self.policy(identities: "\"\(identity)\""))?.kind == .otherSigner, "\(identity)")
        }
        #expect(problem(Self.policy(identities: ""))?.kind == .otherSigner)
    }

    @Test("prefer the statement that names the repository")
    func exact() throws {
        let text = """
            {"version":"1.0","trustPolicies":[\
            {"name":"all","registryScopes":["*"],"signatureVerification":{"level":"strict"},"trustStores":["ca:acme"],\
            "trustedIdentities":["*"]},\
            {"name":"one","registryScopes":["registry.example/team/app"],"signatureVerification":{"level":"strict"},\
            "trustStores":["ca:acme"],"trustedIdentities":["x509.subject: C=FR, ST=Paris, O=Other"]}]}
            """
        #expect(try TrustPolicy(json: Array(text.utf8)).statement(for: "registry.example/team/app")?.name == "one")
        #expect(problem(text)?.kind == .otherSigner)
        #expect(problem(text, in: "registry.example/b") == nil)
    }

    @Test(
        "that Notation refuses are refused",
        arguments: [
            policy().replacing("1.0", with: "2.0"), policy(scopes: #""a/b","a/b""#),
            policy(identities: #""x509.subject: C=DE, O=Acme""#),
            policy(identities: #""x509.subject: C=DE, ST, O=Acme""#),
            policy(identities: #""x509.subject: C=DE, ST=Berlin, O=Acme, O=Other""#), policy(identities: #""someone""#),
            policy(identities: #""x509.subject: C=DE+ST=Berlin, O=Acme""#), "{}", "",
            policy().replacing(#""name""#, with: #""name":"a","name""#),
        ]
    )
    func malformed(_ text: String) {
        #expect(throws: SignatureProblem.self) { try TrustPolicy(json: Array(text.utf8)) }
    }

    @Test("read escaped names")
    func escapes() throws {
        let identity = try TrustedIdentity(#"x509.subject: C=DE, ST=Berlin, O=Acme\, Ltd"#)
        let names = [("C", "DE"), ("ST", "Berlin"), ("O", "Acme, Ltd")]
        #expect(identity.matches(names.map { X509Certificate.NameAttribute(type: $0.0, value: $0.1) }))
    }
}

import Content
import Platform
import Testing

@testable import Promotion

/// The rules for the signer's chain of certificates (docs/facts/signatures.md#certificate-chains).
@Suite("Notation's chains", .timeLimit(.minutes(1)))
struct NotationChainTests {
    let image = SignatureScene().image.descriptor

    private func problem(_ chain: TestChain, certificates: [[UInt8]]? = nil, lists: [[UInt8]] = []) -> SignatureProblem?
    {
        var made = TestNotation(chain.leaf.key, of: image)
        made.chain = chain
        made.certificates = certificates
        do throws(SignatureProblem) {
            let signature = try NotationSignature(made.jws(), type: NotationSignature.jwsType)
            _ = try TrustStore.test([chain.root], lists: lists).verify(
                signature,
                of: image,
                in: "registry.example/team/app",
                identities: [],
                now: TestCertificate.now
            )
            return nil
        } catch {
            return error
        }
    }

    struct Case: CustomTestStringConvertible, Sendable {
        var testDescription: String
        var reason: String
        var change: @Sendable (inout TestChain) -> Void

        init(_ name: String, _ reason: String, _ change: @escaping @Sendable (inout TestChain) -> Void) {
            (testDescription, self.reason, self.change) = (name, reason, change)
        }
    }

    static let cases: [Case] = [
        Case("an expired signer", "certificate 1 of the chain ('CN=signer, O=Acme, ST=Berlin, C=DE') has expired") {
            $0.leaf.notAfter = TestCertificate.now - 1
        },
        Case("a signer of the future", "is not valid yet") { $0.leaf.notBefore = TestCertificate.now + 1 },
        Case("an expired authority", "certificate 2") { $0.intermediate.notAfter = TestCertificate.now - 1 },
        Case("an expired root", "certificate 3") { $0.root.notAfter = TestCertificate.now - 1 },
        Case("a signer without key usage", "'digital signature' and no other") { $0.leaf.usage = nil },
        Case("a signer that may sign certificates", "'digital signature' and no other") { $0.leaf.usage = 0x84 },
        Case("a signer that may only encrypt", "'digital signature' and no other") { $0.leaf.usage = 0x20 },
        Case("a usage that is not critical", "'digital signature' and no other") { $0.leaf.usageIsCritical = false },
        Case("a server's certificate", "'code signing'") { $0.leaf.purposes = ["1.3.6.1.5.5.7.3.1"] },
        Case("a server's that also signs code", "'code signing'") {
            $0.leaf.purposes = ["1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.1"]
        },
        Case("any purpose", "'code signing'") { $0.leaf.purposes = ["2.5.29.37.0"] },
        Case("a time-stamping certificate", "'code signing'") { $0.leaf.purposes = ["1.3.6.1.5.5.7.3.8"] },
        Case("an authority that signs images", "is a certificate authority's") { $0.leaf.isAuthority = true },
        Case("an authority without constraints", "basic constraints") { $0.intermediate.isAuthority = nil },
        Case("an authority that is none", "basic constraints") { $0.intermediate.isAuthority = false },
        Case("constraints that are not critical", "basic constraints") {
            $0.intermediate.constraintsAreCritical = false
        },
        Case("an authority that may not sign certificates", "'certificate signing'") { $0.intermediate.usage = 0x02 },
        Case("an authority without key usage", "'certificate signing'") { $0.intermediate.usage = nil },
        Case("a root with a path of none", "allows 0 authorities") { $0.root.pathLength = 0 },
        Case("a key that is too weak for the format", "doesn't allow") { $0.intermediate.key = TestKeys.ed25519 },
        Case("an unknown critical extension", "critical extension") {
            $0.leaf.more = [("1.2.3.4.5", true, [0x05, 0x00])]
        },
        Case("a name that the authority may not vouch for", "does not hold") {
            // Name constraints: only names below O=Other.
            let name = TestDER.element(0xA4, TestDER.name([("O", "Other")]))
            let subtrees = TestDER.element(0xA0, TestDER.sequence(name))
            $0.intermediate.more = [("2.5.29.30", true, TestDER.element(0x30, subtrees))]
        },
    ]

    @Test("are refused", arguments: cases)
    func refused(_ one: Case) {
        var chain = TestChain(TestKeys.p256)
        one.change(&chain)
        let problem = problem(chain)
        #expect(problem?.reason.contains(one.reason) == true, "\(problem?.reason ?? "accepted")")
    }

    @Test("hold with what is allowed")
    func allowed() {
        var chain = TestChain(TestKeys.p256)
        #expect(problem(chain) == nil)
        chain.leaf.purposes = nil
        #expect(problem(chain) == nil)
        chain.leaf.isAuthority = false
        #expect(problem(chain) == nil)
        chain.root.pathLength = 1
        chain.intermediate.pathLength = 0
        #expect(problem(chain) == nil)
        chain.leaf.more = [("1.2.3.4.5", false, [0x05, 0x00])]
        #expect(problem(chain) == nil)
        chain.leaf.notAfter = TestCertificate.now + 1
        chain.leaf.notBefore = TestCertificate.now
        #expect(problem(chain) == nil)
    }

    @Test("are in order, whole, and without more")
    func order() {
        let chain = TestChain(TestKeys.p256)
        let der = chain.der
        #expect(problem(chain, certificates: der) == nil)
        let extra = TestCertificate.authority("extra", TestKeys.other).der()
        let wrong = [
            [der[0], der[2], der[1]], [der[0], der[2]], [der[0], der[1]], [der[1], der[2]], [der[2]],
            [der[0], der[1], der[2], extra], [der[0], extra, der[1], der[2]], [der[0], der[1], der[2], der[2]],
            [der[0], der[0], der[1], der[2]], [],
            Array(repeating: der[0], count: 11),
        ]
        for certificates in wrong { #expect(problem(chain, certificates: certificates) != nil) }
    }

    @Test("may be one certificate that the signer signed itself")
    func alone() {
        var leaf = TestCertificate(key: TestKeys.rsa2048, name: "alone")
        var made = TestNotation(leaf.key, of: image)
        made.chain.leaf = leaf
        made.certificates = [leaf.der()]
        func isAccepted(_ trusted: [TestCertificate]) -> Bool {
            guard let signature = try? NotationSignature(made.jws(), type: NotationSignature.jwsType) else {
                return false
            }
            let verdict = try? TrustStore.test(trusted).verify(
                signature,
                of: image,
                in: "r/a",
                identities: [],
                now: TestCertificate.now
            )
            return verdict != nil
        }
        #expect(isAccepted([leaf]))
        #expect(!isAccepted([TestCertificate(key: TestKeys.rsa3072, name: "alone")]))
        leaf.notAfter = TestCertificate.now - 1
        made.certificates = [leaf.der()]
        #expect(!isAccepted([leaf]))
    }

    @Test("are checked against the revocation lists that are given")
    func revocation() {
        var chain = TestChain(TestKeys.p256)
        (chain.leaf.serial, chain.intermediate.serial) = (300, 200)
        let good = TestChain.list(of: chain.intermediate, revoking: [5, 7])
        let rootGood = TestChain.list(of: chain.root, revoking: [])
        #expect(problem(chain, lists: [good, rootGood]) == nil)
        let leafRevoked = TestChain.list(of: chain.intermediate, revoking: [5, 300])
        #expect(problem(chain, lists: [leafRevoked])?.reason.contains("certificate 1") == true)
        #expect(problem(chain, lists: [good, leafRevoked])?.reason.contains("is revoked") == true)
        let authorityRevoked = TestChain.list(of: chain.root, revoking: [200])
        #expect(problem(chain, lists: [good, authorityRevoked])?.reason.contains("certificate 2") == true)
        let forged = TestChain.list(of: chain.intermediate, revoking: [], signedBy: TestKeys.other)
        #expect(problem(chain, lists: [forged])?.reason.contains("did not sign") == true)
        let old = TestChain.list(of: chain.intermediate, revoking: [], nextUpdate: TestCertificate.now - 1)
        #expect(problem(chain, lists: [old])?.kind == .undecided)
        let early = TestChain.list(of: chain.intermediate, revoking: [], thisUpdate: TestCertificate.now + 10)
        #expect(problem(chain, lists: [early])?.kind == .undecided)
        let endless = TestChain.list(of: chain.intermediate, revoking: [], nextUpdate: nil)
        #expect(problem(chain, lists: [endless]) == nil)
        let other = TestChain.list(of: .authority("elsewhere", TestKeys.other), revoking: [300])
        #expect(problem(chain, lists: [other]) == nil)
    }
}

import Platform

/// Keys of every kind, made once for all tests.
enum TestKeys {
    static let p256 = certain(try PrivateKey.generated(.ecdsa(.p256)))
    static let p384 = certain(try PrivateKey.generated(.ecdsa(.p384)))
    static let p521 = certain(try PrivateKey.generated(.ecdsa(.p521)))
    static let rsa2048 = certain(try PrivateKey.generated(.rsa(bits: 2_048)))
    static let rsa3072 = certain(try PrivateKey.generated(.rsa(bits: 3_072)))
    static let rsa4096 = certain(try PrivateKey.generated(.rsa(bits: 4_096)))
    static let ed25519 = certain(try PrivateKey.generated(.ed25519))
    /// One that is in no trust store.
    static let other = certain(try PrivateKey.generated(.ecdsa(.p256)))

    static let all = [p256, p384, p521, rsa2048, rsa3072, rsa4096, ed25519]
    /// Those that Notation allows.
    static let notation = [p256, p384, p521, rsa2048, rsa3072, rsa4096]
}

/// A certificate as tests describe it.
struct TestCertificate {
    /// The time at which tests verify: 1 January 2027.
    static let now: Int64 = 1_798_761_600
    static let year: Int64 = 365 * 86_400

    var key: PrivateKey
    var name = "signer"
    /// Further parts of the name, before the common name.
    var organization: [(type: String, value: String)] = [("C", "DE"), ("ST", "Berlin"), ("O", "Acme")]
    var serial = 7
    var notBefore = now - year
    var notAfter = now + year
    /// The bits of the key usage: 7 is the highest, digital signature; `nil` for no such extension.
    var usage: UInt8? = 0x80
    var usageIsCritical = true
    var purposes: [String]? = ["1.3.6.1.5.5.7.3.3"]
    /// Whether it is an authority; `nil` for no such extension.
    var isAuthority: Bool?
    var pathLength: Int?
    var constraintsAreCritical = true
    /// More extensions, as identifier, critical, content.
    var more: [(identifier: String, isCritical: Bool, content: [UInt8])] = []
    /// The hash of the certificate's signature, where another than the issuing key's is wanted.
    var hash: SignatureHash?

    static func authority(_ name: String, _ key: PrivateKey, pathLength: Int? = nil) -> TestCertificate {
        var certificate = TestCertificate(key: key, name: name)
        (certificate.usage, certificate.purposes) = (0x06, nil)
        (certificate.isAuthority, certificate.pathLength) = (true, pathLength)
        certificate.serial = 1
        return certificate
    }

    var subject: [UInt8] { TestDER.name(organization + [("CN", name)]) }

    /// The certificate, signed by an issuer; `nil` for its own key.
    func der(issuedBy issuer: TestCertificate? = nil) -> [UInt8] {
        let issuer = issuer ?? self
        let scheme = hash.map { issuer.key.kind.scheme($0) } ?? issuer.key.kind.defaultScheme
        let algorithm = TestDER.algorithm(scheme)
        var extensions: [[UInt8]] = []
        func add(_ identifier: String, _ isCritical: Bool, _ content: [UInt8]) {
            extensions.append(
                TestDER.sequence(
                    TestDER.identifier(identifier),
                    isCritical ? TestDER.yes : [],
                    TestDER.element(0x04, content)
                )
            )
        }
        if let usage {
            let unused = usage == 0 ? 0 : UInt8(usage.trailingZeroBitCount)
            add("2.5.29.15", usageIsCritical, TestDER.element(0x03, [unused, usage]))
        }
        if let purposes {
            add("2.5.29.37", false, TestDER.element(0x30, purposes.flatMap(TestDER.identifier)))
        }
        if let isAuthority {
            let content = (isAuthority ? TestDER.yes : []) + (pathLength.map(TestDER.integer) ?? [])
            add("2.5.29.19", constraintsAreCritical, TestDER.element(0x30, content))
        }
        for one in more { add(one.identifier, one.isCritical, one.content) }
        let body = TestDER.sequence(
            TestDER.element(0xA0, TestDER.integer(2)),
            TestDER.integer(serial),
            algorithm,
            issuer.subject,
            TestDER.sequence(TestDER.time(notBefore), TestDER.time(notAfter)),
            subject,
            key.publicKey.spki,
            extensions.isEmpty ? [] : TestDER.element(0xA3, TestDER.element(0x30, extensions.flatMap { $0 }))
        )
        return TestDER.sequence(body, algorithm, TestDER.bits(certain(try issuer.key.sign(body, scheme))))
    }
}

/// A chain of three certificates: signer, intermediate authority, root.
struct TestChain {
    var leaf: TestCertificate
    var intermediate = TestCertificate.authority("intermediate", TestKeys.p384)
    /// Signed with RSA, so that it has the same bytes each time that it is made.
    var root = TestCertificate.authority("root", TestKeys.rsa2048)

    init(_ key: PrivateKey) { leaf = TestCertificate(key: key) }

    /// From the signer's certificate to the root.
    var der: [[UInt8]] { [leaf.der(issuedBy: intermediate), intermediate.der(issuedBy: root), root.der()] }

    /// A revocation list of one of the authorities.
    static func list(
        of authority: TestCertificate,
        revoking serials: [Int],
        thisUpdate: Int64 = TestCertificate.now - 3_600,
        nextUpdate: Int64? = TestCertificate.now + 3_600,
        signedBy key: PrivateKey? = nil
    ) -> [UInt8] {
        let key = key ?? authority.key
        let algorithm = TestDER.algorithm(key.kind.defaultScheme)
        let entries = serials.flatMap { TestDER.sequence(TestDER.integer($0), TestDER.time(thisUpdate)) }
        let body = TestDER.sequence(
            TestDER.integer(1),
            algorithm,
            authority.subject,
            TestDER.time(thisUpdate),
            nextUpdate.map(TestDER.time) ?? [],
            serials.isEmpty ? [] : TestDER.element(0x30, entries)
        )
        return TestDER.sequence(body, algorithm, TestDER.bits(certain(try key.sign(body))))
    }
}

import Content
import Platform
import Testing

@testable import Promotion

@Suite("The signature gate", .timeLimit(.minutes(2)))
struct SignatureGateTests {
    private func decide(_ scene: SignatureScene, _ gate: SignatureGate) async throws -> GateDecision {
        try await gate.decide(about: scene.candidate)
    }

    private func words(_ decision: GateDecision) -> String {
        ([decision.reason] + decision.evidence.map(\.text)).joined(separator: "\n")
    }

    @Test("passes cosign's tag, bundle and referrer, for every kind of key", arguments: TestKeys.all.indices)
    func forms(_ index: Int) async throws {
        let key = TestKeys.all[index]
        let gate = SignatureGate.test([.test(key)])
        for scheme in key.publicKey.sigstoreSchemes {
            var scenes = Array(repeating: SignatureScene(), count: 5)
            scenes[0].signWithTag(key, scheme)
            scenes[1].signWithBundle(key, scheme)
            scenes[2].refer(SimpleSigning.artifactType, [scenes[2].simpleLayer(key, scheme)])
            scenes[3].refer(SimpleSigning.artifactType, [scenes[3].simpleLayer(key, scheme)], isConfigType: true)
            scenes[4].attach(bundle: TestSigner.messageBundle(scenes[4].image.bytes, key, scheme))
            for scene in scenes {
                let decision = try await decide(scene, gate)
                #expect(decision.result == .passed, "\(words(decision))")
                #expect(decision.evidence.count == 1)
                #expect(decision.evidence.first?.text.contains("'cosign.pub' (\(key.kind))") == true)
                #expect(decision.evidence.first?.digest != nil)
            }
        }
    }

    @Test("refuses a scheme that is not the key's own")
    func schemes() async throws {
        for (key, scheme) in [
            (TestKeys.rsa2048, SignatureScheme.rsaPKCS1(.sha512)), (TestKeys.p256, .ecdsa(.sha512)),
            (TestKeys.p384, .ecdsa(.sha512)), (TestKeys.p256, .ecdsaRaw(.sha256)),
        ] {
            var scene = SignatureScene()
            scene.signWithTag(key, scheme)
            #expect(try await decide(scene, .test([.test(key)])).result == .failed)
        }
    }

    @Test("passes Notation's envelopes, for every kind of key", arguments: TestKeys.notation.indices)
    func notation(_ index: Int) async throws {
        for type in [NotationSignature.jwsType, NotationSignature.coseType] {
            var scene = SignatureScene()
            let made = TestNotation(TestKeys.notation[index], of: scene.image.descriptor)
            scene.attach(notation: made.envelope(type), type)
            let key = SignatureKey(argument: "trust", content: .store(.test([made.chain.root])))
            let decision = try await decide(scene, .test([key]))
            #expect(decision.result == .passed, "\(words(decision))")
            #expect(words(decision).contains("CN=signer, O=Acme, ST=Berlin, C=DE"))
            #expect(words(decision).contains("revocation not checked"))
        }
    }

    @Test("fails without any signature, and names the key")
    func none() async throws {
        let decision = try await decide(SignatureScene(), .test([.test(TestKeys.p256)]))
        #expect(decision.result == .failed)
        #expect(decision.reason.contains("cosign.pub"))
        #expect(decision.remedy != nil)
    }

    @Test("takes a signature by another key for no error where one fits")
    func others() async throws {
        var scene = SignatureScene()
        scene.tag("sig", [scene.simpleLayer(TestKeys.other), scene.simpleLayer(TestKeys.p256)])
        scene.signWithBundle(TestKeys.other)
        let decision = try await decide(scene, .test([.test(TestKeys.p256)]))
        #expect(decision.result == .passed)
        #expect(decision.evidence.count == 3)
        #expect(decision.evidence.count { $0.text.contains("by a key that was not given") } == 2)
        #expect(try await decide(scene, .test([.test(TestKeys.p384)])).result == .failed)
    }

    @Test("wants every key that is given, and one of those that a file has")
    func every() async throws {
        var scene = SignatureScene()
        scene.tag("sig", [scene.simpleLayer(TestKeys.p256), scene.simpleLayer(TestKeys.rsa2048)])
        let both = SignatureGate.test([.test(TestKeys.p256, "a"), .test(TestKeys.rsa2048, "b")])
        #expect(try await decide(scene, both).result == .passed)
        let three = SignatureGate.test([.test(TestKeys.p256, "a"), .test(TestKeys.ed25519, "c")])
        let decision = try await decide(scene, three)
        #expect(decision.result == .failed)
        #expect(decision.reason.contains("'c'"))
        let file = SignatureKey(
            argument: "keys.pem",
            content: .keys([TestKeys.ed25519.publicKey, TestKeys.rsa2048.publicKey])
        )
        #expect(try await decide(scene, .test([file])).result == .passed)
    }

    @Test("refuses a valid signature of another image, in every form")
    func otherImage() async throws {
        let other = SignatureScene(SignatureScene.imageManifest("two")).image
        var scenes = Array(repeating: SignatureScene(), count: 5)
        scenes[0].tag("sig", [scenes[0].simpleLayer(TestKeys.p256, of: other.digest)])
        let statement = TestSigner.statement(other.digest.hex)
        scenes[1].attach(bundle: TestSigner.bundle(TestSigner.envelope(statement, TestKeys.p256)))
        scenes[2].attach(bundle: TestSigner.messageBundle(other.bytes, TestKeys.p256))
        let made = TestNotation(TestKeys.p256, of: other.descriptor)
        scenes[3].attach(notation: made.jws(), NotationSignature.jwsType)
        scenes[4].attach(notation: made.cose(), NotationSignature.coseType)
        let keys = SignatureKey(argument: "trust", content: .store(.test([made.chain.root])))
        for (place, scene) in scenes.enumerated() {
            let decision = try await decide(scene, .test([place < 3 ? .test(TestKeys.p256) : keys]))
            #expect(decision.result == .failed)
            #expect(words(decision).contains("another image"), "\(words(decision))")
        }
    }

    @Test("refuses what a signed payload must not say")
    func payloads() async throws {
        let digest = SignatureScene().image.digest.description
        let texts = [
            String(decoding: TestSigner.simplePayload(digest, type: "atomic container signature"), as: UTF8.self),
            #"{"critical":{"image":{},"type":"cosign container image signature"}}"#,
            #"{"critical":{"image":{"docker-manifest-digest":"\#(digest)","Docker-manifest-digest":"\#(digest)"},"type":"cosign container image signature"}}"#,
            #"{"critical":{"image":{"docker-manifest-digest":"sha256:00"},"image":{"docker-manifest-digest":"\#(digest)"},"type":"cosign container image signature"}}"#,
            #"{"critical":{"image":{"docker-manifest-digest":"\#(digest)"},"type":"cosign container image signature"},"Critical":{}}"#,
            "\(digest)", "",
        ]
        for text in texts {
            var scene = SignatureScene()
            scene.tag("sig", [scene.simpleLayer(TestKeys.p256, payload: Array(text.utf8))])
            #expect(try await decide(scene, .test([.test(TestKeys.p256)])).result == .failed, "\(text)")
        }
    }

    @Test("refuses envelopes and statements that are not those of a signature")
    func envelopes() async throws {
        let hex = SignatureScene().image.digest.hex
        let good = TestSigner.statement(hex)
        var two = TestSigner.envelope(good, TestKeys.p256)
        two.signatures += two.signatures
        var none = two
        none.signatures = []
        let bundles = [
            TestSigner.bundle(TestSigner.envelope(good, TestKeys.p256, type: "application/json")),
            TestSigner.bundle(
                TestSigner.envelope(TestSigner.statement(hex, "https://slsa.dev/provenance/v1"), TestKeys.p256)
            ),
            TestSigner.bundle(
                TestSigner.envelope(TestSigner.statement(hex, type: "https://in-toto.io/Statement/v9"), TestKeys.p256)
            ),
            TestSigner.bundle(
                TestSigner.envelope(good, TestKeys.p256),
                mediaType: "application/vnd.dev.sigstore.bundle.v0.4+json"
            ),
            TestSigner.bundle(two), TestSigner.bundle(none),
            Array(
                String(decoding: TestSigner.bundle(two), as: UTF8.self).replacing(
                    "}]}}",
                    with: "}]},\"messageSignature\":{}}"
                ).utf8
            ),
        ]
        for bundle in bundles {
            var scene = SignatureScene()
            scene.attach(bundle: bundle)
            #expect(try await decide(scene, .test([.test(TestKeys.p256)])).result == .failed)
        }
    }

    @Test("says of keyless signatures that it doesn't verify them")
    func keyless() async throws {
        var scene = SignatureScene()
        let envelope = TestSigner.envelope(TestSigner.statement(scene.image.digest.hex), TestKeys.other)
        scene.attach(
            bundle: TestSigner.bundle(envelope, material: #"{"certificate":{"rawBytes":"AA=="},"tlogEntries":[]}"#)
        )
        var layer = scene.simpleLayer(TestKeys.other)
        layer.annotations[SimpleSigning.certificateAnnotation] = "-----BEGIN CERTIFICATE-----"
        scene.tag("sig", [layer])
        let decision = try await decide(scene, .test([.test(TestKeys.p256)]))
        #expect(decision.result == .failed)
        #expect(decision.evidence.count { $0.text.contains("keyless") } == 2)
    }

    @Test("wants the index to be signed, or each of its images")
    func index() async throws {
        var scene = SignatureScene(childrenOf: ["amd64", "arm64"])
        let children = scene.image.children.map(\.digest)
        for child in children { scene.signWithTag(TestKeys.p256, of: child) }
        #expect(try await decide(scene, .test([.test(TestKeys.p256)])).result == .failed)
        #expect(try await decide(scene, .test([.test(TestKeys.p256)], signsChildren: true)).result == .passed)
        scene.source.tags[try Tag(parsing: "sha256-\(children[1].hex).sig")] = nil
        let lacking = try await decide(scene, .test([.test(TestKeys.p256)], signsChildren: true))
        #expect(lacking.result == .failed)
        #expect(lacking.reason.contains(children[1].description))
        scene.signWithBundle(TestKeys.p256)
        #expect(try await decide(scene, .test([.test(TestKeys.p256)])).result == .passed)
    }

    @Test("reads referrers whose type the list doesn't name, and the fallback tag")
    func listings() async throws {
        var unnamed = SignatureScene()
        let bundle = TestSigner.bundle(
            TestSigner.envelope(TestSigner.statement(unnamed.image.digest.hex), TestKeys.p256)
        )
        let type = "application/vnd.dev.sigstore.bundle.v0.3+json"
        unnamed.refer(type, [unnamed.blob(bundle, type)], listsType: false)
        #expect(try await decide(unnamed, .test([.test(TestKeys.p256)])).result == .passed)

        var fallback = SignatureScene()
        let referrer = fallback.signWithBundle(TestKeys.p256)
        let entry = try #require(fallback.source.manifests[referrer]).descriptor
        let index = """
            {"schemaVersion":2,"mediaType":"\(MediaType.ociIndex)","manifests":[{"mediaType":"\(entry.mediaType)",\
            "digest":"\(entry.digest)","size":\(entry.size),"artifactType":"\(type)"}]}
            """
        let list = try Manifest(bytes: Array(index.utf8))
        fallback.source.referrers = nil
        fallback.source.manifests[list.digest] = list
        fallback.source.tags[try Tag(parsing: "sha256-\(fallback.image.digest.hex)")] = list.digest
        #expect(try await decide(fallback, .test([.test(TestKeys.p256)])).result == .passed)
    }

    @Test("ignores a referrer of another image, and one with several layers is refused")
    func referrers() async throws {
        var scene = SignatureScene()
        let other = SignatureScene.imageManifest("two")
        let digest = scene.signWithBundle(TestKeys.p256)
        let elsewhere = SignatureScene(other)
        var moved = elsewhere
        moved.source.manifests.merge(scene.source.manifests) { $1 }
        moved.source.blobs = scene.source.blobs
        moved.source.referrers = [other.digest: [try #require(scene.source.manifests[digest]).descriptor]]
        #expect(try await decide(moved, .test([.test(TestKeys.p256)])).result == .failed)

        var many = SignatureScene()
        let type = "application/vnd.dev.sigstore.bundle.v0.3+json"
        let bundle = TestSigner.bundle(TestSigner.envelope(TestSigner.statement(many.image.digest.hex), TestKeys.p256))
        many.refer(type, [many.blob(bundle, type), many.blob(bundle, type)])
        let decision = try await decide(many, .test([.test(TestKeys.p256)]))
        #expect(decision.result != .passed)
    }

    @Test("is undecided when something can't be read, and passes all the same when a signature fits")
    func unreadable() async throws {
        var scene = SignatureScene()
        let digest = scene.signWithBundle(TestKeys.p256)
        let blob = try #require(scene.source.manifests[digest]?.layers.first?.digest)
        scene.source.blobs[blob] = nil
        let decision = try await decide(scene, .test([.test(TestKeys.p256)]))
        #expect(decision.result == .unknown)
        #expect(words(decision).contains("no blob"))
        scene.signWithTag(TestKeys.p256)
        #expect(try await decide(scene, .test([.test(TestKeys.p256)])).result == .passed)
    }

    @Test("is undecided when a key in KMS is not available, and fetches it when it is")
    func kms() async throws {
        struct Loader: SignatureKeyLoading {
            var keys: [String: PublicKey] = [:]
            func publicKey(inKMS name: String) async throws -> PublicKey {
                guard let key = keys[name] else { throw FakeGateSource.Missing(description: "no key") }
                return key
            }
        }
        var scene = SignatureScene()
        scene.signWithTag(TestKeys.p256)
        let key = try SignatureKey(argument: "awskms:///alias/release")
        var gate = SignatureGate.test([key])
        #expect(try await decide(scene, gate).result == .unknown)
        gate.loader = Loader()
        #expect(try await decide(scene, gate).result == .unknown)
        gate.loader = Loader(keys: ["alias/release": TestKeys.p256.publicKey])
        #expect(try await decide(scene, gate).result == .passed)
        gate.loader = Loader(keys: ["alias/release": TestKeys.other.publicKey])
        #expect(try await decide(scene, gate).result == .failed)
    }

    @Test("reads no more than its limits, and says so")
    func limits() async throws {
        var scene = SignatureScene()
        for number in 0...SignatureLimits.manifests {
            scene.attach(bundle: Array("{\"number\":\(number)}".utf8))
        }
        let flooded = try await decide(scene, .test([.test(TestKeys.p256)]))
        #expect(flooded.result == .unknown)
        #expect(words(flooded).contains("\(SignatureLimits.manifests + 1) referrers"))

        var many = SignatureScene()
        let layer = many.simpleLayer(TestKeys.other)
        many.tag("sig", Array(repeating: layer, count: SignatureLimits.signatures) + [many.simpleLayer(TestKeys.p256)])
        let crowded = try await decide(many, .test([.test(TestKeys.p256)]))
        #expect(crowded.result == .unknown)
        #expect(words(crowded).contains("1 signatures that were not read"))

        var large = SignatureScene()
        var oversized = large.simpleLayer(TestKeys.p256)
        oversized.size = Int64(SignatureLimits.blobByteCount) + 1
        large.tag("sig", [oversized])
        #expect(try await decide(large, .test([.test(TestKeys.p256)])).result == .unknown)
    }

    @Test("has nothing to decide without a key")
    func noKeys() async throws {
        #expect(try await decide(SignatureScene(), .test([])).result == .unknown)
    }
}

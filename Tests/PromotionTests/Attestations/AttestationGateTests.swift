import Content
import Platform
import Testing

@testable import Promotion

@Suite("The attestation gate", .timeLimit(.minutes(1)))
struct AttestationGateTests {
    static let spdx = "https://spdx.dev/Document"
    static let provenance = "https://slsa.dev/provenance/v1"

    private func decide(
        _ scene: SignatureScene,
        _ types: [(AttestationType, PrivateKey?)],
        _ provenance: ProvenanceExpectation = .init(),
        attestsChildren: Bool = false
    ) async throws -> GateDecision {
        let requirements = types.map { type, key in
            AttestationRequirement(type: type, key: key.map { .test($0) })
        }
        return try await AttestationGate(
            requirements: requirements,
            provenance: provenance,
            attestsChildren: attestsChildren
        ).decide(about: scene.candidate)
    }

    private func words(_ decision: GateDecision) -> String {
        ([decision.reason] + decision.evidence.map(\.text)).joined(separator: "\n")
    }

    private func bundle(_ scene: SignatureScene, _ type: String, _ key: PrivateKey, predicate: String = "{}") -> [UInt8]
    {
        TestSigner.bundle(
            TestSigner.envelope(TestSigner.statement(scene.image.digest.hex, type, predicate: predicate), key)
        )
    }

    @Test("passes signed attestations under the tag, as referrers and in bundles", arguments: TestKeys.all.indices)
    func forms(_ index: Int) async throws {
        let key = TestKeys.all[index]
        var scenes = Array(repeating: SignatureScene(), count: 3)
        let envelope = TestSigner.envelope(TestSigner.statement(scenes[0].image.digest.hex, Self.spdx), key)
        scenes[0].tag("att", [scenes[0].blob(envelope.json, DSSEEnvelope.mediaType)])
        scenes[1].refer(DSSEEnvelope.statementType, [scenes[1].blob(envelope.json, DSSEEnvelope.mediaType)])
        scenes[2].attach(bundle: TestSigner.bundle(envelope))
        for scene in scenes {
            let decision = try await decide(scene, [(.spdx, key)])
            #expect(decision.result == .passed, "\(words(decision))")
            #expect(words(decision).contains("'https://spdx.dev/Document', signed by 'cosign.pub'"))
            #expect(try await decide(scene, [(.spdx, TestKeys.other)]).result == .failed)
            #expect(try await decide(scene, [(.cycloneDX, key)]).result == .failed)
            #expect(try await decide(scene, [(.spdx, nil)]).result == .passed)
        }
    }

    @Test("says that an attestation is unsigned, and takes it only where no key is given")
    func unsigned() async throws {
        var scene = SignatureScene()
        let statement = TestSigner.statement(scene.image.digest.hex, Self.spdx)
        scene.refer(DSSEEnvelope.statementType, [scene.blob(statement, DSSEEnvelope.statementType)])
        scene.refer("application/vnd.cyclonedx+json", [scene.blob(Array("{}".utf8), "application/vnd.cyclonedx+json")])
        let open = try await decide(scene, [(.spdx, nil), (.cycloneDX, nil)])
        #expect(open.result == .passed)
        #expect(open.evidence.count { $0.text.contains("unsigned") } == 2)
        #expect(try await decide(scene, [(.spdx, TestKeys.p256)]).result == .failed)
        #expect(try await decide(scene, [(.cycloneDX, TestKeys.p256)]).result == .failed)
    }

    @Test("counts BuildKit's in the index as unsigned, and wants one for each image")
    func buildKit() async throws {
        let whole = SignatureScene(childrenOf: ["amd64", "arm64"]) { digest in
            [(Self.spdx, TestSigner.statement(digest.hex, Self.spdx, type: "https://in-toto.io/Statement/v0.1"))]
        }
        let decision = try await decide(whole, [(.spdx, nil)])
        #expect(decision.result == .passed, "\(words(decision))")
        #expect(decision.evidence.allSatisfy { $0.text.contains("unsigned") })
        #expect(try await decide(whole, [(.spdx, TestKeys.p256)]).result == .failed)
        let half = SignatureScene(childrenOf: ["amd64", "arm64"]) { digest in
            digest == SignatureScene.imageManifest("amd64").digest
                ? [(Self.spdx, TestSigner.statement(digest.hex, Self.spdx))] : []
        }
        let lacking = try await decide(half, [(.spdx, nil)])
        #expect(lacking.result == .failed)
        #expect(lacking.reason.contains("some images"))
        let other = SignatureScene(childrenOf: ["amd64"]) { _ in
            [(Self.spdx, TestSigner.statement(String(repeating: "0", count: 64), Self.spdx))]
        }
        #expect(try await decide(other, [(.spdx, nil)]).result == .failed)
    }

    @Test("wants each image of an index to have its own where that is asked for")
    func children() async throws {
        var scene = SignatureScene(childrenOf: ["amd64", "arm64"])
        for child in scene.image.children {
            let manifest = try #require(scene.source.manifests[child.digest])
            let statement = TestSigner.statement(child.digest.hex, Self.spdx)
            scene.attach(bundle: TestSigner.bundle(TestSigner.envelope(statement, TestKeys.p256)), to: manifest)
        }
        #expect(try await decide(scene, [(.spdx, TestKeys.p256)]).result == .failed)
        #expect(try await decide(scene, [(.spdx, TestKeys.p256)], attestsChildren: true).result == .passed)
    }

    @Test("refuses a statement about another image")
    func otherImage() async throws {
        var scene = SignatureScene()
        let statement = TestSigner.statement(String(repeating: "a", count: 64), Self.spdx)
        scene.attach(bundle: TestSigner.bundle(TestSigner.envelope(statement, TestKeys.p256)))
        let decision = try await decide(scene, [(.spdx, TestKeys.p256)])
        #expect(decision.result == .failed)
        #expect(decision.reason.contains("another image"))
    }

    static let predicates = [
        #"{"buildDefinition":{"externalParameters":{"workflow":{"repository":"https://github.com/acme/app"}}},"runDetails":{"builder":{"id":"https://ci/b"}}}"#,
        #"{"buildDefinition":{"externalParameters":{"source":"git+https://GitHub.com/acme/app.git@refs/heads/main"}},"runDetails":{"builder":{"id":"https://ci/b"}}}"#,
        #"{"buildDefinition":{"resolvedDependencies":[{"uri":"git+https://github.com/acme/app@refs/tags/v1"}]},"runDetails":{"builder":{"id":"https://ci/b"}}}"#,
        #"{"builder":{"id":"https://ci/b"},"invocation":{"configSource":{"uri":"git+https://github.com/acme/app@main"}},"materials":[]}"#,
    ]

    @Test("checks builder and source of a provenance", arguments: predicates.indices)
    func provenance(_ index: Int) async throws {
        var scene = SignatureScene()
        let type = index == 3 ? "https://slsa.dev/provenance/v0.2" : Self.provenance
        scene.attach(bundle: bundle(scene, type, TestKeys.p256, predicate: Self.predicates[index]))
        let types = [(AttestationType.provenance, TestKeys.p256 as PrivateKey?)]
        func result(_ builder: String?, _ repository: String?) async throws -> GateDecision.Result {
            try await decide(scene, types, .init(builder: builder, repository: repository)).result
        }
        #expect(try await result("https://ci/b", "https://github.com/acme/app") == .passed)
        #expect(try await result("https://ci/b", nil) == .passed)
        #expect(try await result(nil, "github.com/acme/app") == .passed)
        #expect(try await result("https://ci/other", nil) == .failed)
        #expect(try await result("https://ci", nil) == .failed)
        #expect(try await result(nil, "github.com/acme/other") == .failed)
        #expect(try await result(nil, "github.com/acme") == .failed)
    }

    @Test("takes the source from what the build was told, not from what it fetched")
    func fetched() async throws {
        let predicates = [
            #"{"buildDefinition":{"externalParameters":{"source":"https://github.com/evil/app"},"resolvedDependencies":[{"uri":"https://github.com/acme/app"}]}}"#,
            #"{"buildDefinition":{"resolvedDependencies":[{"uri":"https://github.com/evil/app"},{"uri":"https://github.com/acme/app"}]}}"#,
        ]
        for predicate in predicates {
            var scene = SignatureScene()
            scene.attach(bundle: bundle(scene, Self.provenance, TestKeys.p256, predicate: predicate))
            let decision = try await decide(
                scene,
                [(.provenance, TestKeys.p256)],
                .init(repository: "https://github.com/acme/app")
            )
            #expect(decision.result == .failed)
            #expect(decision.reason.contains("evil"))
        }
    }

    @Test("checks the provenance that a key must have signed, also where it is named by its predicate type")
    func provenanceByType() async throws {
        let expectation = ProvenanceExpectation(builder: "https://ci/b")
        let named = [try #require(AttestationType(Self.provenance)), try #require(AttestationType("slsaprovenance"))]
        for type in named {
            var scene = SignatureScene()
            let honest = #"{"runDetails":{"builder":{"id":"https://ci/other"}}}"#
            scene.attach(bundle: bundle(scene, Self.provenance, TestKeys.p256, predicate: honest))
            // Anyone who may push can add one that names the builder.
            let forged = #"{"runDetails":{"builder":{"id":"https://ci/b"}}}"#
            let statement = TestSigner.statement(scene.image.digest.hex, Self.provenance, predicate: forged)
            scene.refer(DSSEEnvelope.statementType, [scene.blob(statement, DSSEEnvelope.statementType)])
            let decision = try await decide(scene, [(type, TestKeys.p256)], expectation)
            #expect(decision.result == .failed, "\(words(decision))")
        }
        #expect(try #require(AttestationType("https://spdx.dev/Document")).isProvenance == false)
        #expect(try #require(AttestationType("https://slsa.dev/provenance")).isProvenance)
    }

    @Test("refuses to check the builder of a provenance that is not required")
    func provenanceNotRequired() throws {
        var settings = GateSettings()
        (settings.attestations, settings.provenanceBuilder) = (["spdx"], "https://ci/b")
        let surroundings = GateSet.Surroundings(variables: [:])
        let problem = #expect(throws: GateProblem.self) { try GateSet(settings, in: surroundings) }
        #expect(problem?.remedy == "require one: slsaprovenance:KEY")
        settings.attestations.append("https://slsa.dev/provenance/v1")
        #expect(throws: Never.self) { try GateSet(settings, in: surroundings) }
    }

    @Test("adds the requirement of a provenance where its builder is asked for")
    func implied() async throws {
        #expect(try await decide(SignatureScene(), [], .init(builder: "https://ci/b")).result == .failed)
        #expect(try await decide(SignatureScene(), []).result == .unknown)
    }

    @Test("is undecided when an attestation can't be read")
    func unreadable() async throws {
        var scene = SignatureScene()
        scene.attach(bundle: bundle(scene, Self.spdx, TestKeys.p256))
        scene.source.blobs = [:]
        #expect(try await decide(scene, [(.spdx, TestKeys.p256)]).result == .unknown)
    }

    @Test("reads its arguments")
    func arguments() throws {
        let plain = try AttestationRequirement(argument: "spdx")
        #expect(plain.type == .spdx && plain.key == nil)
        let kms = try AttestationRequirement(argument: "cyclonedx:awskms:///arn:aws:kms:eu-west-1:1:key/2")
        #expect(kms.type == .cycloneDX && kms.key?.argument == "awskms:///arn:aws:kms:eu-west-1:1:key/2")
        let full = try AttestationRequirement(argument: "https://acme.example/audit/v1:awskms:///alias/a")
        #expect(full.type.name == "https://acme.example/audit/v1" && full.key?.argument == "awskms:///alias/a")
        for wrong in ["", "sbom", "spdx:", "spdx:/nonexistent/key.pem", ":key"] {
            let failure = #expect(throws: AttestationRequirement.Failure.self) {
                try AttestationRequirement(argument: wrong)
            }
            #expect(failure?.description.contains("\nnext: ") == true)
        }
    }

    @Test("knows the versions of its predicate types, and no others")
    func predicateTypes() {
        #expect(AttestationType.cycloneDX.includes("https://cyclonedx.org/bom/v1.6"))
        #expect(AttestationType.provenance.includes("https://slsa.dev/provenance/v0.2"))
        #expect(!AttestationType.provenance.includes("https://slsa.dev/provenance/v1/more"))
        #expect(!AttestationType.provenance.includes("https://slsa.dev/provenances"))
        #expect(!AttestationType.spdx.includes("https://spdx.dev/Documents"))
    }
}

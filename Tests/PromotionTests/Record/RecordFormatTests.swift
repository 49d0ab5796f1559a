import Content
import Foundation
import Platform
import Replicate
import Testing

@testable import Promotion

/// The bytes of records, which others keep and check: a change here breaks them.
@Suite("The format of records")
struct RecordFormatTests {
    static let image = Digest(of: Array("image".utf8))
    static let before = Digest(of: Array("before".utf8))
    static let rules = Digest(of: Array("rules".utf8))

    static func record(gates: [GateDecision]? = nil) -> PromotionRecord {
        PromotionRecord(
            formatVersion: 1,
            action: .promote,
            decidedAt: "2026-01-15T12:00:00.000Z",
            by: RecordStage.promoter,
            reason: "CHG-1",
            image: .init(digest: image, mediaType: "application/vnd.oci.image.index.v1+json", size: 1_234),
            from: .init(repository: "build.example/team/app", tag: "v1"),
            to: .init(repository: "prod.example/prod/app", tag: nil),
            tags: [.init(tag: "v1", outcome: .moved, before: before)],
            policy: gates == nil ? nil : .init(name: "rules.yaml#releases", digest: rules),
            gates: gates.map { $0.map(PromotionRecord.Gate.init) },
            undoes: nil,
            repeats: nil,
            tool: .init(name: "ecr-replicate", version: "0.1.0")
        )
    }

    private static let ownText = """
        {"action":"promote","by":"arn:aws:sts::444455556666:assumed-role/promoter/ci",\
        "decidedAt":"2026-01-15T12:00:00.000Z","formatVersion":1,\
        "from":{"repository":"build.example/team/app","tag":"v1"},\
        "image":{"digest":"\(image)","mediaType":"application/vnd.oci.image.index.v1+json","size":1234},\
        "reason":"CHG-1","tags":[{"before":"\(before)","outcome":"moved","tag":"v1"}],\
        "to":{"repository":"prod.example/prod/app"},"tool":{"name":"ecr-replicate","version":"0.1.0"}}
        """

    @Test("a record without gates is a statement with the record as its predicate")
    func plain() throws {
        let json = String(decoding: try RecordStatement(Self.record()).json(), as: UTF8.self)
        #expect(
            json == """
                {"_type":"https://in-toto.io/Statement/v1","predicate":\(Self.ownText),\
                "predicateType":"https://ecr-replicate.invalid/promotion/v1",\
                "subject":[{"digest":{"sha256":"\(Self.image.hex)"},"name":"prod.example/prod/app"}]}
                """
        )
    }

    @Test("a record with gates is a SLSA verification summary that holds it")
    func summary() throws {
        let json = try RecordStatement(Self.record(gates: [passedScan])).json()
        let statement = try #require(try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any])
        #expect(statement["predicateType"] as? String == "https://slsa.dev/verification_summary/v1")
        let predicate = try #require(statement["predicate"] as? [String: Any])
        #expect(
            Set(predicate.keys) == [
                "verifier", "timeVerified", "resourceUri", "policy", "inputAttestations", "verificationResult",
                "verifiedLevels", "slsaVersion", "https://ecr-replicate.invalid/promotion/v1",
            ]
        )
        let verifier = try #require(predicate["verifier"] as? [String: Any])
        #expect(verifier["id"] as? String == "https://ecr-replicate.invalid/promote")
        #expect(verifier["version"] as? [String: String] == ["ecr-replicate": "0.1.0"])
        #expect(predicate["resourceUri"] as? String == "prod.example/prod/app@\(Self.image)")
        #expect(predicate["verificationResult"] as? String == "PASSED")
        #expect(predicate["verifiedLevels"] as? [String] == ["SLSA_BUILD_LEVEL_UNEVALUATED"])
        let policy = try #require(predicate["policy"] as? [String: Any])
        #expect(policy["uri"] as? String == "rules.yaml#releases")
        #expect(policy["digest"] as? [String: String] == ["sha256": Self.rules.hex])
        let evidence = try #require(passedScan.evidence.first?.digest)
        let inputs = try #require(predicate["inputAttestations"] as? [[String: Any]])
        #expect(inputs.map { $0["digest"] as? [String: String] } == [["sha256": evidence.hex]])
        let read = try RecordStatement(payload: json, about: Self.image)
        #expect(read.record == Self.record(gates: [passedScan]))
    }

    @Test("a gate with much evidence is recorded in part, and the summary then names no inputs")
    func muchEvidence() throws {
        let many = (0..<150).map { GateDecision.Evidence("e\($0)", digest: Digest(of: Array("\($0)".utf8))) }
        let gate = GateDecision("signature", .passed, "ok", evidence: many)
        let json = try RecordStatement(Self.record(gates: [gate])).json()
        let text = String(decoding: json, as: UTF8.self)
        #expect(!text.contains("inputAttestations") && text.contains("\"evidenceLeftOut\":50"))
    }

    @Test("the manifest of a signed record is a Sigstore bundle's, and that of an unsigned one is not")
    func manifests() throws {
        let subject = Descriptor(mediaType: .ociIndex, digest: Self.image, size: 1_234)
        let key = try PrivateKey.generated(.ecdsa(.p256))
        for isSigned in [true, false] {
            let statement = RecordStatement(Self.record())
            var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.statementType, payload: try statement.json())
            if isSigned { try envelope.sign(with: key) }
            let referrer = try RecordArtifact.referrer(
                statement,
                in: envelope,
                signedBy: isSigned ? key.publicKey.fingerprint : nil,
                to: subject
            )
            let manifest = referrer.manifest
            #expect(manifest.mediaType == .ociManifest && manifest.subject?.digest == Self.image)
            #expect(manifest.config?.mediaType == .ociEmpty && manifest.config?.size == 2)
            #expect(manifest.layers.count == 1)
            #expect(Set(referrer.blobs.map { Digest(of: $0) }) == Set(manifest.blobs.map(\.digest)))
            let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json"
            #expect(manifest.artifactType == (isSigned ? bundle : "application/vnd.in-toto+json"))
            #expect(
                manifest.layers.first?.mediaType.rawValue
                    == (isSigned ? bundle : "application/vnd.dsse.envelope.v1+json")
            )
            var annotations = [
                "org.opencontainers.image.created": "2026-01-15T12:00:00.000Z",
                "ecr-replicate.promotion.action": "promote",
                "ecr-replicate.promotion.repository": "prod.example/prod/app",
                "ecr-replicate.promotion.tags": "v1=\(Self.before)",
                "ecr-replicate.promotion.policy": "none",
            ]
            if isSigned {
                annotations["dev.sigstore.bundle.content"] = "dsse-envelope"
                annotations["dev.sigstore.bundle.predicateType"] = "https://ecr-replicate.invalid/promotion/v1"
            }
            #expect(manifest.annotations == annotations)
            #expect(RecordDecision(manifest) == RecordDecision(Self.record()))
            guard isSigned else { continue }
            let text = String(decoding: try #require(referrer.blobs.last), as: UTF8.self)
            let hint = Data(key.publicKey.fingerprint).base64EncodedString()
            #expect(text.hasSuffix("\"verificationMaterial\":{\"publicKey\":{\"hint\":\"\(hint)\"}}}"))
        }
    }

    @Test("decisions about no tag, and about several, are read from annotations as they were written")
    func decisions() throws {
        var record = Self.record()
        record.tags = []
        #expect(RecordDecision(record).annotations[RecordFormat.Annotation.tags] == "none")
        record.tags = [
            .init(tag: "v1", outcome: .set, before: nil), .init(tag: "stable", outcome: .moved, before: Self.before),
        ]
        #expect(RecordDecision(record).annotations[RecordFormat.Annotation.tags] == "v1=none stable=\(Self.before)")
    }

    @Test(
        "times are written to the millisecond, and only such times are believed",
        arguments: [
            (0.0, "1970-01-01T00:00:00.000Z"), (1_768_478_400.25, "2026-01-15T12:00:00.250Z"),
            (1_768_478_400.9996, "2026-01-15T12:00:00.999Z"),
        ]
    )
    func times(seconds: Double, text: String) {
        #expect(RecordTime.text(Date(timeIntervalSince1970: seconds)) == text)
        #expect(RecordTime.isValid(text))
        for wrong in ["", "now", "2026-01-15", "2026-13-15T12:00:00.000Z", "2026-01-15T12:00:00.000Z\n", "٢٠٢٦"] {
            #expect(!RecordTime.isValid(wrong), "\(wrong)")
        }
    }

    @Test("the policy of options has the same digest whatever their order, and another for other options")
    func policies() {
        var one = GateSettings()
        one.signatures = ["a.pub", "b.pub"]
        one.minAge = .seconds(3_600)
        var two = one
        two.signatures.reverse()
        #expect(PromotionRecord.Policy.commandLine(one) == .commandLine(two))
        two.minAge = .seconds(60)
        #expect(PromotionRecord.Policy.commandLine(one) != .commandLine(two))
        #expect(
            PromotionRecord.Policy.text(of: one) == "require-signature=a.pub\nrequire-signature=b.pub\nmin-age=3600s\n"
        )
        #expect(
            PromotionRecord.Policy.rule("releases", of: "/etc/rules.yaml", Self.rules).name == "rules.yaml#releases"
        )
    }
}

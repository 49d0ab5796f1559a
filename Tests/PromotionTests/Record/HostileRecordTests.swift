import Content
import Foundation
import Platform
import Replicate
import Testing

@testable import Promotion

/// A repository in memory, whose records anybody may have written.
private struct FakeRecords: RecordSource {
    let reference: ImageReference
    var tags: [Content.Tag: Digest] = [:]
    var referrers: [Digest: [Manifest]] = [:]
    var blobs: [Digest: [UInt8]] = [:]

    func digest(of tag: Content.Tag) async throws -> Digest? { tags[tag] }

    func referrers(of digest: Digest, where isWanted: (Descriptor) -> Bool) async throws -> [Manifest] {
        referrers[digest] ?? []
    }

    func manifest(_ digest: Digest) async throws -> Manifest? {
        referrers.values.joined().first { $0.digest == digest }
    }

    func blob(_ descriptor: Descriptor, upTo limit: Int) async throws -> [UInt8] {
        try #require(blobs[descriptor.digest])
    }

    /// Adds a record about `image`, listed below `subject`.
    mutating func add(
        _ record: PromotionRecord,
        below subject: Digest? = nil,
        signedWith key: PrivateKey? = nil,
        _ change: (inout DSSEEnvelope) throws -> Void = { _ in }
    ) throws -> Manifest {
        let statement = RecordStatement(record)
        var envelope = DSSEEnvelope(payloadType: DSSEEnvelope.statementType, payload: try statement.json())
        if let key { try envelope.sign(with: key) }
        try change(&envelope)
        let digest = subject ?? record.image.digest
        let referrer = try RecordArtifact.referrer(
            statement,
            in: envelope,
            signedBy: key?.publicKey.fingerprint,
            to: Descriptor(mediaType: .ociManifest, digest: digest, size: 10)
        )
        for blob in referrer.blobs { blobs[Digest(of: blob)] = blob }
        referrers[digest, default: []].append(referrer.manifest)
        return referrer.manifest
    }
}

@Suite("History of hostile records")
struct HostileRecordTests {
    private let image = RecordFormatTests.image
    private let v1: Content.Tag

    init() throws { v1 = try Tag(parsing: "v1") }

    private func records() throws -> FakeRecords {
        var source = FakeRecords(reference: try ImageReference(parsing: "prod.example/prod/app"))
        source.tags[v1] = image
        return source
    }

    private func history(_ source: FakeRecords, keys: [RecordKey] = []) async throws -> History {
        try await HistoryReader(source, keys: keys).history(of: source.reference.tagged(v1))
    }

    @Test("texts are shown on one line, without control characters, and cut")
    func texts() async throws {
        var source = try records()
        var record = RecordFormatTests.record()
        record.by = "arn\u{1B}[2J\nEVIL\u{202E}"
        record.reason = String(repeating: "x", count: 100_000)
        record.action = .init(rawValue: "promote\r\nfake line")
        record.from = .init(repository: "a\u{0}b", tag: "t\u{8}")
        record.decidedAt = "tomorrow\u{7}"
        _ = try source.add(record)
        let history = try await history(source)
        #expect(history.records.count == 1)
        let text = history.text
        #expect(text.unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 0x20 })
        #expect(!text.contains("\u{202E}") && !text.contains("\nEVIL") && !text.contains("\nfake line"))
        #expect(text.contains("at an unknown time"))
        #expect(text.utf8.count < 4_000)
    }

    @Test("a record that is about another image, or refers to another, is not a record of this one")
    func otherImages() async throws {
        var source = try records()
        var record = RecordFormatTests.record()
        record.image.digest = Digest(of: Array("other".utf8))
        let forged = try source.add(record, below: image)
        var list = try #require(source.referrers[image])
        // The listing names a record of another image.
        list.append(try source.add(record))
        source.referrers[image] = list
        let history = try await history(source)
        #expect(history.records.isEmpty)
        #expect(history.unusable.map(\.digest).contains(forged.digest))
        #expect(
            Set(history.unusable.map(\.reason))
                == ["its statement is about another image", "it refers to another image"]
        )
        #expect(history.exitCode(hasKeys: true) == 2 && history.exitCode(hasKeys: false) == 0)
    }

    @Test("undo doesn't choose among records that contradict each other, unless a key tells them apart")
    func contradiction() async throws {
        let key = try PrivateKey.generated(.ecdsa(.p256))
        let (right, wrong) = (Digest(of: Array("right".utf8)), Digest(of: Array("wrong".utf8)))
        var source = try records()
        var record = RecordFormatTests.record()
        record.to.repository = source.reference.recordName
        record.tags = [.init(tag: "v1", outcome: .moved, before: right)]
        let own = try source.add(record, signedWith: key)
        let target = source.reference.tagged(v1)
        #expect(try await UndoPlanner(source, keys: []).plan(target).previous == right)
        // A client that may push to the source can push a record there, which is copied with the image.
        record.tags = [.init(tag: "v1", outcome: .moved, before: wrong)]
        record.decidedAt = "2099-01-01T00:00:00.000Z"
        _ = try source.add(record)
        let refused = await #expect(throws: CopyError.self) { try await UndoPlanner(source, keys: []).plan(target) }
        #expect(refused?.reason.name == "undoRefused")
        #expect(refused?.cause.contains("2 records say different things") == true)
        let keys = [RecordKey(name: "k", key: key.publicKey)]
        #expect(try await UndoPlanner(source, keys: keys).plan(target).previous == right)
        let named = source.reference.tagged(nil, digest: own.digest)
        #expect(try await UndoPlanner(source, keys: []).plan(named).previous == right)
    }

    @Test("a changed payload, a signature of another key and a missing one are not verified")
    func signatures() async throws {
        let key = try PrivateKey.generated(.ecdsa(.p256))
        let keys = [RecordKey(name: "k", key: key.publicKey)]
        var source = try records()
        _ = try source.add(RecordFormatTests.record(), signedWith: key)
        #expect(try await history(source, keys: keys).records.map(\.signature) == [.verified(key: "k")])
        #expect(try await history(source).records.map(\.signature) == [.unchecked])

        source = try records()
        _ = try source.add(RecordFormatTests.record(), signedWith: key) { envelope in
            let text = String(decoding: envelope.payload, as: UTF8.self).replacing("CHG-1", with: "CHG-2")
            envelope.payload = Array(text.utf8)
        }
        #expect(try await history(source, keys: keys).records.map(\.signature) == [.notByGivenKeys])

        source = try records()
        _ = try source.add(RecordFormatTests.record(), signedWith: try PrivateKey.generated(.ed25519))
        #expect(try await history(source, keys: keys).records.map(\.signature) == [.notByGivenKeys])

        source = try records()
        _ = try source.add(RecordFormatTests.record())
        #expect(try await history(source, keys: keys).records.map(\.signature) == [.unsigned])
    }

    @Test("payloads that are not records are named, and another program's statement is left out")
    func payloads() async throws {
        let foreign = """
            {"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"\(image.hex)"}}],\
            "predicateType":"https://slsa.dev/verification_summary/v1","predicate":{"verificationResult":"PASSED"}}
            """
        let later = """
            {"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"\(image.hex)"}}],\
            "predicateType":"https://ecr-replicate.invalid/promotion/v1","predicate":{"formatVersion":2,"what":"else"}}
            """
        let doubled = String(decoding: try RecordStatement(RecordFormatTests.record()).json(), as: UTF8.self)
            .replacing("\"reason\":\"CHG-1\"", with: "\"reason\":\"CHG-1\",\"reason\":\"CHG-2\"")
        let cases: [(String, String?)] = [
            (foreign, nil), (later, "its format is version 2"), ("{", "is not valid JSON"),
            ("[]", "not of the expected type"),
            (doubled, "has the member 'reason' twice"),
            (String(repeating: "[", count: 10_000), "nested too deeply"),
        ]
        for (payload, reason) in cases {
            var source = try records()
            _ = try source.add(RecordFormatTests.record()) { $0.payload = Array(payload.utf8) }
            let history = try await history(source)
            #expect(history.records.isEmpty)
            if let reason {
                #expect(history.unusable.first?.reason.contains(reason) == true, "\(history.unusable)")
            } else {
                #expect(history.unusable.isEmpty)
            }
        }
        var source = try records()
        _ = try source.add(RecordFormatTests.record()) { $0.payloadType = "text/plain" }
        #expect(try await history(source).unusable.map(\.reason) == ["its payload is not an in-toto statement"])
    }

    @Test("a record that is larger than allowed is not read")
    func large() async throws {
        var source = try records()
        let text = """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",\
            "artifactType":"application/vnd.in-toto+json",\
            "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"\(Digest(of: Array("{}".utf8)))","size":2},\
            "layers":[{"mediaType":"application/vnd.dsse.envelope.v1+json","digest":"\(image)","size":1048577}],\
            "subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(image)","size":1},\
            "annotations":{"ecr-replicate.promotion.tags":"v1=none"}}
            """
        source.referrers[image] = [try Manifest(bytes: Array(text.utf8), mediaType: .ociManifest)]
        let found = try await history(source)
        #expect(found.unusable.map(\.reason) == ["it has 1.0 MB, more than a record may have"], "\(found.unusable)")
    }

    @Test("a chain of records is followed up to a number of images, and a circle once")
    func chains() async throws {
        var source = try records()
        var current = image
        for number in 0..<(RecordFormat.mostImages + 20) {
            let before = Digest(of: Array("image \(number)".utf8))
            var record = RecordFormatTests.record()
            record.image.digest = current
            record.tags = [.init(tag: "v1", outcome: .moved, before: before)]
            _ = try source.add(record)
            current = before
        }
        let long = try await history(source)
        #expect(long.isCut && long.records.count <= RecordFormat.mostImages + 1)

        source = try records()
        let other = Digest(of: Array("other".utf8))
        for (digest, before) in [(image, other), (other, image)] {
            var record = RecordFormatTests.record()
            record.image.digest = digest
            record.tags = [.init(tag: "v1", outcome: .moved, before: before)]
            _ = try source.add(record)
        }
        let circle = try await history(source)
        #expect(circle.records.count == 2 && !circle.isCut)
    }

    @Test("records of other tags are left out, and records of other repositories are marked and not followed")
    func others() async throws {
        var source = try records()
        var record = RecordFormatTests.record()
        record.tags = [.init(tag: "v2", outcome: .set, before: nil)]
        _ = try source.add(record)
        record = RecordFormatTests.record()
        record.to.repository = "staging.example/app"
        _ = try source.add(record)
        var elsewhere = RecordFormatTests.record()
        elsewhere.image.digest = RecordFormatTests.before
        _ = try source.add(elsewhere)
        let found = try await history(source)
        #expect(found.records.map(\.record.to.repository) == ["staging.example/app"])
        #expect(found.text.contains("\n  to       staging.example/app\n"))
    }

    @Test("a record is undone only in its own repository")
    func undoElsewhere() async throws {
        var source = try records()
        var record = RecordFormatTests.record()
        record.to.repository = "staging.example/app"
        let manifest = try source.add(record)
        let error = await #expect(throws: CopyError.self) {
            try await UndoPlanner(source, keys: []).plan(source.reference.tagged(nil, digest: manifest.digest))
        }
        #expect(error?.cause.contains("is about another repository") == true)
    }
}

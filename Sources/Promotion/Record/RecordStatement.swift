package import Content
internal import FoundationEssentials
internal import Platform

/// The in-toto statement of a record, about the digest of an image.
///
/// With gates it is a SLSA verification summary whose member ``RecordFormat/predicateType`` holds the record; a summary
/// allows members that are named by URIs. Without gates nothing was verified, so the record itself is the predicate.
///
/// - Source: docs/facts/attestations.md#statement, #verification-summary
package struct RecordStatement: Sendable, Hashable {
    /// The repository that the image was put into.
    package var repository: String
    package var digest: Digest
    package var record: PromotionRecord

    package init(_ record: PromotionRecord) {
        self.record = record
        (repository, digest) = (record.to.repository, record.image.digest)
    }

    package var predicateType: String {
        record.gates == nil ? RecordFormat.predicateType : RecordFormat.summaryType
    }

    /// The statement as JSON in one line, with sorted members.
    package func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        let subject = Subject(name: repository, digest: ["sha256": digest.hex])
        if let gates = record.gates {
            let summary = Summary(record, gates, resource: "\(repository)@\(digest)")
            return Array(try encoder.encode(Document(subject, predicateType, summary)))
        }
        return Array(try encoder.encode(Document(subject, predicateType, record)))
    }

    private struct Subject: Codable {
        var name: String?
        var digest: [String: String]
    }

    private struct Document<Predicate: Encodable>: Encodable {
        var type = RecordFormat.statementType
        var subject: [Subject]
        var predicateType: String
        var predicate: Predicate

        init(_ subject: Subject, _ predicateType: String, _ predicate: Predicate) {
            (self.subject, self.predicateType, self.predicate) = ([subject], predicateType, predicate)
        }

        enum CodingKeys: String, CodingKey {
            case type = "_type"
            case subject, predicateType, predicate
        }
    }

    /// A verification summary with the record in it.
    private struct Summary: Encodable {
        struct Verifier: Encodable {
            var id: String
            var version: [String: String]
        }

        struct Resource: Encodable {
            var uri: String?
            var digest: [String: String]
        }

        var verifier: Verifier
        var timeVerified: String
        var resourceUri: String
        var policy: Resource
        var inputAttestations: [Resource]?
        var verificationResult: String
        var verifiedLevels: [String]
        var slsaVersion: String
        var record: PromotionRecord

        enum CodingKeys: String, CodingKey {
            case verifier, timeVerified, resourceUri, policy, inputAttestations, verificationResult, verifiedLevels
            case slsaVersion
            case record = "https://ecr-replicate.invalid/promotion/v1"
        }

        init(_ record: PromotionRecord, _ gates: [PromotionRecord.Gate], resource: String) {
            verifier = Verifier(id: RecordFormat.verifierID, version: [record.tool.name: record.tool.version])
            timeVerified = record.decidedAt
            resourceUri = resource
            let policy = record.policy ?? PromotionRecord.Policy(name: RecordFormat.none, digest: .ofNothing)
            self.policy = Resource(uri: policy.name, digest: ["sha256": policy.digest.hex])
            // The list must be complete or absent.
            let isWhole = gates.allSatisfy { $0.evidenceLeftOut == nil }
            let inputs = gates.flatMap(\.evidence).compactMap(\.digest).reduce(into: [Digest]()) { all, digest in
                if !all.contains(digest) { all.append(digest) }
            }
            if isWhole, !inputs.isEmpty, inputs.count <= RecordFormat.mostInputs {
                inputAttestations = inputs.map { Resource(uri: nil, digest: ["sha256": $0.hex]) }
            }
            verificationResult = gates.allSatisfy { $0.result == "passed" } ? "PASSED" : "FAILED"
            // No gate decides about a level of SLSA's.
            verifiedLevels = ["SLSA_BUILD_LEVEL_UNEVALUATED"]
            slsaVersion = RecordFormat.slsaVersion
            self.record = record
        }
    }
}

extension RecordStatement {
    /// Why a statement is not one of this program's records.
    package enum Problem: Error, Sendable, Hashable {
        /// It is a statement by another program, which says nothing wrong.
        case foreign
        /// It is about another image.
        case otherImage
        /// It is a record in a format that this version doesn't know.
        case unknownVersion(Int)
        case unreadable(String)
    }

    /// Reads the payload of an envelope, which must be about `image`.
    ///
    /// - Throws: ``Problem``
    package init(payload: [UInt8], about image: Digest) throws(Problem) {
        let head: Head
        do {
            head = try SignedJSON.decode(Head.self, from: payload, "the statement")
        } catch {
            throw .unreadable(error.reason)
        }
        guard head.type == RecordFormat.statementType else { throw .foreign }
        let found: PromotionRecord?
        do {
            switch head.predicateType {
            case RecordFormat.predicateType:
                found = try SignedJSON.decode(Plain.self, from: payload, "the record").predicate
            case RecordFormat.summaryType:
                found = try SignedJSON.decode(InSummary.self, from: payload, "the record").predicate.record
            default: found = nil
            }
        } catch {
            // A record of a later version may have other members.
            if let version = head.version, version != RecordFormat.version { throw .unknownVersion(version) }
            throw .unreadable(error.reason)
        }
        guard let record = found else { throw .foreign }
        guard record.formatVersion == RecordFormat.version else { throw .unknownVersion(record.formatVersion) }
        let isAbout = head.subject.contains { $0.digest["sha256"] == image.hex }
        guard isAbout, record.image.digest == image else { throw .otherImage }
        (repository, digest, self.record) = (record.to.repository, image, record)
    }

    private struct Head: Decodable {
        struct Predicate: Decodable {
            var formatVersion: Int?
            var record: Version?

            enum CodingKeys: String, CodingKey {
                case formatVersion
                case record = "https://ecr-replicate.invalid/promotion/v1"
            }
        }

        struct Version: Decodable { var formatVersion: Int? }

        var type: String
        var subject: [Subject]
        var predicateType: String
        var predicate: Predicate?

        var version: Int? { predicate?.record?.formatVersion ?? predicate?.formatVersion }

        enum CodingKeys: String, CodingKey {
            case type = "_type"
            case subject, predicateType, predicate
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try container.decode(String.self, forKey: .type)
            subject = try container.decode([Subject].self, forKey: .subject)
            predicateType = try container.decode(String.self, forKey: .predicateType)
            // The predicate of another program may have any form.
            predicate = try? container.decode(Predicate.self, forKey: .predicate)
        }
    }

    private struct Plain: Decodable { var predicate: PromotionRecord }

    private struct InSummary: Decodable {
        struct Predicate: Decodable {
            var record: PromotionRecord?

            enum CodingKeys: String, CodingKey { case record = "https://ecr-replicate.invalid/promotion/v1" }
        }

        var predicate: Predicate
    }
}

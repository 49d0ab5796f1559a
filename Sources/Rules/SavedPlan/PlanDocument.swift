internal import Content
internal import FoundationEssentials

/// The parts of a saved plan as its file has them.
///
/// A saved plan is one JSON document in one form: the members are sorted, and each image is a line of its own, so that
/// the file can be written and read without holding it in memory. The last member is a checksum over everything before
/// it.
///
/// - Source: docs/rules.md#saved-plans; config/plan-file.schema.json
enum PlanDocument {
    /// The version of the format; a program that knows another version refuses the file.
    static let formatVersion = "1.0"

    /// The start of the first line, by which a saved plan is recognized.
    static let opening = #"{"formatVersion":""#
    /// The end of the line before the first repository.
    static let listOpening = #","repositories":["#
    /// The end of a repository's first line.
    static let imagesOpening = #","images":["#
    /// The line after a repository's last image.
    static let imagesEnd = "]}"
    /// The start of the last line.
    static let checksumOpening = #"],"checksum":""#
    static let checksumEnd = #""}"#

    /// What the first line says.
    struct Start: Decodable, Sendable {
        var formatVersion: String
        var created: String
    }

    /// What is true for the whole plan.
    struct Head: Codable, Sendable {
        var registries: [Registry]
        var ruleFile: Origin
        /// The program and its version.
        var tool: String
    }

    /// The rule file that the plan was made from.
    struct Origin: Codable, Sendable {
        var digest: Digest
        var name: String
    }

    /// A registry, with the identity and endpoints that the rule file names; never with credentials.
    struct Registry: Codable, Sendable {
        var name: String
        var account: AccountID?
        var region: String?
        /// The host of ECR or of another registry.
        var host: String?
        var layout: String?
        var profile: String?
        var roleArn: String?
        /// As the rule file writes it, with its variables.
        var externalId: String?
        var sessionName: String?
        var endpointUrl: String?
        var registryEndpoint: String?
        var kmsKeys: [String: String]?
    }

    /// What one rule does with one source repository at one destination repository.
    struct Repository: Codable, Sendable {
        var rule: String
        var source: Place
        /// `nil` if it was not known, because the source could not be read.
        var destination: Place?
        /// Whether the destination was missing and is to be created.
        var createsRepository: Bool
        var creationTemplate: String?
        var options: Options
        /// Why nothing could be planned for the repository as a whole.
        var problems: [Problem]?
    }

    struct Place: Codable, Sendable {
        /// The name of one of the plan's registries.
        var registry: String
        var repository: String
    }

    /// How the images of a repository are copied.
    struct Options: Codable, Sendable {
        var createRepository: String
        var ifExists: String
        var platforms: [String]
        var referrers: String
    }

    struct Image: Codable, Sendable {
        var action: PlannedAction
        /// For a deletion: `true` if the image is deleted, not only some of its tags.
        var deletesImage: Bool?
        /// The digest that the tags get, or of a deletion the one that they hold.
        var digest: Digest?
        var mediaType: MediaType?
        /// Why the image was refused or could not be planned.
        var problems: [Problem]?
        /// The digest at the source, if only some platforms of it are copied.
        var sourceDigest: Digest?
        var tags: [TagEntry]
    }

    struct TagEntry: Codable, Sendable {
        var action: PlannedAction
        /// The digest that the tag held at the destination when the plan was made; `nil` if the tag did not exist.
        var before: Digest?
        var reason: String?
        /// The tag of the source that held the image.
        var source: Tag?
        var tag: Tag
    }

    struct Problem: Codable, Sendable {
        var kind: OutcomeProblem.Kind
        var reason: String
        var remedy: String?
        var text: String
    }

    /// Encodes a part in the one form that it has, on one line.
    ///
    /// - Throws: `EncodingError`
    static func text(_ part: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(part), as: UTF8.self)
        // A path or a message may have characters that a terminal would act on.
        return text.utf8.allSatisfy { $0 < 0x7f } ? text : printableJSON(text)
    }
}

extension PlanDocument.TagEntry {
    /// Writes `before` in any case, since its absence is what was seen.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(action, forKey: .action)
        try container.encode(before, forKey: .before)
        try container.encodeIfPresent(reason, forKey: .reason)
        try container.encodeIfPresent(source, forKey: .source)
        try container.encode(tag, forKey: .tag)
    }
}

internal import FoundationEssentials

/// The policy by which ECR expires or archives images of a repository, parsed into rules.
///
/// - Source: ECR User Guide, "Lifecycle policy properties in Amazon ECR" and "Automate the cleanup of images by using
///   lifecycle policies"
struct LifecyclePolicy: Sendable, Equatable {
    enum StorageClass: String, Codable, Sendable {
        case standard, archive
    }

    enum TagStatus: String, Decodable, Sendable {
        case tagged, untagged, any
    }

    /// The condition that marks a selected image: more images than allowed, or an image that is too old.
    enum Count: Sendable, Equatable {
        case imagesMoreThan(Int)
        case daysSincePush(Int)
        case daysSincePull(Int)
        case daysSinceTransition(Int)
    }

    enum Action: String, Codable, Sendable {
        case expire, transition
    }

    struct Rule: Sendable, Equatable {
        var priority: Int
        var tagStatus: TagStatus
        /// Wildcards that must each match a tag of the image; a prefix is a wildcard that ends with a star.
        var patterns: [String]
        var storageClass: StorageClass
        var count: Count
        var action: Action
    }

    /// The rules by priority; the first is applied first.
    let rules: [Rule]

    /// The valid lengths of a policy's text, in characters.
    static let lengths = 100...30_720
    /// The most rules of one policy (service quotas).
    static let mostRules = 50
    /// The most stars in one pattern.
    private static let mostStars = 4
    /// The shortest time that an image stays archived, in days.
    private static let shortestArchive = 90

    /// Parses a policy that the request wants to store.
    ///
    /// - Throws: `InvalidParameterException`
    init(putting text: String, as member: String = "LifecyclePolicyText") throws(ServiceFault) {
        try Constraint.length(text, Self.lengths, member)
        let decoded: PolicyText
        do {
            decoded = try JSONDecoder().decode(PolicyText.self, from: Data(text.utf8))
        } catch let error as UnknownMember {
            throw Self.refusal(
                "object instance has properties which are not allowed by the schema: '\(error.name)'",
                member
            )
        } catch {
            throw Self.refusal("the text is not a lifecycle policy", member)
        }
        do {
            rules = try Self.rules(decoded)
        } catch {
            throw Self.refusal(error.reason, member)
        }
    }

    private struct ValidationFailure: Error {
        var reason: String
        init(_ reason: String) { self.reason = reason }
    }

    private static func refusal(_ reason: String, _ member: String) -> ServiceFault {
        .invalidParameter(member, "Lifecycle policy validation failure: \(reason)")
    }

    private static func rules(_ decoded: PolicyText) throws(ValidationFailure) -> [Rule] {
        guard (1...mostRules).contains(decoded.rules.count) else {
            throw ValidationFailure("a policy has 1 to \(mostRules) rules")
        }
        var rules: [Rule] = []
        for rule in decoded.rules { rules.append(try read(rule)) }
        guard Set(rules.map(\.priority)).count == rules.count else {
            throw ValidationFailure("rulePriority must be unique")
        }
        rules.sort { $0.priority < $1.priority }
        for storageClass in [StorageClass.standard, .archive] {
            let some = rules.filter { $0.storageClass == storageClass }
            guard some.count(where: { $0.tagStatus == .untagged }) <= 1,
                some.count(where: { $0.tagStatus == .any }) <= 1
            else { throw ValidationFailure("only one rule may have tagStatus untagged, and only one tagStatus any") }
            guard !some.dropLast().contains(where: { $0.tagStatus == .any }) else {
                throw ValidationFailure("a rule with tagStatus any must have the highest rulePriority")
            }
            let patterns = some.filter { $0.tagStatus == .tagged }.map { Set($0.patterns) }
            guard Set(patterns).count == patterns.count else {
                throw ValidationFailure("rules must select different tags")
            }
        }
        return rules
    }

    private static func read(_ rule: PolicyText.Rule) throws(ValidationFailure) -> Rule {
        let selection = rule.selection
        let prefixes = selection.tagPrefixList ?? []
        let patterns = selection.tagPatternList ?? []
        guard rule.rulePriority >= 1 else { throw ValidationFailure("rulePriority must be 1 or more") }
        if selection.tagStatus == .tagged {
            guard prefixes.isEmpty != patterns.isEmpty else {
                throw ValidationFailure("tagStatus tagged needs either tagPatternList or tagPrefixList")
            }
        } else if selection.tagPrefixList != nil || selection.tagPatternList != nil {
            throw ValidationFailure("tagPatternList and tagPrefixList need tagStatus tagged")
        }
        guard patterns.allSatisfy({ $0.count { $0 == "*" } <= mostStars }) else {
            throw ValidationFailure("a pattern has at most \(mostStars) wildcards")
        }
        let storageClass = selection.storageClass ?? .standard
        let count = try count(selection, storageClass)
        switch rule.action.type {
        case .expire where rule.action.targetStorageClass != nil:
            throw ValidationFailure("targetStorageClass is allowed only for the action transition")
        case .transition where rule.action.targetStorageClass != .archive || storageClass == .archive:
            throw ValidationFailure(
                "the action transition needs the storage class standard and the targetStorageClass archive"
            )
        default: break
        }
        return Rule(
            priority: rule.rulePriority,
            tagStatus: selection.tagStatus,
            patterns: patterns + prefixes.map { "\($0)*" },
            storageClass: storageClass,
            count: count,
            action: rule.action.type
        )
    }

    private static func count(
        _ selection: PolicyText.Selection,
        _ storageClass: StorageClass
    ) throws(ValidationFailure) -> Count {
        let number = selection.countNumber
        guard number >= 1 else { throw ValidationFailure("countNumber must be 1 or more") }
        guard (selection.countType == "imageCountMoreThan") == (selection.countUnit == nil),
            selection.countUnit ?? "days" == "days"
        else { throw ValidationFailure("countUnit must be days, or omitted if countType is imageCountMoreThan") }
        guard (selection.countType == "sinceImageTransitioned") == (storageClass == .archive) else {
            throw ValidationFailure(
                "the storage class archive needs the countType sinceImageTransitioned, and standard can't have it"
            )
        }
        switch selection.countType {
        case "imageCountMoreThan": return .imagesMoreThan(number)
        case "sinceImagePushed": return .daysSincePush(number)
        case "sinceImagePulled": return .daysSincePull(number)
        case "sinceImageTransitioned":
            guard number >= shortestArchive else {
                throw ValidationFailure("an archived image is kept for at least \(shortestArchive) days")
            }
            return .daysSinceTransition(number)
        default: throw ValidationFailure("'\(selection.countType)' is not a countType")
        }
    }
}

/// The members of a policy's text; a member that ECR doesn't know is an error.
private struct PolicyText: Decodable {
    struct Rule: Decodable {
        var rulePriority: Int
        var description: String?
        var selection: Selection
        var action: Action

        private enum CodingKeys: String, CodingKey, CaseIterable { case rulePriority, description, selection, action }

        init(from decoder: any Decoder) throws {
            try refuseUnknown(decoder, CodingKeys.allCases.map(\.rawValue))
            let members = try decoder.container(keyedBy: CodingKeys.self)
            rulePriority = try members.decode(Int.self, forKey: .rulePriority)
            description = try members.decodeIfPresent(String.self, forKey: .description)
            selection = try members.decode(Selection.self, forKey: .selection)
            action = try members.decode(Action.self, forKey: .action)
        }
    }

    struct Selection: Decodable {
        var tagStatus: LifecyclePolicy.TagStatus
        var tagPatternList: [String]?
        var tagPrefixList: [String]?
        var storageClass: LifecyclePolicy.StorageClass?
        var countType: String
        var countUnit: String?
        var countNumber: Int

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case tagStatus, tagPatternList, tagPrefixList, storageClass, countType, countUnit, countNumber
        }

        init(from decoder: any Decoder) throws {
            try refuseUnknown(decoder, CodingKeys.allCases.map(\.rawValue))
            let members = try decoder.container(keyedBy: CodingKeys.self)
            tagStatus = try members.decode(LifecyclePolicy.TagStatus.self, forKey: .tagStatus)
            tagPatternList = try members.decodeIfPresent([String].self, forKey: .tagPatternList)
            tagPrefixList = try members.decodeIfPresent([String].self, forKey: .tagPrefixList)
            storageClass = try members.decodeIfPresent(LifecyclePolicy.StorageClass.self, forKey: .storageClass)
            countType = try members.decode(String.self, forKey: .countType)
            countUnit = try members.decodeIfPresent(String.self, forKey: .countUnit)
            countNumber = try members.decode(Int.self, forKey: .countNumber)
        }
    }

    struct Action: Decodable {
        var type: LifecyclePolicy.Action
        var targetStorageClass: LifecyclePolicy.StorageClass?

        private enum CodingKeys: String, CodingKey, CaseIterable { case type, targetStorageClass }

        init(from decoder: any Decoder) throws {
            try refuseUnknown(decoder, CodingKeys.allCases.map(\.rawValue))
            let members = try decoder.container(keyedBy: CodingKeys.self)
            type = try members.decode(LifecyclePolicy.Action.self, forKey: .type)
            targetStorageClass = try members.decodeIfPresent(
                LifecyclePolicy.StorageClass.self,
                forKey: .targetStorageClass
            )
        }
    }

    var rules: [Rule]

    private enum CodingKeys: String, CodingKey, CaseIterable { case rules }

    init(from decoder: any Decoder) throws {
        try refuseUnknown(decoder, CodingKeys.allCases.map(\.rawValue))
        rules = try decoder.container(keyedBy: CodingKeys.self).decode([Rule].self, forKey: .rules)
    }
}

private struct UnknownMember: Error { var name: String }

private struct AnyName: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

private func refuseUnknown(_ decoder: any Decoder, _ known: [String]) throws {
    let names = try decoder.container(keyedBy: AnyName.self).allKeys.map(\.stringValue)
    if let unknown = names.sorted().first(where: { !known.contains($0) }) { throw UnknownMember(name: unknown) }
}

internal import Content
internal import Replicate

/// The statements that one side of a copy needs for one repository.
struct PolicyWriting {
    let place: PolicyPlace
    /// Whether layers may be mounted from this repository to another destination.
    private let lends: Bool
    private var pieces: [Piece] = []

    /// A statement before it is merged: pieces that differ only in their repository become one statement.
    private struct Piece: Equatable {
        var id: String
        var actions: [String]
        var resources: [String]
        var conditions: [PolicyStatement.Condition] = []
        /// Whether the repository's own policy can contain this statement.
        var isAboutRepository = false
    }

    init(_ side: CopyError.Side, at place: PolicyPlace, _ request: PolicyRequest) throws(ImpossiblePolicy) {
        self.place = place
        lends =
            side == .destination && request.includesOptional
            && request.destinations.contains { $0.map { request.siblings(of: $0).contains(place) } ?? false }
        let isRetag = side == .destination ? try request.isRetag(at: place) : try request.isRetag()
        for permission in Permission.all where permission.side == side {
            guard !permission.isOptional || request.includesOptional,
                Self.isMet(permission, at: place, request, isRetag: isRetag)
            else { continue }
            for var piece in Self.pieces(of: permission, at: place, request) {
                let same = pieces.firstIndex {
                    $0.id == piece.id && $0.resources == piece.resources && $0.conditions == piece.conditions
                }
                if let same {
                    if !pieces[same].actions.contains(permission.action) {
                        pieces[same].actions.append(permission.action)
                    }
                } else {
                    piece.actions = [permission.action]
                    pieces.append(piece)
                }
            }
        }
    }

    var isEmpty: Bool { pieces.isEmpty }

    /// Whether the registry's repositories must be listed, which no repository's policy can allow.
    var listsRepositories: Bool { pieces.contains { $0.id == Self.listing } }

    /// The actions for the repository's own policy.
    var actionsOfRepository: [String] {
        pieces.filter(\.isAboutRepository).flatMap(\.actions) + (lends ? [Self.lending] : [])
    }

    /// The action that a mount needs on the repository that holds the layer.
    private static let lending = "ecr:GetDownloadUrlForLayer"

    /// Merges the statements for one identity's policy, without allowing any action on a repository that doesn't need
    /// it.
    static func merged(_ writings: [PolicyWriting]) -> [PolicyStatement] {
        var merged: [Piece] = []
        var known: [Set<String>] = []
        for piece in writings.lazy.flatMap(\.pieces) {
            let same = merged.firstIndex {
                $0.id == piece.id && $0.actions == piece.actions && $0.conditions == piece.conditions
            }
            if let same {
                merged[same].resources += piece.resources.filter { known[same].insert($0).inserted }
            } else {
                merged.append(piece)
                known.append(Set(piece.resources))
            }
        }
        return merged.map {
            PolicyStatement(id: $0.id, $0.actions, on: $0.resources, conditions: $0.conditions)
        }.withIDsOfTheirOwn
    }

    private static func isMet(
        _ permission: Permission,
        at place: PolicyPlace,
        _ request: PolicyRequest,
        isRetag: Bool
    ) -> Bool {
        var canMount: Bool { !isRetag && !request.siblings(of: place).isEmpty }
        return switch permission.occasion {
        case .always, .movingTags: true
        case .copying, .foreignLayers, .missing: !isRetag
        case .listing: request.listsImages
        case .uploadingByRegistry: !isRetag && (request.upload != .api || canMount)
        case .creating: !isRetag && request.creates(at: place)
        case .creatingLikeSource: !isRetag && request.readsSettings
        case .creatingWithKey: !isRetag && !request.keys(at: place).isEmpty
        case .mounting: canMount
        case .planning: request.rule != nil
        case .listingRepositories: request.rule?.listsRepositories ?? false
        case .pruning: request.rule?.prunes ?? false
        case .readingScans: request.gates.readsScans
        case .readingAge: request.gates.readsPushTimes
        case .readingTagSettings: request.gates.readsTagSettings
        case .readingContent: isRetag && request.gates.readsContent
        case .verifyingWithKey: !request.gates.publicKeys.isEmpty
        case .signingRecords: !request.signingKeys.isEmpty
        }
    }

    /// The id of the statement that allows to list a registry's repositories.
    private static let listing = "ListRegistry"

    private static func pieces(
        of permission: Permission,
        at place: PolicyPlace,
        _ request: PolicyRequest
    ) -> [Piece] {
        if permission.occasion == .creatingWithKey { return pieces(forKeysOf: request, at: place) }
        if permission.occasion == .verifyingWithKey {
            return pieces("VerifyWithKey", for: request.gates.publicKeys, at: place)
        }
        if permission.occasion == .signingRecords { return pieces("SignRecords", for: request.signingKeys, at: place) }
        func about(_ id: String) -> Piece {
            Piece(id: id, actions: [], resources: [place.arn], isAboutRepository: true)
        }
        let piece =
            switch permission.occasion {
            case .always, .copying: about(permission.side == .source ? "Read" : "Write")
            case .planning where permission.action == "ecr:DescribeRepositories": about("AskBeforeTagsMove")
            case .listing, .planning: about("List")
            case .listingRepositories: Piece(id: listing, actions: [], resources: [place.registryARN])
            case .pruning: about("Prune")
            case .readingScans, .readingAge, .readingTagSettings, .readingContent: about("DecideGates")
            case .foreignLayers: about("AskForForeignLayers")
            case .missing: Piece(id: "AskWhereMissing", actions: [], resources: ["*"])
            case .movingTags: about("AskBeforeTagsMove")
            case .uploadingByRegistry: Piece(id: "Token", actions: [], resources: ["*"])
            case .mounting: Piece(id: "Mount", actions: [], resources: request.siblings(of: place).map(\.arn))
            case .creatingLikeSource where permission.side == .source: about("ReadSettings")
            case .creating, .creatingLikeSource, .creatingWithKey, .verifyingWithKey, .signingRecords:
                Piece(id: "Create", actions: [], resources: [place.arn])
            }
        return [piece]
    }

    /// The statements for keys that are used by themselves, without actions: those that must have signed, and those
    /// that sign records.
    private static func pieces(_ id: String, for keys: [KeyName], at place: PolicyPlace) -> [Piece] {
        var pieces: [Piece] = []
        for key in keys {
            let (resource, alias) = key.inPolicy(at: place)
            let conditions = [alias].compactMap { $0 }
            if let same = pieces.firstIndex(where: { $0.conditions == conditions }) {
                if !pieces[same].resources.contains(resource) { pieces[same].resources.append(resource) }
            } else {
                pieces.append(Piece(id: id, actions: [], resources: [resource], conditions: conditions))
            }
        }
        return pieces
    }

    /// The statements for KMS keys, without actions: one for all that are named by ARN or id, and one for each alias.
    private static func pieces(forKeysOf request: PolicyRequest, at place: PolicyPlace) -> [Piece] {
        let service = PolicyStatement.Condition(
            "StringEquals",
            "kms:ViaService",
            "ecr.\(place.host.region).\(place.host.partition.domain)"
        )
        var pieces: [Piece] = []
        for key in request.keys(at: place) {
            let (resource, alias) = key.inPolicy(at: place)
            let conditions = [service] + [alias].compactMap { $0 }
            if let same = pieces.firstIndex(where: { $0.conditions == conditions }) {
                if !pieces[same].resources.contains(resource) { pieces[same].resources.append(resource) }
            } else {
                pieces.append(
                    Piece(id: "CreateWithKey", actions: [], resources: [resource], conditions: conditions)
                )
            }
        }
        return pieces
    }
}

extension [PolicyStatement] {
    /// The statements with distinct ids, since a policy may use each id only once.
    var withIDsOfTheirOwn: [PolicyStatement] {
        var counts: [String: Int] = [:]
        return map { statement in
            guard let id = statement.id else { return statement }
            counts[id, default: 0] += 1
            guard let count = counts[id], count > 1 else { return statement }
            return statement.identified("\(id)\(count)")
        }
    }
}

extension PolicyStatement {
    func identified(_ id: String?) -> PolicyStatement {
        var statement = self
        statement.id = id
        return statement
    }
}

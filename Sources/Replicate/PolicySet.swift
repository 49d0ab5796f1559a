internal import Content

/// What somebody wants to be allowed.
public struct PolicyRequest: Sendable, Hashable {
    /// `nil` where it isn't ECR.
    public var source: PolicyPlace?
    public var destination: PolicyPlace?
    /// Who reads and who writes; by default everybody of ``usualAccount`` whose own policies allow it.
    public var reader: Principal?
    public var writer: Principal?
    public var listsImages = false
    public var upload = UploadMode.auto
    public var createsRepository = false
    /// Of the repository that is created.
    public var keyARN: String?
    /// Whether actions are wanted, too, without which a copy goes on.
    public var includesOptional = false

    public init(source: PolicyPlace?, destination: PolicyPlace?) {
        (self.source, self.destination) = (source, destination)
    }

    /// Who copies is taken to be at home where the images are; another partition has accounts of its own.
    func caller(at place: PolicyPlace, _ named: Principal?) -> Principal {
        if let named { return named }
        let home = source?.host ?? place.host
        let host = home.partition == place.host.partition ? home : place.host
        return Principal(account: host.account.value, partition: host.partition.rawValue)
    }
}

/// A repository that is to be created by a caller of another account.
///
/// ECR may let such a caller create it, but what is new has no policy, so that nothing could be written to it.
///
/// - Source: facts/ecr.md D.4
public struct ForeignCreation: Error, Hashable, CustomStringConvertible {
    public let caller: String
    public let account: String

    public var description: String {
        "\(caller) can't create a repository in account \(account) and write to it: a repository that is new has no "
            + "policy that lets another account in; name a role of account \(account) with --destination-role-arn, or "
            + "create the repository there first"
    }
}

/// The policies that a copy needs, and no more.
///
/// - Source: DESIGN section 7, `iam-policy`; facts/ecr.md D.2 to D.4
public struct PolicySet: Sendable {
    /// The policies of one side.
    public struct SidePolicies: Sendable {
        public let side: CopyError.Side
        public let place: PolicyPlace
        public let caller: Principal
        public let identityPolicy: PolicyDocument
        /// `nil` within one account, where one of the two is enough.
        public let repositoryPolicy: PolicyDocument?
    }

    /// `nil` where nothing is needed there: it isn't ECR, or it is the destination's own repository.
    public let source: SidePolicies?
    public let destination: SidePolicies?

    /// - Throws: ``ForeignCreation`` where no policies suffice.
    public init(_ request: PolicyRequest) throws(ForeignCreation) {
        if let place = request.destination, request.createsRepository || request.keyARN != nil {
            let caller = request.caller(at: place, request.writer)
            let account = place.host.account.value
            guard caller.account == account else { throw ForeignCreation(caller: caller.words, account: account) }
        }
        var source = request.source
        // Of patterns that are equal a copy goes from any that match to any other.
        if let from = request.source, let to = request.destination, from.arn == to.arn, !to.isPattern,
            request.caller(at: from, request.reader) == request.caller(at: to, request.writer)
        {
            // One repository, reached by one identity: nothing is read that isn't asked of the destination.
            source = nil
        }
        self.source = source.map { Self.policies(.source, at: $0, request.reader, request, isRetag: false) }
        destination = request.destination.map { place in
            Self.policies(
                .destination,
                at: place,
                request.writer,
                request,
                isRetag: source == nil && request.source != nil
            )
        }
    }

    public var sides: [SidePolicies] { [source, destination].compactMap { $0 } }

    // MARK: One side

    private static func policies(
        _ side: CopyError.Side,
        at place: PolicyPlace,
        _ named: Principal?,
        _ request: PolicyRequest,
        isRetag: Bool
    ) -> SidePolicies {
        let caller = request.caller(at: place, named)
        let needed = Permission.all.filter {
            $0.side == side && (!$0.isOptional || request.includesOptional)
                && isMet($0.occasion, request, isRetag: isRetag)
        }
        var groups: [(title: Title, actions: [String])] = []
        for permission in needed {
            let title = title(of: permission, at: place, request)
            if let index = groups.firstIndex(where: { $0.title == title }) {
                groups[index].actions.append(permission.action)
            } else {
                groups.append((title, [permission.action]))
            }
        }
        let identity = groups.map { title, actions in
            PolicyStatement(id: title.id, actions, on: [title.resource], conditions: title.conditions)
        }
        let (principal, conditions) = caller.inPolicy
        let repository = PolicyStatement(
            id: side == .source ? "LetRead" : "LetWrite",
            principal: principal,
            groups.filter { $0.title.isAboutRepository }.flatMap(\.actions),
            conditions: conditions
        )
        return SidePolicies(
            side: side,
            place: place,
            caller: caller,
            identityPolicy: PolicyDocument(identity),
            repositoryPolicy: caller.account == place.host.account.value ? nil : PolicyDocument([repository])
        )
    }

    private static func isMet(_ occasion: Permission.Occasion, _ request: PolicyRequest, isRetag: Bool) -> Bool {
        let canMount =
            request.source.flatMap { from in request.destination.map { from.sharesRegistry(with: $0) } } ?? false
        return switch occasion {
        case .always, .movingTags: true
        case .copying, .foreignLayers: !isRetag
        case .listing: request.listsImages
        case .uploadingByRegistry: !isRetag && (request.upload != .api || canMount)
        case .creating: request.createsRepository || request.keyARN != nil
        case .creatingWithKey: request.keyARN != nil
        case .mounting: !isRetag && canMount
        }
    }

    /// Where a statement is put, and what it is about.
    private struct Title: Equatable {
        var id: String
        var resource: String
        var conditions: [PolicyStatement.Condition] = []
        /// Whether the repository's own policy can say it.
        var isAboutRepository = false
    }

    private static func title(of permission: Permission, at place: PolicyPlace, _ request: PolicyRequest) -> Title {
        switch permission.occasion {
        case .always, .copying:
            Title(id: permission.side == .source ? "Read" : "Write", resource: place.arn, isAboutRepository: true)
        case .listing: Title(id: "List", resource: place.arn, isAboutRepository: true)
        case .foreignLayers: Title(id: "AskForForeignLayers", resource: place.arn, isAboutRepository: true)
        case .movingTags: Title(id: "AskBeforeTagsMove", resource: place.arn, isAboutRepository: true)
        case .uploadingByRegistry: Title(id: "Token", resource: "*")
        case .mounting: Title(id: "Mount", resource: request.source?.arn ?? place.arn)
        case .creating: Title(id: "Create", resource: place.arn)
        case .creatingWithKey:
            Title(
                id: "CreateWithKey",
                resource: request.keyARN ?? "*",
                conditions: [
                    .init(
                        "StringEquals",
                        "kms:ViaService",
                        "ecr.\(place.host.region).\(place.host.partition.domain)"
                    )
                ]
            )
        }
    }
}

internal import AWSIdentity
internal import Content
internal import FoundationEssentials
internal import Platform
internal import Replicate

/// One repository of a saved plan, as it is carried out.
struct PlannedRepository: Sendable {
    /// How the images are copied; it selects nothing.
    var rule: Rule
    var source: ImageReference
    /// `nil` if it was not known when the plan was made.
    var destination: ImageReference?
    var destinationRegistry: RuleRegistry?
    var createsRepository: Bool
    var creationTemplate: String?
    var problems: [OutcomeProblem]
    var images: [PlanDocument.Image]

    var deletesAnything: Bool { images.contains { $0.action == .delete } }
}

/// Reads the repositories of a saved plan that was checked, one after another.
struct PlanRepositories: Sendable {
    private let registries: [String: RuleRegistry]
    private var lines: LineReader
    private var hasBegun = false

    init(of file: ByteFile, _ registries: [RuleRegistry]) {
        lines = LineReader(file)
        self.registries = Dictionary(registries.map { ($0.name, $0) }) { first, _ in first }
    }

    /// - Returns: `nil` after the last one.
    /// - Throws: ``PlanFault``, `ByteFile.Failure`
    mutating func next() throws -> PlannedRepository? {
        if !hasBegun {
            for _ in 0..<2 { _ = try line() }
            hasBegun = true
        }
        let first = try line()
        if first.starts(with: PlanDocument.checksumOpening.utf8) { return nil }
        let place = lines.line
        let opening = Array((PlanDocument.imagesOpening + "\n").utf8)
        guard first.suffix(opening.count) == opening[...] else { throw odd }
        let entry = try PlanCheck.decode(
            PlanDocument.Repository.self,
            Array(withoutComma(first).dropLast(opening.count)) + [UInt8(ascii: "}")],
            line: place
        )
        var repository = try resolve(entry, place)
        while true {
            let next = try line()
            if next.dropLast() == ArraySlice(PlanDocument.imagesEnd.utf8) { return repository }
            let image = try PlanCheck.decode(PlanDocument.Image.self, Array(withoutComma(next)), line: lines.line)
            guard image.digest != nil || ![.add, .move, .delete].contains(image.action) else {
                throw PlanFault(lines.line, at: "digest", "an image to copy or to delete has no digest", .planAgain)
            }
            repository.images.append(image)
        }
    }

    private mutating func line() throws -> ArraySlice<UInt8> {
        do {
            guard let line = try lines.next() else { throw odd }
            return line
        } catch is LineReader.TooLong {
            throw odd
        }
    }

    private var odd: PlanFault { PlanFault(lines.line, "this is not a part of a saved plan", .planAgain) }

    private func withoutComma(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.first == UInt8(ascii: ",") ? line.dropFirst() : line
    }

    // MARK: One repository

    private func resolve(_ entry: PlanDocument.Repository, _ line: Int) throws(PlanFault) -> PlannedRepository {
        let source = try registry(entry.source.registry, "source.registry", line)
        let destination = try entry.destination.map { place throws(PlanFault) in
            try registry(place.registry, "destination.registry", line)
        }
        let options = entry.options
        var platforms: [ImagePlatform] = []
        for text in options.platforms {
            guard let platform = try? ImagePlatform(parsing: text) else {
                throw PlanFault(
                    line,
                    at: "options.platforms",
                    "'\(quotable(text, upTo: 100))' is not a platform",
                    .planAgain
                )
            }
            platforms.append(platform)
        }
        // Names are in the plan as they are, so the templates are the default ones.
        let names = try? (repository: NameTemplate(parsing: "{repository}"), tag: NameTemplate(parsing: "{tag}"))
        let rule = Rule(
            name: entry.rule,
            position: FilePosition(line: line, column: 1),
            source: RuleSource(registry: source, patterns: [], excluded: []),
            destinations: names.flatMap { names in
                destination.map { [RuleDestination(registry: $0, repository: names.repository, tag: names.tag)] }
            } ?? [],
            tags: TagRule(),
            platforms: platforms,
            referrers: try choice(options.referrers, "options.referrers", line),
            ifExists: try choice(options.ifExists, "options.ifExists", line),
            createRepository: try choice(options.createRepository, "options.createRepository", line),
            gates: nil,
            prune: nil
        )
        return PlannedRepository(
            rule: rule,
            source: try reference(entry.source, source, "source.repository", line),
            destination: try entry.destination.flatMap { place throws(PlanFault) in
                try destination.map { registry throws(PlanFault) in
                    try reference(place, registry, "destination.repository", line)
                }
            },
            destinationRegistry: destination,
            createsRepository: entry.createsRepository,
            creationTemplate: entry.creationTemplate,
            problems: (entry.problems ?? []).map(OutcomeProblem.init),
            images: []
        )
    }

    private func registry(_ name: String, _ path: String, _ line: Int) throws(PlanFault) -> RuleRegistry {
        if let registry = registries[name] { return registry }
        throw PlanFault(line, at: path, "the plan has no registry '\(quotable(name, upTo: 100))'", .planAgain)
    }

    private func reference(
        _ place: PlanDocument.Place,
        _ registry: RuleRegistry,
        _ path: String,
        _ line: Int
    ) throws(PlanFault) -> ImageReference {
        guard let name = try? RepositoryName(parsing: place.repository) else {
            let shown = quotable(place.repository, upTo: 300)
            throw PlanFault(line, at: path, "'\(shown)' is not the name of a repository", .planAgain)
        }
        return registry.reference(to: name)
    }

    private func choice<Choice: RawRepresentable<String>>(
        _ text: String,
        _ path: String,
        _ line: Int
    ) throws(PlanFault) -> Choice {
        if let choice = Choice(rawValue: text) { return choice }
        throw PlanFault(line, at: path, "'\(quotable(text, upTo: 100))' is not known", .sameVersion)
    }
}

extension OutcomeProblem {
    init(_ problem: PlanDocument.Problem) {
        self.init(reason: problem.reason, problem.text, remedy: problem.remedy, kind: problem.kind)
    }
}

extension RuleRegistry {
    /// The registry that a saved plan names.
    ///
    /// - Throws: ``PlanFault``
    init(_ entry: PlanDocument.Registry, at path: String, _ variables: EnvironmentVariables) throws(PlanFault) {
        let line = 2
        self.init(unreadable: entry.name)
        if let layout = entry.layout {
            place = .layout(directory: layout)
        } else {
            let host = entry.host ?? ""
            switch (try? DestinationReference(parsing: host + "/"))?.registry {
            case .ecr(let host): place = .ecr(host)
            case .plain(let registry): place = .plain(registry)
            case .callersOwn, .layout, nil:
                throw PlanFault(line, at: "\(path).host", "'\(quotable(host, upTo: 100))' is not a host", .planAgain)
            }
        }
        options.identity.profile = entry.profile
        options.identity.roleARN = entry.roleArn
        options.identity.sessionName = entry.sessionName
        if let written = entry.externalId {
            do throws(Substitution.Fault) {
                options.identity.externalID = try Substitution(of: written, with: variables).text
            } catch {
                throw PlanFault(line, at: "\(path).externalId", error.message, suggesting: error.suggestion)
            }
        }
        (options.endpointURL, options.registryEndpoint) = (entry.endpointUrl, entry.registryEndpoint)
        do {
            try options.check()
        } catch {
            throw PlanFault(line, at: path, quotable("\(error)", upTo: 300), .planAgain)
        }
        kmsKeys = entry.kmsKeys ?? [:]
        writtenExternalID = entry.externalId
    }
}

import Content
import ECREmulator
import TestClouds
import TestInputs

/// Where the images of a random trial are kept.
enum RandomStore: Hashable, Sendable {
    case emulated(account: String, region: String)
    /// A directory of image layouts.
    case disk(String)
}

/// A repository of a store.
struct RandomPlace: Hashable, Sendable, CustomStringConvertible {
    var store: RandomStore
    var repository: String

    init(_ store: RandomStore, _ repository: String) { (self.store, self.repository) = (store, repository) }

    var description: String {
        switch store {
        case .emulated(let account, let region): "\(account)/\(region)/\(repository)"
        case .disk(let name): "\(name)/\(repository)"
        }
    }
}

/// A registry of a random rule file, with the identity that is used there.
struct RandomRegistry: Sendable {
    /// The name in the rule file.
    var name: String
    var store: RandomStore
    /// What the rule file says of it; `HOST` and `FOLDER` stand for what only a running cloud knows.
    var text: String
    /// What the ARN of every caller contains; empty for a directory.
    var caller = ""
    /// Whether the identity may write.
    var mayWrite = true
    /// Whether a missing repository is created, by a request or by a push.
    var createsRepositories = true

    var isPlain: Bool { text.contains("HOST") }

    private static let (build, production) = (ScenarioCloud.build, ScenarioCloud.production)
    static let reader = "arn:aws:iam::\(build):role/reader"
    static let promoter = "arn:aws:iam::\(production):role/promoter"
    static let mirror = "arn:aws:iam::\(production):role/mirror"
    static let watcher = "arn:aws:iam::\(production):role/watcher"
    static let externalID = "ex-7"

    /// A registry of the account whose keys are in the environment, with these keys or with a role.
    static func own(_ name: String, _ region: String, using random: inout Seeded) -> RandomRegistry {
        let hasRole = Bool.random(using: &random)
        return RandomRegistry(
            name: name,
            store: .emulated(account: build, region: region),
            text: "{ account: \"\(build)\", region: \(region)\(hasRole ? ", roleArn: \"\(reader)\"" : "") }",
            caller: hasRole ? ":assumed-role/reader/" : ":user/emulator"
        )
    }

    /// A registry of the other account, by one of its roles.
    static func foreign(_ name: String, _ region: String, using random: inout Seeded) -> RandomRegistry {
        let roles = [promoter, promoter, mirror, mirror, watcher]
        let role = roles.randomElement(using: &random) ?? promoter
        let externalID = role == mirror ? ", externalId: \(externalID)" : ""
        return RandomRegistry(
            name: name,
            store: .emulated(account: production, region: region),
            text: "{ account: \"\(production)\", region: \(region), roleArn: \"\(role)\"\(externalID) }",
            caller: ":assumed-role/\(role.split(separator: "/").last ?? "")/",
            mayWrite: role != watcher
        )
    }

    /// A registry of the emulator that the tool doesn't recognize as ECR.
    static func plain(_ name: String, _ region: String) -> RandomRegistry {
        RandomRegistry(
            name: name,
            store: .emulated(account: build, region: region),
            text: "{ host: \"http://HOST\" }",
            caller: ":user/docker",
            createsRepositories: false
        )
    }

    static func disk(_ name: String) -> RandomRegistry {
        RandomRegistry(name: name, store: .disk(name), text: "{ layout: \"FOLDER/\(name)\" }")
    }
}

/// What one random trial copies, and how.
///
/// Each trial has repositories of its own, in the registries of an emulator and the directories that many trials share.
struct RandomTrial: Sendable {
    /// A place where an image is put before a trial.
    struct Placed: Sendable {
        var image: SeedImage
        var tag: String?
        var place: RandomPlace
    }

    /// What a rule file selects.
    struct Selection: Sendable {
        var match: String?
        var exclude: String?

        func takes(_ tag: String) -> Bool {
            let isMatched =
                switch match {
                case nil: true
                case "\"v*\"": tag.hasPrefix("v")
                case .some(let list): list.contains(tag)
                }
            return isMatched && tag != exclude
        }

        var text: String? {
            let keys = [match.map { "match: \($0)" }, exclude.map { "exclude: \($0)" }].compactMap { $0 }
            return keys.isEmpty ? nil : "tags: { \(keys.joined(separator: ", ")) }"
        }
    }

    var number: Int
    var source: RandomRegistry
    var targets: [RandomRegistry]
    var seeds: [Placed] = []
    /// Destination repositories that exist without anything in them.
    var empty: [RandomPlace] = []
    /// What each of one or two rule files selects, which are carried out at once.
    var selections: [Selection] = []
    /// The names of the source's repositories.
    private var names: [String]
    private var template: String
    private var settings: [String]
    private var patterns: String

    /// All images that trials choose from: an image, an index, some that share layers, and an artifact.
    static let images: [SeedImage] =
        (0..<4).map { SeedImage.oci("image\($0)", layers: [300, 200]) }
        + SeedImage.withSharedLayer(["x", "y"], size: 500) + [
            SeedImage.twoPlatforms("index", layersEach: [200]),
            SeedImage.twoPlatforms("plain", layersEach: [150], isAttested: false),
            SeedImage.docker("docker", layers: [250]),
        ]

    private static let tags = ["v1", "v2", "v3", "latest", "edge"]

    /// - Parameter overlaps: Whether two rule files with overlapping rules are carried out at once.
    init(_ number: Int, overlaps: Bool, using random: inout Seeded) {
        self.number = number
        names = (0..<Int.random(in: 1...2, using: &random)).map { "t\(number)/app\($0)" }
        let (home, far) = (ScenarioCloud.home, ScenarioCloud.far)
        let sources: [RandomRegistry] = [
            .own("build", home, using: &random), .own("build", home, using: &random), RandomRegistry.disk("from"),
            .plain("plain", home),
        ]
        source = sources.randomElement(using: &random) ?? sources[0]
        // Two registries of one file never have the same repositories.
        let ownFar: RandomRegistry =
            Int.random(in: 0..<3, using: &random) == 0 ? .plain("far", far) : .own("far", far, using: &random)
        let pool: [RandomRegistry] = [
            ownFar, .foreign("prod", home, using: &random), .foreign("prodfar", far, using: &random), .disk("to"),
        ]
        targets = Array(pool.shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random)))
        template = ["{repository}", "copy/{repository}"].randomElement(using: &random) ?? "{repository}"
        patterns = Bool.random(using: &random) ? "\"t\(number)/*\"" : "[\(names.joined(separator: ", "))]"
        settings = [
            "ifExists: \(["move", "move", "skip", "fail"].randomElement(using: &random) ?? "move")",
            "referrers: \(["all", "all", "none"].randomElement(using: &random) ?? "all")",
            "createRepository: defaults",
        ]
        for name in names { seed(name, &random) }
        for _ in 0..<(overlaps ? 2 : 1) {
            let match = [nil, "\"v*\"", "[v1, latest]"].randomElement(using: &random) ?? nil
            let exclude = [nil, nil, "v2"].randomElement(using: &random) ?? nil
            selections.append(Selection(match: match, exclude: exclude))
        }
    }

    private mutating func seed(_ name: String, _ random: inout Seeded) {
        func anImage() -> SeedImage { Self.images.randomElement(using: &random) ?? Self.images[0] }
        let from = RandomPlace(source.store, name)
        for tag in Self.tags.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)) {
            let image = anImage()
            seeds.append(Placed(image: image, tag: tag, place: from))
            if Int.random(in: 0..<3, using: &random) == 0 {
                seeds.append(Placed(image: .referrer(to: image), tag: nil, place: from))
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                let signature = SeedImage.cosignSignature(of: image.digest)
                seeds.append(Placed(image: signature, tag: SeedImage.cosignTag(of: image.digest), place: from))
            }
        }
        // Nothing selects these.
        seeds.append(Placed(image: anImage(), tag: "v1", place: RandomPlace(source.store, "elsewhere/\(name)")))
        for target in targets {
            let own = place(of: name, at: target)
            seeds.append(Placed(image: anImage(), tag: "v1", place: RandomPlace(target.store, "elsewhere/\(name)")))
            // What the destination has before: nothing, other images under the same tags, images of its own.
            if !target.createsRepositories || Bool.random(using: &random) { empty.append(own) }
            for tag in (Self.tags + ["own", "old"]).shuffled(using: &random).prefix(
                Int.random(in: 0...3, using: &random)
            ) {
                seeds.append(Placed(image: anImage(), tag: tag, place: own))
            }
        }
    }

    /// The place of a source repository's copy.
    func place(of name: String, at target: RandomRegistry) -> RandomPlace {
        RandomPlace(target.store, template == "{repository}" ? name : "copy/\(name)")
    }

    /// Each pair of a source repository and its copy, with the index of the destination in the rule.
    var copies: [(from: RandomPlace, to: RandomPlace, destination: Int)] {
        names.flatMap { name in
            targets.enumerated().map { (RandomPlace(source.store, name), place(of: name, at: $1), $0) }
        }
    }

    /// Whether any rule file selects a tag.
    func takes(_ tag: String) -> Bool { Self.tags.contains(tag) && selections.contains { $0.takes(tag) } }

    /// Whether a registry is asked with a stored login.
    var usesLogins: Bool { ([source] + targets).contains(where: \.isPlain) }

    /// The rule files.
    ///
    /// - Parameters:
    ///   - host: Gives the address of a plain registry by its region.
    ///   - folder: The directory above those of the layouts.
    func files(host: (String) -> String, folder: String) -> [String] {
        let registries = ([source] + targets).map { registry -> String in
            var text = registry.text.replacing("FOLDER", with: folder)
            if case .emulated(_, let region) = registry.store { text = text.replacing("HOST", with: host(region)) }
            return "  \(registry.name): \(text)"
        }
        let destinations = targets.map { "{ registry: \($0.name), repository: \"\(template)\" }" }
        return selections.map { selection in
            let keys = [selection.text].compactMap { $0 } + settings
            return """
                version: 1
                registries:
                \(registries.joined(separator: "\n"))
                rules:
                  - name: r
                    from: { registry: \(source.name), repository: \(patterns) }
                    to: [\(destinations.joined(separator: ", "))]
                    \(keys.joined(separator: "\n    "))
                """
        }
    }
}

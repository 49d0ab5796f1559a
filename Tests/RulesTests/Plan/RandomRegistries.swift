import Content
import ECREmulator
import TestClouds
import TestInputs

/// What one random trial copies, and how.
///
/// Each trial has repositories of its own, in the registries of an emulator that many trials share.
struct RandomTrial: Sendable {
    static let registries = [
        "build": (ScenarioCloud.build, ScenarioCloud.home), "far": (ScenarioCloud.build, ScenarioCloud.far),
        "prod": (ScenarioCloud.production, ScenarioCloud.home),
        "prodfar": (ScenarioCloud.production, ScenarioCloud.far),
    ]

    /// A rule file that names the registries of all accounts, each with its own role.
    static let head = """
        version: 1
        registries:
          build: { account: "\(ScenarioCloud.build)", region: \(ScenarioCloud.home) }
          far: { account: "\(ScenarioCloud.build)", region: \(ScenarioCloud.far), roleArn: "\(reader)" }
          prod: { account: "\(ScenarioCloud.production)", region: \(ScenarioCloud.home), roleArn: "\(promoter)" }
          prodfar: { account: "\(ScenarioCloud.production)", region: \(ScenarioCloud.far), roleArn: "\(promoter)" }
        rules:

        """
    static let reader = "arn:aws:iam::\(ScenarioCloud.build):role/reader"
    static let promoter = "arn:aws:iam::\(ScenarioCloud.production):role/promoter"

    /// A place where an image is put before a trial.
    struct Placed {
        var image: SeedImage
        var tag: String?
        var registry: String
        var repository: String
    }

    var number: Int
    var seeds: [Placed] = []
    /// One or two texts of rules, which are carried out at once.
    var files: [String] = []
    /// Tags that may be written, by registry and repository.
    var written: [Place: Set<String>] = [:]
    /// Destination repositories that exist without anything in them.
    var empty: [(registry: String, repository: String)] = []

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
        let names = (0..<Int.random(in: 1...2, using: &random)).map { "t\(number)/app\($0)" }
        var destinations: [String] = []
        let targets = ["far", "prod", "prodfar"].shuffled(using: &random).prefix(Int.random(in: 1...2, using: &random))
        let template = ["{repository}", "copy/{repository}"].randomElement(using: &random) ?? "{repository}"
        for target in targets { destinations.append("{ registry: \(target), repository: \"\(template)\" }") }
        for name in names { seed(name, at: Array(targets), template, &random) }
        var settings: [String] = []
        let match = [nil, "v*", "[v1, latest]"].randomElement(using: &random) ?? nil
        if let match { settings.append("tags: { match: \(match.hasPrefix("[") ? match : "\"\(match)\"") }") }
        settings.append("ifExists: \(["move", "move", "skip", "fail"].randomElement(using: &random) ?? "move")")
        settings.append("referrers: \(["all", "all", "none"].randomElement(using: &random) ?? "all")")
        settings.append("createRepository: defaults")
        for _ in 0..<(overlaps ? 2 : 1) {
            files.append(
                Self.head + """
                      - name: r
                        from: { registry: build, repository: "t\(number)/*" }
                        to: [\(destinations.joined(separator: ", "))]
                        \(settings.joined(separator: "\n    "))
                    """
            )
        }
        for target in targets {
            let (account, region) = Self.registries[target] ?? ("", "")
            for name in names {
                let own = template == "{repository}" ? name : "copy/\(name)"
                written[Place(account: account, region: region, own)] = Set(
                    Self.tags.filter { tag in
                        match == nil || match == "v*" && tag.hasPrefix("v") || match?.contains(tag) == true
                    }
                )
            }
        }
    }

    private mutating func seed(_ name: String, at targets: [String], _ template: String, _ random: inout Seeded) {
        func anImage() -> SeedImage { Self.images.randomElement(using: &random) ?? Self.images[0] }
        for tag in Self.tags.shuffled(using: &random).prefix(Int.random(in: 1...4, using: &random)) {
            let image = anImage()
            seeds.append(Placed(image: image, tag: tag, registry: "build", repository: name))
            if Int.random(in: 0..<3, using: &random) == 0 {
                seeds.append(
                    Placed(image: .referrer(to: image), tag: nil, registry: "build", repository: name)
                )
            }
            if Int.random(in: 0..<4, using: &random) == 0 {
                seeds.append(
                    Placed(
                        image: .cosignSignature(of: image.digest),
                        tag: SeedImage.cosignTag(of: image.digest),
                        registry: "build",
                        repository: name
                    )
                )
            }
        }
        let own = template == "{repository}" ? name : "copy/\(name)"
        for target in targets {
            // What the destination has before: nothing, other images under the same tags, images of its own.
            if Bool.random(using: &random) { empty.append((target, own)) }
            for tag in (Self.tags + ["own", "old"]).shuffled(using: &random).prefix(
                Int.random(in: 0...3, using: &random)
            ) {
                seeds.append(Placed(image: anImage(), tag: tag, registry: target, repository: own))
            }
        }
    }

    func prepare(_ emulator: Emulator) throws {
        for placed in seeds {
            let (account, region) = Self.registries[placed.registry] ?? ("", "")
            try emulator.seed(
                placed.image,
                tag: placed.tag,
                account: account,
                region: region,
                repository: placed.repository
            )
        }
        for (registry, repository) in empty {
            let (account, region) = Self.registries[registry] ?? ("", "")
            try emulator.createRepository(account: account, region: region, repository)
        }
    }
}

/// Everything that a registry says about a repository.
struct RepositoryState: Equatable {
    var tags: [String: Digest]
    var manifests: Set<Digest>

    init(_ emulator: Emulator, _ place: Place) {
        tags = emulator.tags(account: place.account, region: place.region, repository: place.repository)
        manifests = emulator.manifests(account: place.account, region: place.region, repository: place.repository)
    }
}

extension Emulator {
    /// Every repository of the random trials' registries, with its state.
    func states(of prefix: String) -> [Place: RepositoryState] {
        var states: [Place: RepositoryState] = [:]
        for (account, region) in RandomTrial.registries.values {
            for name in repositories(account: account, region: region) where name.contains(prefix) {
                let place = Place(account: account, region: region, name)
                states[place] = RepositoryState(self, place)
            }
        }
        return states
    }
}

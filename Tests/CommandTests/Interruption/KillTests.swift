import Content
import ECREmulator
import Platform
import TestClouds
import TestInputs
import TestPrograms
import Testing

/// The built command, killed with `kill -9` at random moments, and started again until the copy is complete.
@Suite("A run that is killed at any moment", .timeLimit(.minutes(60)))
struct KillTests {
    /// The number of copies in a usual run; a soak continues until its time is over.
    static let kills = 12
    /// The most kills for one copy, because a slow machine might never finish it otherwise.
    static let mostKills = 10

    @Test("leaves nothing wrong, and the next run finishes the work", arguments: KillScene.Way.allCases)
    func killed(_ way: KillScene.Way) async throws {
        try await KillScene.with(way) { scene in
            // The first run also reads the program into the page cache, and other tests may be running.
            var duration = try await min(scene.measured(), scene.measured())
            var random = Seeded(9)
            let begin = ContinuousClock.now
            var (kills, rounds) = (0, 0)
            while kills < Self.kills || ContinuousClock.now - begin < Soak.duration ?? .zero {
                rounds += 1
                let place = try scene.makePlace()
                var (killsHere, isDone) = (0, false)
                while !isDone {
                    let moment = duration * .random(in: 0...1, using: &random)
                    let started = ContinuousClock.now
                    let ended = try await scene.copy(to: place, killedAfter: killsHere < Self.mostKills ? moment : nil)
                    isDone = ended.exitCode == 0
                    guard isDone || ended.exitCode == 137 else {
                        throw ChildError("\(ended.exitCode): \(ended.errors)")
                    }
                    // A complete run is a better measure of the usual time than the first ones.
                    if isDone, killsHere == 0 { duration = min(duration, ContinuousClock.now - started) }
                    let flaws = scene.emulator.flaws(at: place, tags: ["v1": [scene.image.digest, scene.old.digest]])
                    #expect(flaws.isEmpty, "after kill \(killsHere) in round \(rounds)")
                    killsHere += isDone ? 0 : 1
                }
                kills += killsHere
                #expect(scene.emulator.lacks([scene.image], at: place) == [])
                #expect(scene.emulator.flaws(at: place, tags: ["v1": [scene.image.digest]]) == [])
                #expect(scene.journal == [], "what is done needs no memory")
            }
            reportCases("kill -9", kills)
        }
    }
}

/// An image whose layers take a while to copy, and a new destination for each copy.
struct KillScene: Sendable {
    /// The way that layers are uploaded.
    enum Way: String, CaseIterable, Sendable {
        case registry
        /// In parts, which a later run can resume.
        case api
    }

    let emulator: Emulator
    let image: SeedImage
    /// The image that the tag holds before the copy.
    let old = SeedImage.oci("old", layers: [10])
    private let way: Way
    private let directory: String
    private let places = Lock(0)

    /// The size of a part in bytes, the smallest that ECR accepts.
    private static let partSize: Int64 = 5 << 20

    static func with(_ way: Way, _ body: (KillScene) async throws -> Void) async throws {
        var configuration = EmulatorConfiguration()
        configuration.partSize = partSize
        try await withScratchDirectory { directory in
            try await withEmulator(configuration) { try await body(KillScene($0, way, directory)) }
        }
    }

    private init(_ emulator: Emulator, _ way: Way, _ directory: String) throws {
        self.emulator = emulator
        self.way = way
        self.directory = directory
        // The drip fault makes many of the moments fall within a layer, on either side.
        switch way {
        case .registry:
            image = SeedImage.twoPlatforms("app", layersEach: [300_000, 150_000])
            emulator.inject(Fault(on: "GET layer", at: nil, .drip(bytes: 50_000)))
            emulator.inject(Fault(on: "PUT blob", at: nil, .drip(bytes: 60_000)))
        case .api:
            image = SeedImage.oci("app", layers: [2 * Self.partSize + 1_000])
            emulator.inject(Fault(on: "GET layer", at: nil, .drip(bytes: 400_000)))
            emulator.inject(Fault(on: "UploadLayerPart", at: nil, .drip(bytes: 600_000)))
        }
        try emulator.seed(image, tag: "v1", account: Stage.account, region: Stage.home, repository: "team/app")
    }

    func makePlace() throws -> Place {
        let number = places.withLock { count in
            count += 1
            return count
        }
        let place = Place(account: Stage.account, region: Stage.far, "to/n\(number)")
        try emulator.seed(old, tag: "v1", account: place.account, region: place.region, repository: place.repository)
        return place
    }

    /// The uploads that a run could resume.
    var journal: [String] { names(in: "\(directory)/ecr-replicate/uploads").filter { $0.hasSuffix(".json") } }

    /// Measures how long an undisturbed run takes.
    func measured() async throws -> Duration {
        let place = try makePlace()
        let begin = ContinuousClock.now
        let ended = try await run(.ecrReplicate, arguments(place), environment: environment)
        guard ended.exitCode == 0 else { throw ChildError(ended.errors) }
        return ContinuousClock.now - begin
    }

    /// - Parameter delay: The time before the kill; `nil` lets the run finish.
    func copy(to place: Place, killedAfter delay: Duration?) async throws -> Ended {
        guard let delay else { return try await run(.ecrReplicate, arguments(place), environment: environment) }
        return try await withChild(.ecrReplicate, arguments(place), environment: environment) { child in
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // This isn't a wait for a condition: the moment is random.
                    try await Task.sleep(for: delay)
                    child.kill()
                }
                // This line never appears, so the call returns when the program has ended.
                _ = try? await child.output.first { _ in false }
                group.cancelAll()
            }
        }.ended
    }

    private var environment: [String: String] {
        var variables = Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
        variables["XDG_STATE_HOME"] = directory
        return variables
    }

    private func arguments(_ place: Place) -> [String] {
        let source = emulator.registryHost(account: Stage.account, region: Stage.home)
        let destination = emulator.registryHost(account: place.account, region: place.region)
        return [
            "copy", "--progress", "none", "--upload", way.rawValue, "\(source)/team/app:v1",
            "\(destination)/\(place.repository)",
        ]
    }
}

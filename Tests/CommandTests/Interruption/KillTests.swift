import Content
import ECREmulator
import Platform
import TestClouds
import TestInputs
import TestPrograms
import Testing

/// The built command, ended by `kill -9` at moments that were drawn, and started again until it is done.
@Suite("Killed at any moment", .timeLimit(.minutes(60)))
struct KillTests {
    /// In a usual run; a soak goes on until its time is over.
    static let kills = 12
    /// Of one copy; then it may end, for a machine that has become slow meanwhile would never let it.
    static let mostKills = 10

    @Test("leaves nothing wrong, and the next run finishes the work", arguments: KillScene.Way.allCases)
    func killed(_ way: KillScene.Way) async throws {
        try await KillScene.with(way) { scene in
            // The first run also brings the program into the page cache, and other tests may be running beside it.
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
                    // A run that had all to do and did it says better than the first ones what a run takes.
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

/// An image whose layers take their time, and a new place for each copy of it.
struct KillScene: Sendable {
    /// How layers go up.
    enum Way: String, CaseIterable, Sendable {
        case registry
        /// In parts, which a later run goes on with.
        case api
    }

    let emulator: Emulator
    let image: SeedImage
    /// What the tag holds before.
    let old = SeedImage.oci("old", layers: [10])
    private let way: Way
    private let directory: String
    private let places = Lock(0)

    /// In bytes, the smallest that ECR takes.
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
        // Drips make it so that a good part of the moments lies within a layer, on either side.
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

    /// The uploads that a run would go on with.
    var journal: [String] { names(in: "\(directory)/ecr-replicate/uploads").filter { $0.hasSuffix(".json") } }

    /// How long a run takes that nobody disturbs.
    func measured() async throws -> Duration {
        let place = try makePlace()
        let begin = ContinuousClock.now
        let ended = try await run(.ecrReplicate, arguments(place), environment: environment)
        guard ended.exitCode == 0 else { throw ChildError(ended.errors) }
        return ContinuousClock.now - begin
    }

    /// - Parameter delay: `nil` lets it run to its end.
    func copy(to place: Place, killedAfter delay: Duration?) async throws -> Ended {
        guard let delay else { return try await run(.ecrReplicate, arguments(place), environment: environment) }
        return try await withChild(.ecrReplicate, arguments(place), environment: environment) { child in
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // Not a wait for anything: the moment is what was drawn.
                    try await Task.sleep(for: delay)
                    child.kill()
                }
                // Nothing is ever such a line: this ends when the program has.
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

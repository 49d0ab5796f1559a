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

    @Test("leaves nothing wrong, and the next run finishes the work")
    func killed() async throws {
        try await withEmulator { emulator in
            let scene = try KillScene(emulator)
            // The first run also brings the program into the page cache, and other tests may be running beside it.
            var duration = try await min(scene.measured(), scene.measured())
            var random = Seeded(9)
            let begin = ContinuousClock.now
            var (kills, rounds) = (0, 0)
            while kills < Self.kills || ContinuousClock.now - begin < Soak.duration ?? .zero {
                rounds += 1
                let place = try scene.makePlace()
                var (isFirst, isDone) = (true, false)
                while !isDone {
                    let moment = duration * .random(in: 0...1, using: &random)
                    let started = ContinuousClock.now
                    let ended = try await scene.copy(to: place, killedAfter: moment)
                    // A run that had all to do and did it says better than the first ones what a run takes.
                    if ended.exitCode == 0, isFirst { duration = min(duration, ContinuousClock.now - started) }
                    isFirst = false
                    let flaws = emulator.flaws(at: place, tags: ["v1": [scene.image.digest, scene.old.digest]])
                    #expect(flaws.isEmpty, "after kill \(kills) in round \(rounds)")
                    isDone = ended.exitCode == 0
                    guard isDone || ended.exitCode == 137 else {
                        throw ChildError("\(ended.exitCode): \(ended.errors)")
                    }
                    kills += isDone ? 0 : 1
                }
                #expect(emulator.lacks([scene.image], at: place) == [])
                #expect(emulator.flaws(at: place, tags: ["v1": [scene.image.digest]]) == [])
            }
            reportCases("kill -9", kills)
        }
    }
}

/// An image whose layers take their time, and a new place for each copy of it.
private struct KillScene {
    let emulator: Emulator
    let image = SeedImage.twoPlatforms("app", layersEach: [300_000, 150_000])
    /// What the tag holds before.
    let old = SeedImage.oci("old", layers: [10])
    private let places = Lock(0)

    init(_ emulator: Emulator) throws {
        self.emulator = emulator
        try emulator.seed(image, tag: "v1", account: Stage.account, region: Stage.home, repository: "team/app")
        // So that a good part of the moments lies within a layer, on either side.
        emulator.order(Fault(on: "GET layer", at: nil, .drip(bytes: 50_000)))
        emulator.order(Fault(on: "PUT blob", at: nil, .drip(bytes: 60_000)))
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

    /// How long a run takes that nobody disturbs.
    func measured() async throws -> Duration {
        let place = try makePlace()
        let begin = ContinuousClock.now
        let ended = try await run(.ecrReplicate, arguments(place), environment: environment)
        guard ended.exitCode == 0 else { throw ChildError(ended.errors) }
        return ContinuousClock.now - begin
    }

    func copy(to place: Place, killedAfter delay: Duration) async throws -> Ended {
        try await withChild(.ecrReplicate, arguments(place), environment: environment) { child in
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
        Dictionary(uniqueKeysWithValues: emulator.environment.map { ($0.name, $0.value) })
    }

    private func arguments(_ place: Place) -> [String] {
        let source = emulator.registryHost(account: Stage.account, region: Stage.home)
        let destination = emulator.registryHost(account: place.account, region: place.region)
        return ["copy", "--progress", "none", "\(source)/team/app:v1", "\(destination)/\(place.repository)"]
    }
}

import Content
import ECREmulator
import Foundation
import TestPrograms
import Testing

@testable import Replicate
@testable import ecr_replicate

@Suite("Progress", .timeLimit(.minutes(1)))
struct ProgressTests {
    @Test("is lines for people, without a terminal")
    func plain() async throws {
        try await withStage { stage in
            let copied = try await stage.run("copy", "\(stage.source):v1", stage.destination)
            #expect(copied.exitCode == 0)
            let moved = copied.errors.split(separator: "\n").filter { $0.hasPrefix("moved  sha256:") }
            #expect(
                Set(moved.map { $0.split(separator: " ")[1] }) == Set(stage.image.blobs.map { "\($0.digest)"[...] })
            )
            #expect(copied.errors.contains("put    \(stage.destination):v1@\(stage.image.digest)\n"))
            #expect(!copied.errors.contains("\u{1B}"))
        }
    }

    @Test("is one JSON object in each line, before the summary")
    func json() async throws {
        try await withStage { stage in
            let copied = try await stage.run("copy", "--progress", "json", "\(stage.source):v1", stage.destination)
            let lines = copied.errors.split(separator: "\n").filter { $0.hasPrefix("{") }
            let events = try lines.map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            let names = events.compactMap { $0["event"] as? String }
            #expect(names.first == "planned")
            #expect(names.last == "finished")
            #expect(names.count { $0 == "blobStarted" } == 3)
            #expect(names.count { $0 == "blobMoved" } == 3)
            #expect(events.last?["digest"] as? String == "\(stage.image.digest)")
        }
    }

    @Test("is empty with --progress none")
    func none() async throws {
        try await withStage { stage in
            let copied = try await stage.run("copy", "--progress", "none", "\(stage.source):v1", stage.destination)
            #expect(copied.errors.isEmpty)
            #expect(copied.lines.count == 1)
            // Only the lines that a rollback needs are printed.
            let other = try stage.seed(.oci("other", layers: [10]), tag: "stable")
            let tag = "\(stage.destination):stable"
            let moved = try await stage.run("copy", "--progress", "none", "\(stage.source):v1", tag)
            #expect(moved.errors == "\(tag) held \(other) before\n")
        }
    }
}

@Suite("Bars")
struct ProgressStateTests {
    @Test("fit every terminal, with any number of blobs", arguments: 20...200)
    func width(columns: Int) throws {
        var state = ProgressState()
        let blobs = try (0..<12).map { try blob($0, size: 123_456_789_012) }
        _ = state.note(.planned(try plan(blobs)))
        for blob in blobs {
            _ = state.note(.blobStarted(blob, to: try place()))
            _ = state.note(.blobProgress(blob.digest, to: try place(), bytes: 99_999_999_999))
        }
        let lines = state.lines(width: columns)
        #expect(lines.count == ProgressState.mostBars + 2)
        #expect(lines.allSatisfy { $0.count < columns }, "\(lines)")
        #expect(lines.allSatisfy { !$0.contains("\n") && !$0.contains("\u{1B}") })
    }

    @Test("are full when all has arrived, and are removed from the list")
    func full() throws {
        var state = ProgressState()
        let blob = try blob(1, size: 1_000)
        #expect(state.lines(width: 80).isEmpty)
        #expect(state.note(.planned(try plan([blob])))?.contains("1 blob") == true)
        _ = state.note(.blobStarted(blob, to: try place()))
        _ = state.note(.blobProgress(blob.digest, to: try place(), bytes: 500))
        #expect(state.lines(width: 80).count == 2)
        #expect(state.lines(width: 80).allSatisfy { $0.contains("500 B / 1.0 kB") })
        #expect(state.heartbeat() == "moving 1 blob, 500 B of 1.0 kB, 0 of 1 blob done")
        #expect(state.underWay == "1 blob, 500 B to go")

        let line = state.note(.blobMoved(blob, to: try place()))

        #expect(line == "moved  \(blob.digest)  1.0 kB")
        #expect(state.heartbeat() == nil && state.underWay == nil)
        let last = try #require(state.lines(width: 80).first)
        #expect(state.lines(width: 80).count == 1)
        #expect(last.hasPrefix("1/1 blobs"))
        #expect(!last.contains("░"))
    }

    @Test("subtract the bytes of a failed attempt")
    func restarted() throws {
        var state = ProgressState()
        let blob = try blob(1, size: 1_000)
        _ = state.note(.planned(try plan([blob])))
        _ = state.note(.blobStarted(blob, to: try place()))
        _ = state.note(.blobProgress(blob.digest, to: try place(), bytes: 900))
        let line = state.note(.blobRestarted(blob.digest, to: try place(), reason: "cut off"))
        #expect(line == "retry  \(blob.digest): cut off")
        _ = state.note(.blobStarted(blob, to: try place()))
        _ = state.note(.blobProgress(blob.digest, to: try place(), bytes: 900))
        // The image's result has the reason; no progress line reports the retry.
        #expect(state.note(.blobGivenUp(blob.digest, to: try place())) == nil)
        _ = state.note(.blobStarted(blob, to: try place()))
        #expect(state.lines(width: 80).last?.contains("0 B / 1.0 kB") == true)
    }

    @Test("name the destination of a line if there are several")
    func destinations() throws {
        var state = ProgressState(namesDestinations: true)
        let blob = try blob(1, size: 1_000)
        let (place, sibling) = (try place(), try RepositoryName(parsing: "team/other"))
        let (what, to) = (blob.digest, "  to localhost:5000/team/app")
        #expect(state.note(.blobResumed(blob, to: place, at: 500)) == "resume \(what)  at 500 B of 1.0 kB\(to)")
        #expect(state.note(.blobRestarted(what, to: place, reason: "cut off")) == "retry  \(what)\(to): cut off")
        #expect(state.note(.blobMoved(blob, to: place)) == "moved  \(what)  1.0 kB\(to)")
        #expect(
            state.note(.blobMounted(blob, to: place, from: sibling)) == "mount  \(what)  1.0 kB\(to)  from team/other"
        )
    }

    @Test("show the rate and the time left as soon as they are known")
    func speed() throws {
        var state = ProgressState()
        let start = ContinuousClock.now
        let (blob, other) = (try blob(1, size: 600_000_000), try blob(2, size: 400_000_000))
        _ = state.note(.planned(try plan([blob, other])), at: start)
        #expect(state.heartbeat(at: start) == nil)
        _ = state.note(.blobStarted(blob, to: try place()), at: start + .seconds(60))
        func text(_ seconds: Double) -> String {
            let now = start + .milliseconds(Int64(60_000 + seconds * 1_000))
            return (state.heartbeat(at: now) ?? "") + "\n" + (state.lines(width: 120, at: now).last ?? "")
        }
        // Nothing is shown in the first two seconds, and nothing is divided by zero.
        for seconds in [0, 0.5, 1.9] { #expect(!text(seconds).contains("/s") && !text(seconds).contains("left")) }
        #expect(text(2).contains("0 B/s") && !text(2).contains("left"))
        for second in 1...10 {
            let now = start + .seconds(60 + second)
            _ = state.note(.blobProgress(blob.digest, to: try place(), bytes: 10_000_000), at: now)
        }
        #expect(
            text(10).hasPrefix("moving 1 blob, 100 MB of 1.0 GB, 0 of 2 blobs done, 10.0 MB/s, 2 min left\n"),
            "\(text(10))"
        )
        #expect(text(10).hasSuffix("10.0 MB/s  2 min left"))
        // A stalled transfer gets slower and slower, and then shows no time.
        #expect(text(30).contains("1.0 MB/s") || text(30).contains("500 kB/s") || text(30).contains("0 B/s"))
        #expect(text(1_000).contains("0 B/s") && !text(1_000).contains("left"))
        // Bytes that a destination has lost don't count in the rate.
        _ = state.note(.blobProgress(blob.digest, to: try place(), bytes: -50_000_000), at: start + .seconds(1_001))
        #expect(!text(1_001).contains("-"))
        // A pause between two blobs doesn't count in the rate.
        _ = state.note(.blobMoved(blob, to: try place()), at: start + .seconds(1_061))
        #expect(state.heartbeat(at: start + .seconds(2_000)) == nil)
        #expect(state.lines(width: 120, at: start + .seconds(2_000)).last?.contains("/s") == false)
        _ = state.note(.blobStarted(other, to: try place()), at: start + .seconds(5_000))
        _ = state.note(.blobProgress(other.digest, to: try place(), bytes: 40_000_000), at: start + .seconds(5_004))
        #expect(state.heartbeat(at: start + .seconds(5_004))?.hasSuffix("10.0 MB/s, 36 s left") == true)
    }

    @Test(
        "name the destination behind each bar if there are several, within the width",
        arguments: [30, 60, 80, 100, 200]
    )
    func places(width: Int) throws {
        var state = ProgressState(namesDestinations: true)
        let blob = try blob(1, size: 1_000_000)
        _ = state.note(.planned(try plan([blob])))
        let names = ["eu-west-1", "us-east-1"]
        for region in names {
            let host = "111122223333.dkr.ecr.\(region).amazonaws.com"
            _ = state.note(.blobStarted(blob, to: try ImageReference(parsing: "\(host)/mirror/app")))
        }
        let lines = state.lines(width: width)
        #expect(lines.count == 3 && lines.allSatisfy { $0.count < width }, "\(lines)")
        guard width >= 80 else { return }
        for (line, region) in zip(lines, names) { #expect(line.contains("111122223333.\(region)"), "\(line)") }
        #expect(state.heartbeat()?.hasPrefix("moving 2 blobs to 2 destinations, ") == true)
    }

    @Test("never exceed their size")
    func tooMuch() throws {
        var state = ProgressState()
        let blob = try blob(1, size: 10)
        _ = state.note(.planned(try plan([blob])))
        _ = state.note(.blobStarted(blob, to: try place()))
        _ = state.note(.blobProgress(blob.digest, to: try place(), bytes: 25))
        #expect(state.lines(width: 80).allSatisfy { $0.contains("10 B / 10 B") })
    }

    private func place() throws -> ImageReference { try ImageReference(parsing: "localhost:5000/team/app") }

    private func blob(_ number: Int, size: Int64) throws -> Descriptor {
        Descriptor(mediaType: MediaType(rawValue: "a/b"), digest: Digest(of: [UInt8(number)]), size: size)
    }

    private func plan(_ blobs: [Descriptor]) throws -> Plan {
        let image = SeedImage.oci("app", layers: [10])
        return Plan(
            source: try place(),
            destination: try place(),
            root: try Manifest(bytes: image.bytes, mediaType: MediaType(rawValue: image.mediaType)),
            tags: [],
            manifests: [],
            blobs: blobs,
            blobsThere: 0,
            blobsElsewhere: [],
            notes: [],
            createsRepository: false,
            referrerManifests: [:]
        )
    }
}

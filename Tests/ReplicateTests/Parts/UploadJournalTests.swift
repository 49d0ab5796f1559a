import Content
import Foundation
import Logging
import Platform
import TestInputs
import Testing

@testable import Replicate

@Suite("Upload journal")
struct UploadJournalTests {
    private let key = UploadKey(
        registry: "https://api.ecr.eu-west-1.amazonaws.com:443 111122223333 eu-west-1",
        repository: "team/app",
        digest: .ofNothing,
        size: 100
    )
    private let upload = PartUpload(id: "9e2b-1", partSize: 10)

    private func entry(at byte: Int64 = 30) -> UploadEntry {
        UploadEntry(key, upload, nextByte: byte, updatedAt: 1_000)
    }

    private func journal(
        _ directory: String?,
        at seconds: Int64 = 1_000,
        _ log: LogLines = LogLines()
    ) -> UploadJournal {
        UploadJournal(directory: directory, logger: log.logger, now: { seconds })
    }

    private func claim(_ journal: UploadJournal) throws -> UploadJournal.Claim { try #require(journal.claim(key)) }

    @Test("No journal is kept in a link or in a directory that other users may write to", arguments: [0o777, 0o770, 0])
    func shared(mode: Int) async throws {
        try await withStateDirectory { directory in
            let path = mode == 0 ? "\(directory)-link" : directory
            try DurableFile.makeDirectory(directory)
            defer { try? FileManager.default.removeItem(atPath: "\(directory)-link") }
            if mode == 0 {
                try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: directory)
            } else {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: directory)
            }
            let log = LogLines()
            let journal = journal(path, at: 1_000, log)
            #expect(journal.claim(key) == nil)
            journal.forget(key)
            #expect(files(in: directory).isEmpty)
            let warnings = log.lines.filter { $0.contains("uploads can't be journaled") }
            #expect(warnings.count == 1 && warnings[0].contains(path), "\(log.lines)")
        }
    }

    @Test("A claim finds the last recorded entry, and none after it was dropped")
    func remembers() async throws {
        try await withStateDirectory { directory in
            do {
                let claim = try claim(journal(directory))
                #expect(claim.found == nil)
                claim.record(entry(at: 10))
                claim.record(entry(at: 20))
            }
            do {
                let claim = try claim(journal(directory, at: 2_000))
                #expect(claim.found == entry(at: 20))
                claim.drop()
            }
            let claim = try claim(journal(directory))
            #expect(claim.found == nil)
            claim.record(entry())
            claim.close()
            #expect(files(in: directory) == [])
        }
    }

    @Test("An entry is readable only by its owner and holds no address or token")
    func contents() async throws {
        try await withStateDirectory { directory in
            let claim = try claim(journal(directory))
            claim.record(entry())
            #expect(try permissions(of: directory) == 0o700)
            #expect(try permissions(of: "\(directory)/uploads") == 0o700)
            let name = "\(directory)/uploads/\(key.fileName).json"
            #expect(try permissions(of: name) == 0o600)
            let text = try #require(try DurableFile.read(name, limit: 4_096))
            #expect(
                String(decoding: text, as: UTF8.self) == """
                    {"digest":"\(Digest.ofNothing)","nextByte":30,"partSize":10,"registry":"\(key.registry)",\
                    "repository":"team/app","size":100,"updatedAt":1000,"uploadId":"9e2b-1","version":1}
                    """
            )
            withExtendedLifetime(claim) {}
        }
    }

    @Test("An upload has one writer at a time, and a second claim fails at once")
    func oneWriter() async throws {
        try await withStateDirectory { directory in
            let log = LogLines()
            var first: UploadJournal.Claim? = try claim(journal(directory))
            #expect(journal(directory, log).claim(key) == nil)
            #expect(log.lines.contains { $0.hasPrefix("notice") })
            var other = key
            other.repository = "team/other"
            #expect(journal(directory).claim(other) != nil)
            withExtendedLifetime(first) {}
            first = nil
            #expect(journal(directory).claim(key) != nil)
        }
    }

    @Test(
        "An unreadable entry is ignored without a warning and overwritten",
        arguments: [
            "", "{", "null", "[]", "\u{0}\u{0}\u{0}", #"{"version":2}"#,
            #"{"digest":"sha256:0","nextByte":30,"partSize":10,"registry":"r","repository":"team/app","size":100,"#,
            String(repeating: " ", count: 5_000),
        ]
    )
    func garbage(_ text: String) async throws {
        try await withStateDirectory { directory in
            let log = LogLines()
            try DurableFile.makeDirectory("\(directory)/uploads")
            let path = "\(directory)/uploads/\(key.fileName).json"
            try DurableFile.write(Array(text.utf8), to: path)
            do {
                let claim = try claim(journal(directory, log))
                #expect(claim.found == nil)
                claim.record(entry())
            }
            #expect(try claim(journal(directory)).found == entry())
            #expect(!log.lines.contains { $0.hasPrefix("warning") || $0.hasPrefix("error") })
        }
    }

    @Test("An entry of another upload or of another version is ignored")
    func foreign() {
        func read(_ change: (inout UploadEntry) -> Void) -> UploadEntry? {
            var entry = entry()
            change(&entry)
            return UploadEntry(parsing: entry.json, for: key)
        }
        #expect(read { _ in } == entry())
        #expect(read { $0.version = 2 } == nil)
        #expect(read { $0.version = 0 } == nil)
        #expect(read { $0.registry = "elsewhere" } == nil)
        #expect(read { $0.repository = "team/other" } == nil)
        #expect(read { $0.digest = "sha256:\(String(repeating: "1", count: 64))" } == nil)
        #expect(read { $0.size = 101 } == nil)
        for byte in [-1, 0, 101] as [Int64] { #expect(read { $0.nextByte = byte } == nil) }
        #expect(read { $0.nextByte = 100 } != nil, "only the completion is missing")
        for size in [-1, 0, 20_971_521] as [Int64] { #expect(read { $0.partSize = size } == nil) }
        for id in ["", "a b", "a\n", "ü", String(repeating: "a", count: 257)] {
            #expect(read { $0.uploadId = id } == nil)
        }
        #expect(read { $0.updatedAt = -1 } == nil)
    }

    @Test("Entries older than a week are removed, and other files are left alone")
    func prunes() async throws {
        try await withStateDirectory { directory in
            let week = UploadJournal.longestAge
            let keys = (0..<3).map { number in
                UploadKey(registry: "r", repository: "a/\(number)", digest: .ofNothing, size: 100)
            }
            for (number, key) in keys.enumerated() {
                let claim = try #require(journal(directory, at: Int64(number) * week).claim(key))
                claim.record(UploadEntry(key, upload, nextByte: 10))
            }
            try DurableFile.write([], to: "\(directory)/uploads/notes.json")
            try DurableFile.write([], to: "\(directory)/uploads/\(String(repeating: "z", count: 64)).json")

            let later = journal(directory, at: 2 * week + 1)
            _ = later.claim(key)?.close()
            let left = files(in: directory)
            #expect(!left.contains("\(keys[0].fileName).json") && !left.contains("\(keys[0].fileName).lock"))
            #expect(!left.contains("\(keys[1].fileName).json"))
            #expect(left.contains("\(keys[2].fileName).json"))
            #expect(left.contains("notes.json") && left.contains { $0.hasPrefix("zz") })
        }
    }

    @Test("A claimed entry is not removed, and an entry of exactly the longest age is still found")
    func old() async throws {
        try await withStateDirectory { directory in
            let held = try claim(journal(directory))
            held.record(entry())
            let later = journal(directory, at: 1_000 + UploadJournal.longestAge + 1)
            #expect(later.claim(key) == nil)
            #expect(files(in: directory).contains("\(key.fileName).json"))
            withExtendedLifetime(held) {}
        }
        try await withStateDirectory { directory in
            do { try claim(journal(directory)).record(entry()) }
            let later = journal(directory, at: 1_000 + UploadJournal.longestAge)
            #expect(try claim(later).found != nil)
        }
    }

    @Test("A journal that can't be written warns once")
    func unwritable() async throws {
        try await withStateDirectory { directory in
            try DurableFile.write([], to: "\(directory)-file")
            defer { try? FileManager.default.removeItem(atPath: "\(directory)-file") }
            let log = LogLines()
            let journal = journal("\(directory)-file", log)
            #expect(journal.claim(key) == nil)
            #expect(journal.claim(key) == nil)
            #expect(log.lines.count { $0.hasPrefix("warning") } == 1, "\(log.lines)")
        }
    }

    @Test("A journal that becomes unwritable warns once, and the upload continues")
    func becomesUnwritable() async throws {
        try await withStateDirectory { directory in
            let log = LogLines()
            let journal = journal(directory, log)
            let claim = try claim(journal)
            try FileManager.default.removeItem(atPath: "\(directory)/uploads")
            claim.record(entry())
            claim.record(entry(at: 40))
            #expect(log.lines.count { $0.hasPrefix("warning") } == 1, "\(log.lines)")
        }
    }

    @Test(
        "The journal is in XDG_STATE_HOME, or under the home directory",
        arguments: [
            (["XDG_STATE_HOME": "/state", "HOME": "/home/u"], "/state/ecr-replicate"),
            (["XDG_STATE_HOME": "state", "HOME": "/home/u"], "/home/u/.local/state/ecr-replicate"),
            (["XDG_STATE_HOME": "", "HOME": "/home/u"], "/home/u/.local/state/ecr-replicate"),
            (["HOME": "relative"], nil), ([:], nil),
        ] as [([String: String], String?)]
    )
    func place(_ variables: [String: String], _ path: String?) {
        #expect(UploadOptions.usualStateDirectory(EnvironmentVariables(variables)) == path)
    }

    @Test(
        "Whatever bytes are read, an accepted entry is one that the program could have written",
        arguments: 0..<20 as Range<UInt64>
    )
    func fuzz(seed: UInt64) {
        var random = Seeded(seed)
        let pieces = ["\"", "{", "}", ",", ":", "-1", "9223372036854775808", "1e3", "null", "\\u0000", "é", "100", "0"]
        var accepted = 0
        for _ in 0..<500 {
            var bytes = entry(at: Int64.random(in: 1...100, using: &random)).json
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                let place = Int.random(in: 0...bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    bytes.insert(contentsOf: Array(pieces.randomElement(using: &random)?.utf8 ?? "".utf8), at: place)
                case 1 where place < bytes.count: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 2: bytes = Array(bytes.prefix(place))
                default: bytes.removeSubrange(place..<min(bytes.count, place + 3))
                }
            }
            guard let read = UploadEntry(parsing: bytes, for: key) else { continue }
            accepted += 1
            #expect(read.version == 1 && read.registry == key.registry && read.repository == key.repository)
            #expect(read.digest == "\(key.digest)" && read.size == key.size)
            #expect((1...key.size).contains(read.nextByte) && (1...20_971_520).contains(read.partSize))
            #expect(!read.uploadId.isEmpty && read.uploadId.utf8.allSatisfy { $0 > 32 && $0 < 127 })
            #expect(UploadEntry(parsing: read.json, for: key) == read)
        }
        #expect(accepted > 0, "some entries were not changed")
        reportCases("fuzz, journal", 500)
    }
}

/// Records log messages as `level: message`.
final class LogLines: Sendable {
    private let entries = Lock<[String]>([])

    var lines: [String] { entries.withLock { $0 } }

    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(entries: entries) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let entries: Lock<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            entries.withLock { $0.append("\(event.level): \(event.message)") }
        }
    }
}

func withStateDirectory<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let path = "/tmp/journal-tests-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

func permissions(of path: String) throws -> Int {
    let facts = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(facts[.posixPermissions] as? NSNumber).intValue
}

/// The file names in the journal's folder, sorted.
func files(in directory: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: "\(directory)/uploads")) ?? []).sorted()
}
